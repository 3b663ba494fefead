// Where things live and run: the same program on the CPU and on a GPU.
#include <pliant/pliant.h>

#include <cmath>
#include <iostream>
using namespace pliant;

int main() {
  const Device device = Device::best();  // the first GPU, else the CPU
  const Rng rng(1);
  Sequential net(Conv2d(1, 8, {.padding = 1}), Relu(), GlobalAvgPool2d(), Linear(8, 10));
  net.initialise(rng.fork("net"));
  net.to(device);

  Adam adam(net.parameters());  // after the move: its memory lives where the parameters do
  const LabelledImages digits = make_digits(256, rng.fork("digits"));
  const Batches batches(digits, {.size = 64, .shuffle = rng.fork("shuffle"), .device = device});
  double loss_sum = 0;
  for (const LabelledImages& batch : batches.epoch(0)) {
    const Tape tape({.activations = DType::bfloat16});  // mixed precision: weights stay float32
    const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
    adam.step(tape.gradients(loss));
    loss_sum += loss.item();  // waits for the device
  }
  std::cout << std::boolalpha << "finite: " << std::isfinite(loss_sum) << '\n';

  net.to(Device::cpu());
  net.save("net.safetensors");  // from any device; read back on any
}
