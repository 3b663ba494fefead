#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/train/commands.h>
#include <pliant/apps/train/nets.h>
#include <pliant/layers/train/summary.h>

namespace pliant::train {
namespace {

struct Options {
  std::string weights;
  NetRecipe recipe;
  std::int64_t classes = 10;
};

int run(Options options) {
  std::unique_ptr<kit::Classifier> net;
  if (!options.weights.empty()) {
    LoadedNet loaded = load_net(options.weights);
    net = std::move(loaded.net);
    options.recipe = std::move(loaded.recipe);
  } else {
    complete(options.recipe);
    for (std::int64_t i = 0; i < options.classes; ++i)
      options.recipe.classes.push_back(std::to_string(i));
    net = make_net(options.recipe);
    net->initialise(Rng(1));
  }
  std::cout << options.recipe.title() << ", images of " << options.recipe.size << " x "
            << options.recipe.size << ", " << options.recipe.classes.size() << " classes\n"
            << summary(*net,
                       {1, options.recipe.size, options.recipe.size, options.recipe.channels});
  return 0;
}

}  // namespace

void add_summary_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const summary = app.add_subcommand("summary", "what a net is made of, and its cost");
  summary->add_option("--weights", options->weights, "a file of pliant-train; or")
      ->check(kit::some_path());
  summary->add_option("--net", options->recipe.net, "a net by name, or a JSON file of layers")
      ->capture_default_str();
  summary->add_option("--deformable", options->recipe.deformable)->capture_default_str();
  summary->add_option("--size", options->recipe.size)
      ->transform(kit::whole_number(8, 4096))
      ->capture_default_str();
  summary->add_option("--classes", options->classes)
      ->transform(kit::whole_number(2, 65536))
      ->capture_default_str();
  summary->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::train
