// The programs of README, the tutorial and the guide, run as a reader runs them.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

const fs::path kGuide = fs::path(PLIANT_SOURCE_DIR) / "docs/guide";

Ended run_guide(const std::string& name, const fs::path& folder, const std::string& data) {
  return run_program({"/bin/sh", "-c",
                      "cd '" + folder.string() + "' && PLIANT_DATA='" + data +
                          "' '" PLIANT_PROGRAMS "/pliant-guide-" + name + "'"});
}

// What a page says that a program of the guide prints, by the program's name:
//
//   <!-- output of: docs/guide/tape.cpp -->
//   ```text
//   ...
std::map<std::string, std::string> outputs_of(const fs::path& page) {
  const std::string mark = "<!-- output of: docs/guide/", end = ".cpp -->";
  std::map<std::string, std::string> all;
  std::ifstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(mark) || !line.ends_with(end)) continue;
    const fs::path program = line.substr(mark.size(), line.size() - mark.size() - end.size());
    std::string& text = all[program.filename().string()];
    std::getline(lines, line);
    while (std::getline(lines, line) && line != "```") text += line + '\n';
  }
  return all;
}

}  // namespace

TEST_CASE("guide: the first net trains, is saved, loaded and judged") {
  const TemporaryFolder data, work;
  write_digits(data, few_digits(192, 40));
  const Ended ended = run_guide("first_net", work.path(), data.path().string());
  CHECK(ended.status == 0);
  CHECK(contains(ended.out, " of 40 are right\n"));
  CHECK(fs::exists(work.path() / "net.safetensors"));
}

TEST_CASE("guide: the tutorial trains a plain and a deformable net") {
  const TemporaryFolder data, work;
  write_digits(data, few_digits(192, 40));
  const Ended ended = run_guide("tutorial", work.path(), data.path().string());
  CHECK(ended.status == 0);
  CHECK(contains(ended.out, "\nplain: "));
  CHECK(contains(ended.out, "\ndeformable: "));
  CHECK(fs::exists(work.path() / "bent.safetensors"));
}

TEST_CASE("guide: every page says what its program prints") {
  std::set<std::string> said;
  for (const auto& entry : fs::directory_iterator(kGuide)) {
    if (entry.path().extension() != ".md") continue;
    for (const auto& output : outputs_of(entry.path())) {
      CAPTURE(output.first);
      const auto& [name, text] = output;
      const TemporaryFolder work;
      const Ended ended = run_guide(name, work.path(), "");
      CHECK(ended.status == 0);
      CHECK(ended.out == text);
      said.insert(name);
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(kGuide))
    if (const std::string name = entry.path().stem().string();
        entry.path().extension() == ".cpp" && name != "first_net")
      CHECK_MESSAGE(said.contains(name), name, ".cpp: no page says what it prints");
}
