#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/track/commands.h>
#include <pliant/apps/track/options.h>
#include <pliant/apps/track/tuning.h>
#include <pliant/core/file_lock.h>
#include <pliant/core/file_name.h>
#include <pliant/data/digest.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
Follows the targets of val.txt (of the sequences held out, where there is none) with one set of
penalties after the other: what a change of size costs, the share of the window in a score, and how
fast the size follows. Those with the best AUC there are written into the net's file, from which
eval and run take them. The first try is what the file has; the test sequences choose nothing.

examples:
  pliant-track tune vot --weights net.safetensors
  pliant-track tune vot --weights net.safetensors --tries 100 --out tuned.safetensors
  pliant-track tune vot --weights net.safetensors --resume       after an interrupt)";

struct Options {
  kit::ComputeOptions compute;
  SetOptions sets;
  std::string weights, out;
  std::int64_t tries = 40;
  std::uint64_t seed = 1;
  bool resume = false;
};

// Of the net's numbers: penalties, which stand beside them in a file, are none of them.
std::string digest_of(const SiamRPN& net) {
  ContentDigest digest;
  for (const auto& entry : net.state()) {
    const std::span<const float> values = entry.second.span<float>();
    digest.update(reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes());
  }
  return std::to_string(digest.finish().crc32);
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  const std::filesystem::path out = options.out.empty() ? options.weights : options.out,
                              beside = with_suffix(out, ".tries");
  kit::require_files_of_their_own(
      {{"the tries beside --out", beside}, {"--json", options.compute.json}},
      {{"--weights", options.weights}});
  const FileLock lock(with_suffix(out, ".lock"), "--out: another process is writing this file");
  std::error_code error;
  require(options.resume || !std::filesystem::exists(beside, error), beside.string(),
          ": holds earlier tries; add --resume to go on with them, or delete it");
  kit::JsonFile json_file(options.compute.json);
  const LoadedNet loaded = load_net(options.weights);
  const VideoSets sets = options.sets.open();
  const TryFile file(beside, kit::dump_json(Json{{"net", digest_of(*loaded.net)},
                                                 {"data", sets.source},
                                                 {"sequences", sets.val.size()},
                                                 {"seed", options.seed}}));
  std::vector<Try> tries = file.read();
  loaded.net->to(device);
  double frames = 0;
  for (const Video& video : sets.val) frames += static_cast<double>(video.size());
  const auto left =
      static_cast<double>(std::max<std::int64_t>(0, options.tries - std::ssize(tries)));
  kit::Progress progress(left * frames);
  {
    const kit::StopOnSignal stop;
    tune(*loaded.net, loaded.recipe, sets.val, options.tries, Rng(options.seed).fork("tries"),
         device, tries, file, progress);
  }
  progress.clear();
  const Try& best = best_of(tries);
  save_net(out, *loaded.net, with(loaded.recipe, best));
  std::cout << table_of(tries) << printable(out.string()) << ": penalty " << best.penalty
            << ", window " << best.window << ", rate " << best.rate << "; AUC on val "
            << fixed(best.auc, 3) << ", as it was " << fixed(tries.front().auc, 3) << '\n';
  Json all = Json::array();
  for (const Try& one : tries) all.push_back(json_of(one));
  json_file.write({{"data", sets.source},
                   {"val", sets.val.size()},
                   {"seed", options.seed},
                   {"tries", all},
                   {"best", json_of(best)}});
  file.remove();
  return 0;
}

}  // namespace

void add_tune_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const tune = app.add_subcommand("tune", "search a net's penalties on val");
  tune->footer(kExamples);
  options->sets.add_to(*tune);
  tune->add_option("--weights", options->weights, "a file of pliant-track")
      ->check(kit::some_path())
      ->required();
  tune->add_option("--out", options->out, "where the net goes with what was found (--weights)")
      ->check(kit::some_path());
  tune->add_option("--tries", options->tries, "sets of penalties, what the net has among them")
      ->transform(kit::positive_count())
      ->capture_default_str();
  tune->add_option("--seed", options->seed, "of what is tried")
      ->transform(kit::whole_number(0))
      ->capture_default_str();
  tune->add_flag("--resume", options->resume, "go on with interrupted tries of --out");
  options->compute.add_to(*tune);
  tune->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::track
