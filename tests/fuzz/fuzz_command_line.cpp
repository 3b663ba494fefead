// Command lines of pliant-mnist, a word a line: they parse or they are one clear complaint. Nothing
// is run.
#include <CLI/CLI.hpp>
#include <sstream>
#include <string>
#include <vector>

#include <pliant/apps/mnist/commands.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/sanitizer_options.h>

using namespace pliant;
using namespace pliant::mnist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  std::vector<std::string> words;
  for (std::string line; std::getline(lines, line) && words.size() < 32;)
    words.push_back(line.substr(0, line.find('\0')));
  std::reverse(words.begin(), words.end());  // as CLI11 takes them

  CLI::App app{"fuzzed"};
  app.set_version_flag("--version", "0");
  Command chosen;
  add_experiment_command(app, chosen);
  add_train_command(app, chosen);
  add_eval_command(app, chosen);
  add_table_command(app, chosen);
  add_predict_command(app, chosen);
  fuzz::comes_through([&] {
    try {
      app.parse(words);
      fuzz::expect(chosen != nullptr, "a line that parses chooses nothing");
    } catch (const CLI::ParseError& error) {
      std::ostringstream out, complaint;
      app.exit(error, out, complaint);
      fuzz::expect(!out.str().empty() || !complaint.str().empty(), "refused without a word");
    }
  });
  return 0;
}
