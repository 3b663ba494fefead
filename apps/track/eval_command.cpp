#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/track/commands.h>
#include <pliant/apps/track/judge.h>
#include <pliant/apps/track/options.h>
#include <pliant/apps/track/results.h>

namespace pliant::track {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-track eval vot --weights net.safetensors
  pliant-track eval vot --weights net.safetensors --split val --json figures.json
  pliant-track eval vot --weights net.safetensors --results results   text files of OTB and VOT
  pliant-track eval vot --weights net.safetensors --protocol pysot   its expected overlap
  pliant-track eval vot --tracker stay                    correlation, centre: trackers without a net)";

struct Options {
  kit::ComputeOptions compute;
  SetOptions sets;
  std::string weights, tracker, split, results, protocol = "vot";
};

Videos judged_videos(const VideoSets& sets, const std::string& split) {
  if (split == "train") return sets.train;
  if (split == "val") return sets.val;
  if (split == "all") {
    Videos all = sets.train;
    all.insert(all.end(), sets.val.begin(), sets.val.end());
    all.insert(all.end(), sets.test.begin(), sets.test.end());
    return all;
  }
  require(split != "test" || !sets.test.empty(), "--split: ", printable(sets.source),
          " has no test");
  return sets.test.empty() ? sets.val : sets.test;
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  kit::require_files_of_their_own({{"--json", options.compute.json}},
                                  {{"--weights", options.weights}});
  kit::JsonFile json_file(options.compute.json);
  require(options.weights.empty() != options.tracker.empty(), "--weights: is ",
          options.weights.empty() ? "missing" : "given beside --tracker",
          ", expected one of the two");
  LoadedNet loaded;
  std::unique_ptr<Tracker> tracker;
  if (options.tracker.empty()) {
    loaded = load_net(options.weights);
    loaded.net->to(device);
    tracker = std::make_unique<NetTracker>(*loaded.net, loaded.recipe, device);
  } else {
    tracker = trivial_tracker(options.tracker);
  }
  Judgement judgement = judge(*tracker, judged_videos(options.sets.open(), options.split));
  if (options.protocol == "pysot") judgement.protocol = ResetProtocol::pysot;
  std::cout << table_of(judgement);
  nlohmann::ordered_json json = json_of(judgement);
  json["protocol"] = options.protocol;
  json["expected_overlap_curve"] = judgement.expected_overlap_curve();
  json_file.write(json);
  if (!options.results.empty()) write_results(options.results, judgement);
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const eval = app.add_subcommand("eval", "judge a tracker on sequences");
  eval->footer(kExamples);
  options->sets.add_to(*eval);
  eval->add_option("--weights", options->weights, "a file of pliant-track")
      ->check(kit::some_path());
  eval->add_option("--tracker", options->tracker, "one without a net instead")
      ->check(CLI::IsMember(trivial_names()));
  eval->add_option("--split", options->split, "(test, or val where there is no test)")
      ->check(CLI::IsMember({"train", "val", "test", "all"}));
  eval->add_option("--results", options->results, "write boxes into this folder, as OTB and VOT")
      ->check(kit::some_path());
  eval->add_option("--protocol", options->protocol,
                   "of the expected overlap; pysot counts the frame of a new start as the end of "
                   "what failed before, vot does not")
      ->check(CLI::IsMember({"vot", "pysot"}))
      ->capture_default_str();
  options->compute.add_to(*eval);
  eval->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::track
