// A whole step of the digit nets: forward, cross-entropy, gradients, Adam.
#include <pliant/apps/mnist/nets.h>
#include <pliant/bench/cuda/measure.h>
#include <pliant/core/capture.h>
#include <pliant/layers/train/schedule.h>

namespace pliant::bench {
namespace {

constexpr std::int64_t kSteps = 1 << 20;  // more than a measurement takes

// Eager, and captured: there every step reads its number and learning rate on the device.
void add_step(Measurements& to, mnist::Deform deform, std::int64_t batch) {
  const std::string name = std::string("training step, ") +
                           (deform == mnist::Deform::none ? "regular" : name_of(deform)) +
                           " net, batch " + std::to_string(batch);
  if (!to.wants(name) && !to.wants(name + ", captured")) return;
  mnist::DigitNet net(deform);
  net.initialise(Rng(1));
  net.to(to.device());
  Adam adam(net.parameters(), {.lr = 1e-3});
  const Tensor images = normal({batch, 28, 28, 1}, 1, to.device());
  Tensor labels = Tensor::empty({batch}, DType::int64);
  for (std::int64_t i = 0; i < batch; ++i) labels.mutable_data<std::int64_t>()[i] = i % 10;
  labels = labels.to(to.device());
  const auto gradients = [&](const Tape& tape) {
    return tape.gradients(softmax_cross_entropy(net(tape.input(images)), labels));
  };
  if (to.wants(name)) {
    to.add(name, 0, [&](int) {
      const Tape tape({.activations = to.dtype()});
      adam.step(gradients(tape));
    });
  }
  if (!to.wants(name + ", captured")) return;
  const StepState state(to.device(), {.lr = constant_lr(1e-3), .steps = kSteps});
  CapturedStep step = capture(to.device(), [&] {
    const Tape tape({.step = state, .activations = to.dtype()});
    adam.step(gradients(tape), state);
    state.advance();
  });
  to.add(name + ", captured", 0, [&](int) { step.replay(); });
}

}  // namespace

void add_training_steps(Measurements& to) {
  for (const mnist::Deform deform : {mnist::Deform::none, mnist::Deform::dcn2})
    for (const std::int64_t batch : {32, 128, 1024}) add_step(to, deform, batch);
}

}  // namespace pliant::bench
