// A step of fixed shapes that is recorded once and replayed: on the GPU as a CUDA graph, which
// spares the launches of its kernels one by one.
//
//   StepState state(device, {.lr = one_cycle_lr({...}), .steps = steps});
//   CapturedStep step = capture(device, [&] {
//     Tape tape({.rng = rng.fork("tape"), .step = state});
//     const LabelledImages batch = batches.at(state);
//     adam.step(tape.gradients(loss_of(tape, batch)), state);
//     state.advance();
//   });
//   for (...) step.replay();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <pliant/core/device.h>

namespace pliant {

// k replays do, bit for bit, what k calls of the function would, provided that
// - whatever differs from step to step is read from a StepState, or from tensors that are changed
//   in place between replays,
// - shapes stay, and what lives on from step to step is changed in place: parameters, buffers and
//   the optimizer's memory are,
// - nothing is read on the host: item(), to_vector() and a copy to the host are Errors in a replay,
//   on the CPU too, so that what runs here runs there.
// A tensor that the function leaves in a variable of the caller's holds the values of this step's
// last replay. On the CPU a replay calls the function. On the GPU the first one does, so that
// whatever is made at first use gets made; the second calls it once more while the stream records,
// launches the recording, and so do all that follow. Its memory is its own until the CapturedStep
// is gone.
class CapturedStep {
 public:
  CapturedStep(CapturedStep&&) noexcept;
  CapturedStep& operator=(CapturedStep&&) noexcept;
  ~CapturedStep();

  // An Error of the function comes out of here. Not for use within another replay.
  void replay();

  struct State;

 private:
  friend CapturedStep capture(Device device, std::function<void()> step);
  explicit CapturedStep(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

CapturedStep capture(Device device, std::function<void()> step);

// For what steps are made of. All of it is about the calling thread.
//
// f is what a step does on the host beside queueing work, say counting: called now, or while the
// stream records kept and called before every launch.
void at_every_replay(std::function<void()> f);
// An Error that begins with `op` within a replay.
void require_no_replay(const char* op);
// The same only while the stream records.
void require_not_recording(const char* op);

namespace cuda {
class Graph;
// From begin to end, what is queued is recorded and not done; memory comes from the graph's own.
Graph* begin_recording();
void end_recording(Graph* graph);
void launch(Graph* graph);
void destroy(Graph* graph);  // also in the middle of its recording
}  // namespace cuda

}  // namespace pliant
