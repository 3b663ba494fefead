#include <CLI/CLI.hpp>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/table.h>

namespace pliant::mnist {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-mnist table run/results.json
  pliant-mnist table here/results.json there/results.json --json all.json    seeds of two machines)";

struct Options {
  std::vector<std::string> files;
  std::string json;
};

int run(const Options& options) {
  kit::JsonFile json(options.json);
  std::vector<Results> files;
  files.reserve(options.files.size());
  for (const std::string& file : options.files) files.push_back(read_results(file));
  const std::vector<Results> all = merged(files);
  const std::string other = all.size() > 1 ? difference(all[0].recipe, all[1].recipe) : "";
  require(options.json.empty() || all.size() == 1, "--json: expected results of one recipe, got ",
          all.size(), " recipes", other.empty() ? "" : ": ", other);
  bool first = true;
  for (const Results& results : all) {
    std::cout << (first ? "" : "\n") << "preset " << results.preset << ", " << results.dataset
              << '\n'
              << table_of(results, {"see pliant-mnist, with PLIANT_PUBLISHED", {}});
    if (nlohmann::ordered_json::parse(results.recipe).value("validate", false))
      std::cout << "measured on held-out training images\n";
    first = false;
  }
  json.write(json_of(all.front()));
  return 0;
}

}  // namespace

void add_table_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const table = app.add_subcommand(
      "table", "print results files, seeds as mean and deviation; those of one recipe together");
  table->footer(kExamples);
  table->add_option("files", options->files, "results.json of --checkpoint, or files of --json")
      ->required();
  table
      ->add_option("--json", options->json,
                   "write the rows of all these files to this one too; as results.json in the "
                   "folder of --checkpoint, a run can go on from it")
      ->check(kit::some_path());
  table->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::mnist
