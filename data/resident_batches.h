// ResidentBatches: a set of images that lives whole on a device, cut into batches there by the
// number of a StepState: for steps that are captured.
//
//   ResidentBatches batches(train, {.size = 64, .shuffle = rng, .device = device}, epochs);
//   StepState state(device, {.lr = lr, .steps = epochs * batches.count()});
//   CapturedStep step = capture(device, [&] { const LabelledImages batch = batches.at(state); ... });
#pragma once

#include <cstdint>

#include <pliant/core/step_state.h>
#include <pliant/data/batches.h>

namespace pliant {

class ResidentBatches {
 public:
  // The same images in the same order as Batches of these options gives for epochs 0, 1, ..
  // epochs-1, of which step t takes batch t % count() of epoch t / count(); a scaled pixel may
  // differ by rounding on another device. Impossible options are Errors; `ahead` plays no part.
  ResidentBatches(const LabelledImages& set, const BatchOptions& options, std::int64_t epochs);

  std::int64_t count() const;                     // batches of an epoch
  std::int64_t size_of(std::int64_t step) const;  // images of that step's batch

  // The batch of the state's step. A captured step has size_of() it had when it was recorded: where
  // the last batch of an epoch is smaller, it takes a second step.
  LabelledImages at(const StepState& state) const;

 private:
  BatchOptions options_;
  std::int64_t steps_, set_size_;  // of all epochs; of one
  Tensor images_, labels_;         // on the device
  Tensor order_;                   // int64 [epochs N]; undefined: as they come
};

}  // namespace pliant
