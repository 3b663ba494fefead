#include <iostream>

#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/report.h>

namespace pliant {
namespace {

int run(const std::vector<std::string>& files) {
  std::vector<Results> all;
  all.reserve(files.size());
  for (const std::string& file : files) all.push_back(read_results(file));
  bool first = true;
  for (const Results& results : merged(all)) {
    std::cout << (first ? "" : "\n") << "preset " << results.preset << ", " << results.dataset
              << '\n'
              << table_of(results, {"see pliant-mnist, with PLIANT_PUBLISHED", {}});
    if (results.recipe.value("validate", false))
      std::cout << "measured on held-out training images\n";
    first = false;
  }
  return 0;
}

}  // namespace

void add_table_command(CLI::App& app, Command& chosen) {
  const auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* const table = app.add_subcommand(
      "table", "print results files, seeds as mean and deviation; those of one recipe together");
  table->add_option("files", *files, "results.json of --checkpoint, or files of --json")
      ->required();
  table->callback([files, &chosen] { chosen = [files] { return run(*files); }; });
}

}  // namespace pliant
