#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/detect/coco_json.h>
#include <pliant/apps/detect/commands.h>
#include <pliant/apps/detect/options.h>
#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>

namespace pliant::detect {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-detect eval cells --weights net.safetensors
  pliant-detect eval cells --weights net.safetensors --split val --json figures.json
  pliant-detect eval cells --weights net.safetensors --coco found.json --coco-truth truth.json)";

struct Options {
  kit::ComputeOptions compute;
  SetOptions sets;
  FindOptions find;
  std::string weights, split, coco, coco_truth;
};

const PictureSet& judged_set(const PictureSets& sets, const std::string& split) {
  if (split == "train") return sets.train;
  if (split == "val") return sets.val;
  require(split != "test" || sets.test.size() > 0, "--split: ", printable(sets.source),
          " has no test");
  return sets.test.size() > 0 ? sets.test : sets.val;
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  kit::require_files_of_their_own({{"--json", options.compute.json},
                                   {"--coco", options.coco},
                                   {"--coco-truth", options.coco_truth}},
                                  {{"--weights", options.weights}});
  kit::JsonFile json_file(options.compute.json), found_file(options.coco),
      truth_file(options.coco_truth);
  const LoadedNet loaded = load_net(options.weights, options.find);
  loaded.net->to(device);
  const PictureSets sets = options.sets.open();
  require(sets.classes == loaded.recipe.classes, printable(sets.source), ": its ",
          sets.classes.size(), " classes are not the ", loaded.recipe.classes.size(),
          " of the net");
  const PictureSet& judged = judged_set(sets, options.split);
  const Judgement judgement = judge(*loaded.net, loaded.recipe, judged, device);
  std::cout << table_of(judgement, loaded.recipe);
  json_file.write(json_of(judgement, loaded.recipe));
  if (!options.coco.empty()) found_file.write(coco_results(judgement, sets, judged));
  if (!options.coco_truth.empty()) truth_file.write(coco_truth(judgement, sets, judged));
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const eval = app.add_subcommand("eval", "judge a trained net on pictures with boxes");
  eval->footer(kExamples);
  options->sets.add_to(*eval);
  eval->add_option("--weights", options->weights, "a file of pliant-detect")->required();
  eval->add_option("--split", options->split, "(test, or val where there is no test)")
      ->check(CLI::IsMember({"train", "val", "test"}));
  add_find_options(*eval, options->find);
  eval->add_option("--coco", options->coco, "write what is found as COCO's results")
      ->check(kit::some_path());
  eval->add_option("--coco-truth", options->coco_truth, "write what was to be found as COCO's JSON")
      ->check(kit::some_path());
  options->compute.add_to(*eval);
  eval->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::detect
