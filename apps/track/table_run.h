// One run of a table: a net is trained, judged and kept.
#pragma once

#include <filesystem>
#include <string>

#include <pliant/apps/kit/progress.h>
#include <pliant/apps/track/options.h>
#include <pliant/apps/track/runs.h>

namespace pliant::track {

struct TableOptions {
  TrainOptions common;
  std::filesystem::path folder;  // in which all is kept
  std::string commit, command;   // which each run keeps
  bool on_val = false;           // judged on val, to choose by
};

class TableRuns {
 public:
  TableRuns(const TableOptions& options, const VideoSets& sets, Device device);

  double cost() const;  // of a run, in pairs trained on
  // The run of that name in the folder, or a new one, which goes on where an earlier process was
  // stopped. One that was made otherwise is an Error.
  Run run(const std::string& arm, std::uint64_t seed, kit::Progress& progress) const;
  // Of a tracker without a net.
  Run trivial(const std::string& name) const;

  const Videos& judged() const { return options_.on_val ? sets_.val : sets_.test; }
  std::filesystem::path weights_of(const Run& run) const { return file_of(run, ".safetensors"); }

 private:
  std::filesystem::path file_of(const Run& run, const char* ending) const {
    return options_.folder / (run.name() + ending);
  }
  Run named(const std::string& preset, const std::string& arm, std::uint64_t seed) const;
  // Reads the run if it is there; one that was made otherwise is an Error.
  bool read(Run& run) const;
  Trained trained(const Run& run, const NetRecipe& recipe, const TrainingPlan& plan,
                  kit::Progress& progress) const;

  const TableOptions& options_;
  const VideoSets& sets_;
  Device device_;
};

}  // namespace pliant::track
