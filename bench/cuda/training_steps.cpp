// A whole step of the digit nets: forward, cross-entropy, gradients, Adam.
#include <pliant/apps/mnist/nets.h>
#include <pliant/bench/cuda/measure.h>

namespace pliant::bench {
namespace {

void add_step(Measurements& to, Deform deform, std::int64_t batch) {
  const std::string name = std::string("training step, ") +
                           (deform == Deform::none ? "regular" : name_of(deform)) + " net, batch " +
                           std::to_string(batch);
  if (!to.wants(name)) return;
  DigitNet net(deform);
  net.initialise(Rng(1));
  net.to(to.device());
  Adam adam(net.parameters(), {.lr = 1e-3});
  const Tensor images = normal({batch, 28, 28, 1}, 1, to.device());
  Tensor labels = Tensor::empty({batch}, DType::int64);
  for (std::int64_t i = 0; i < batch; ++i) labels.mutable_data<std::int64_t>()[i] = i % 10;
  labels = labels.to(to.device());
  to.add(name, 0, [&](int) {
    const Tape tape;
    const Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
    adam.step(tape.gradients(loss));
  });
}

}  // namespace

void add_training_steps(Measurements& to) {
  for (const Deform deform : {Deform::none, Deform::dcn2})
    for (const std::int64_t batch : {32, 128, 1024}) add_step(to, deform, batch);
}

}  // namespace pliant::bench
