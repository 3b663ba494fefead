#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/segment/commands.h>
#include <pliant/apps/segment/judge.h>
#include <pliant/apps/segment/view_options.h>

namespace pliant::segment {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-segment eval streets --weights net.safetensors
  pliant-segment eval streets --weights net.safetensors --on val --flip --scales 0.75,1,1.25)";

struct Options {
  kit::ComputeOptions compute;
  ViewOptions view;
  std::string data, weights, on = "auto";
  bool example = false;
};

const PictureSet& judged_set(const PictureSets& sets, const Options& options) {
  if (options.on == "train") return sets.train;
  if (options.on == "val" || (options.on == "auto" && sets.test.size() == 0)) return sets.val;
  require(sets.test.size() > 0, sets.source, ": has no test set");
  return sets.test;
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  const InferenceOptions inference = options.view.inference(device);
  kit::require_files_of_their_own({{"--json", options.compute.json}},
                                  {{"--weights", options.weights}});
  kit::JsonFile file(options.compute.json);
  require(options.example != !options.data.empty(),
          options.example ? "--example: takes no DATA" : "DATA is missing; see --help");
  const LoadedNet loaded = load_net(options.weights);
  loaded.net->to(device);
  const PictureSets sets = options.example ? example_pictures({}) : open_pictures(options.data, {});
  require(sets.classes == loaded.recipe.classes, sets.source, ": its ", sets.classes.size(),
          " classes are not the ", loaded.recipe.classes.size(), " of the net");
  const Judgement judgement =
      judge(*loaded.net, loaded.recipe, judged_set(sets, options), inference);
  std::cout << table_of(judgement, loaded.recipe);
  file.write(json_of(judgement, loaded.recipe));
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const eval = app.add_subcommand("eval", "judge a trained net on pictures with masks");
  eval->footer(kExamples);
  eval->add_option("DATA", options->data, "as for training");
  eval->add_flag("--example", options->example, "scenes drawn by program instead of DATA");
  eval->add_option("--weights", options->weights, "a file of pliant-segment")->required();
  eval->add_option("--on", options->on, "which set; auto: test, or val where there is none")
      ->check(CLI::IsMember({"auto", "train", "val", "test"}))
      ->capture_default_str();
  options->view.add_to(*eval);
  options->compute.add_to(*eval);
  eval->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::segment
