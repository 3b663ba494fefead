#include <CLI/CLI.hpp>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/named_nets.h>

namespace pliant::mnist {
namespace {

struct Options {
  CommonOptions common;
  std::string weights;
};

Accuracies measured(const std::string& file, const Classifier& net, const TestSets& test,
                    Device device) {
  try {
    return evaluate(net, test, device);
  } catch (const Error& error) {
    fail(file, ": ", error.what());
  }
}

int run(const Options& options) {
  const Device device = options.common.set_up();
  std::vector<kit::NamedFile> read = options.common.data_files();
  read.push_back({"--weights", options.weights});
  kit::require_files_of_their_own({{"--json", options.common.json}}, read);
  kit::JsonFile file(options.common.json);
  const LoadedNet loaded = load_net(options.weights);
  loaded.net->to(device);
  const DigitSet digits = options.common.load_digits();
  const Accuracies accuracies =
      measured(options.weights, *loaded.net, make_test_sets(digits.test), device);
  std::cout << printable(options.weights) << " (" << loaded.named.title()
            << "): " << kit::percent(accuracies.mnist) << " plain, "
            << kit::percent(accuracies.scaled) << " scaled\n";
  file.write({{"mnist", accuracies.mnist}, {"scaled", accuracies.scaled}});
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const eval = app.add_subcommand("eval", "measure a saved net on both test sets");
  options->common.add_to(*eval);
  eval->add_option("--weights", options->weights, "a safetensors file: ours, or a released one")
      ->required();
  eval->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::mnist
