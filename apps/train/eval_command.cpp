#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/train/commands.h>
#include <pliant/apps/train/judge.h>
#include <pliant/core/text.h>

namespace pliant::train {
namespace {

struct Options {
  kit::ComputeOptions compute;
  std::string data, weights;
};

// Its test pictures, else its val pictures, else all that DATA has.
struct Judged {
  const PictureSet& pictures;
  const char* which;
};
Judged judged_set(const PictureSets& sets) {
  if (sets.test.size() > 0) return {sets.test, "its test pictures"};
  if (sets.val.size() > 0) return {sets.val, "its val pictures; it has no test"};
  return {sets.train, "all its pictures; it has neither test nor val"};
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  kit::require_files_of_their_own({{"--json", options.compute.json}},
                                  {{"--weights", options.weights}});
  kit::JsonFile file(options.compute.json);
  const LoadedNet loaded = load_net(options.weights);
  loaded.net->to(device);
  const PictureSets sets = open_pictures(options.data, {.val = 0});
  require(sets.classes == loaded.recipe.classes, options.data, ": its ", sets.classes.size(),
          " classes are not the ", loaded.recipe.classes.size(), " of the net");
  const Judged judged = judged_set(sets);
  std::cout << printable(options.data) << ": " << judged.which << '\n';
  const Judgement judgement =
      judge(*loaded.net, judged.pictures, loaded.recipe, {.device = device});
  std::cout << table_of(judgement, loaded.recipe);
  file.write(json_of(judgement, loaded.recipe));
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const eval = app.add_subcommand("eval", "judge a trained net on pictures");
  eval->add_option("DATA", options->data,
                   "as for training; its test pictures, else val, else all of them")
      ->required();
  eval->add_option("--weights", options->weights, "a file of pliant-train")->required();
  options->compute.add_to(*eval);
  eval->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::train
