// TrainingCheckpoint: a training under way in a file, from which it goes on bit for bit.
//
//   TrainingCheckpoint checkpoint("net.checkpoint", {{"lr", "0.001"}, {"seed", "1"}});
//   const TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}, .average = &average};
//   TrainingPosition at;
//   checkpoint.load(parts, at);  // goes on where it stood, if there is a file
//   while (at.step < steps) {
//     ..  // one step, by adam.set_lr(lr(at.step)), rng.fork(at.step), batch number at.step
//     ++at.step;
//     if (at.step % 1000 == 0) checkpoint.save(parts, at);
//   }
//   checkpoint.remove();  // once the net itself is saved
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/layers/module.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>

namespace pliant {

// What a training changes. Every optimizer has a name of its own, without '/'.
struct TrainingParts {
  Module& net;
  std::vector<std::pair<std::string, std::reference_wrapper<Optimizer>>> optimizers = {};
  MovingAverage* average = nullptr;
};

// Where a training stands. What follows from the recipe and the number of a step (learning rates,
// the keys of random layers, the order of batches) needs no place here beyond that number.
struct TrainingPosition {
  std::int64_t step = 0;              // of the schedule: steps done
  std::int64_t epoch = 0, batch = 0;  // of the loader: the next batch is this one of this epoch
  // By names of the program's own: random keys, numbers of any bits (infinities and NaN too), and
  // text.
  std::map<std::string, Rng> keys = {};
  std::map<std::string, std::int64_t> counts = {};
  std::map<std::string, double> numbers = {};
  std::map<std::string, std::string> texts = {};
};

// All that decides a training's bits besides what the file holds: the value of each option, say.
using TrainingRecipe = std::map<std::string, std::string>;

// "seed is 1 there and 2 here" for the first difference; empty if there is none.
std::string difference(const TrainingRecipe& there, const TrainingRecipe& here);

// A safetensors file with the parts and the position, protected by a checksum and written whole or
// not at all. Tensors may be on any device. It is for one process at a time: whoever cannot be sure
// of that holds a FileLock (core/file_lock.h) beside it.
class TrainingCheckpoint {
 public:
  TrainingCheckpoint(std::filesystem::path file, const TrainingRecipe& recipe);

  const std::filesystem::path& file() const& { return file_; }

  void save(const TrainingParts& parts, const TrainingPosition& position) const;
  // Fills the parts and the position and returns true; false, with nothing changed, if there is no
  // file. The net must have been initialised, in the dtype that it had. A damaged file, one of
  // another recipe or version, or with other parts is an Error, and then nothing is changed.
  // `check`, if given, sees the position first and may refuse it by an Error, too.
  bool load(const TrainingParts& parts, TrainingPosition& position,
            const std::function<void(const TrainingPosition&)>& check = {}) const;
  void remove() const;

 private:
  std::filesystem::path file_;
  TrainingRecipe recipe_;
};

// An Error if something other than a checkpoint stands at `file`; fine if nothing does.
void require_training_checkpoint(const std::filesystem::path& file);

}  // namespace pliant
