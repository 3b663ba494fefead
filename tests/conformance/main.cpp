// pliant-conformance: holds the library against golden cases.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/program.h>
#include <pliant/tests/conformance/runner.h>

namespace {

using namespace pliant;
using namespace pliant::conformance;

constexpr int kUsage = 2;

constexpr const char* kFooter =
    "Exit code: 0 if at least one case was run and none failed, 1 otherwise, 2 for a command line\n"
    "that cannot be understood.\n\n"
    "Examples:\n"
    "  pliant-conformance tests/golden                 every shipped case, in float64\n"
    "  pliant-conformance --dtype f32 tests/golden     the same in float32\n"
    "  pliant-conformance tests/golden/conv2d__*       the cases of one op\n"
    "  pliant-conformance --strict --json report.json tests/golden";

struct Arguments {
  std::string device = "cpu", dtype = "f64", json;
  bool strict = false;
  std::vector<std::string> paths;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("--device", arguments.device, "Where the ops run")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--dtype", arguments.dtype, "In which precision")
      ->check(CLI::IsMember({"f64", "f32"}))
      ->capture_default_str();
  app.add_flag("--strict", arguments.strict, "A skipped case is a failure too");
  app.add_option("--json", arguments.json, "Write the report to this file as well")
      ->type_name("FILE");
  app.add_option("PATH", arguments.paths, "Cases, or folders of cases (*.safetensors, *.json)")
      ->type_name("");
  app.footer(kFooter);
}

int run(const Arguments& arguments) {
  const Target target{arguments.dtype == "f64" ? DType::float64 : DType::float32,
                      arguments.device == "cpu" ? Device::cpu() : Device::cuda()};
  std::vector<CaseResult> results;
  const std::vector<std::filesystem::path> paths(arguments.paths.begin(), arguments.paths.end());
  for (const std::filesystem::path& file : expand(paths))
    for (CaseResult& result : run_path(file, target)) results.push_back(std::move(result));
  print_report(std::cout, results);
  if (!arguments.json.empty()) write_json(arguments.json, results, target);
  return exit_code(count(results),
                   arguments.strict ? Strictness::no_skips : Strictness::skips_allowed);
}

int run(int argc, char** argv) {
  CLI::App app("Runs golden cases: one operator, its inputs and the exact answer in each file.",
               "pliant-conformance");
  Arguments arguments;
  app.set_version_flag("--version", "pliant-conformance " PLIANT_VERSION);
  declare(app, arguments);
  if (const auto status = kit::end_of_parsing(app, argc, argv, kUsage)) return *status;
  // Before anything runs: what is no file that can be replaced is an Error.
  if (!arguments.json.empty()) const AtomicFile proof("--json", arguments.json);
  return run(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  return pliant::run_program("pliant-conformance", [&] { return run(argc, argv); });
}
