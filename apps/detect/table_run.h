// One run of a table: a net is trained, judged and kept.
#pragma once

#include <filesystem>
#include <string>

#include <pliant/apps/detect/options.h>
#include <pliant/apps/detect/robustness.h>
#include <pliant/apps/detect/runs.h>
#include <pliant/apps/kit/progress.h>

namespace pliant::detect {

struct TableOptions {
  TrainOptions common;
  std::filesystem::path folder;  // in which all is kept
  std::string commit, command;   // which each run keeps
  bool on_val = false;           // judged on val, to choose by
  int draws = 3;                 // of each transform; 0: none
};

class TableRuns {
 public:
  TableRuns(const TableOptions& options, const PictureSets& sets, Device device);

  // Pictures that training and judging a net will take, in pictures trained on.
  double cost() const;
  // The run of that name in the folder, or a new one, which goes on where an earlier process was
  // stopped. One that was made otherwise is an Error.
  Run run(const TableArm& arm, std::uint64_t seed, kit::Progress& progress) const;

  const PictureSet& judged() const { return options_.on_val ? sets_.val : sets_.test; }
  std::filesystem::path weights_of(const Run& run) const { return file_of(run, ".safetensors"); }

 private:
  std::filesystem::path file_of(const Run& run, const char* ending) const {
    return options_.folder / (run.name() + ending);
  }
  Run named(const TableArm& arm, std::uint64_t seed) const;
  // With the preset and the augmentation of an arm.
  TrainOptions options_of(const TableArm& arm) const;
  Trained trained(const Run& run, const TrainOptions& options, const NetRecipe& recipe,
                  const TrainingPlan& plan, kit::Progress& progress) const;
  void measure(Run& run, const TrainingPlan& plan, kit::Progress& progress) const;

  const TableOptions& options_;
  const PictureSets& sets_;
  Device device_;
};

}  // namespace pliant::detect
