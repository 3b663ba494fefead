#include <pliant/pliant.h>

#include <iostream>

using namespace pliant;

namespace {

Sequential make_net() {
  return Sequential(Conv2d(1, 16, {.padding = 1, .bias = Bias::no}), BatchNorm2d(16), Relu(),
                    MaxPool2d(), Conv2d(16, 32, {.padding = 1}), Relu(), GlobalAvgPool2d(),
                    Dropout(0.1), Linear(32, 10));
}

void train(const Group& group) {
  const Rng rng(1);
  const LabelledImages digits = make_digits(1200, rng.fork("digits"));  // drawn, not MNIST
  Sequential net = make_net();
  net.initialise(rng.fork("net"));
  group.broadcast(net);  // rank 0's, should they differ
  Adam adam(net.parameters(), {.lr = 2e-2});

  // A step's batch of 96 is 12 parts of 8, which the ranks share.
  DataParallel parallel(group, net);
  const Batches batches(
      digits, parallel.share(BatchOptions{.size = 8, .shuffle = rng.fork("shuffle"), .parts = 12}));
  std::uint64_t number = 0;
  for (std::int64_t epoch = 0; epoch < 6; ++epoch)
    for (const auto& step : batches.steps(epoch))
      adam.step(parallel.gradients(step.share, step.batches, {.rng = rng.fork(number++)},
                                   [&](const Tape& tape, const LabelledImages& part) {
                                     return softmax_cross_entropy(net(tape.input(part.images)),
                                                                  part.labels);
                                   }));

  if (!group.leads()) return;  // the others have the same net
  net.save("digits.safetensors");
  std::cout << number << " steps; the loss fell below 2: " << std::boolalpha
            << (parallel.loss() < 2) << '\n';
}

}  // namespace

int main() { return Group::run(train); }
