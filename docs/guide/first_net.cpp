#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct DeformNet : Module {
  Conv2d stem = own("stem", Conv2d(1, 32, {.kernel = 3, .padding = 1}));
  BatchNorm2d norm = own("norm", BatchNorm2d(32));
  DeformConv2d deform = own("deform", DeformConv2d(32, 64, {.stride = 2, .padding = 1}));
  Linear head = own("head", Linear(64, 10));

  Var operator()(const Var& images) const {
    return head(global_avg_pool2d(relu(deform(relu(norm(stem(images)))))));
  }
};

int main() try {
  const DigitSet digits = find_digits();  // MNIST from PLIANT_DATA, the cache or the network
  const Rng rng(1);
  DeformNet net;
  net.initialise(rng.fork("net"));
  Adam adam(net.parameters(), {.lr = 5e-3});
  const Batches batches(digits.train, {.size = 64, .shuffle = rng.fork("shuffle")});
  for (const LabelledImages& batch : batches.epoch(0)) {
    const Tape tape;
    const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
    adam.step(tape.gradients(loss));
  }
  net.save("net.safetensors");

  DeformNet again;
  again.load("net.safetensors");
  std::int64_t right = 0;
  for (const LabelledImages& batch : Batches(digits.test, {.size = 500}).epoch(0))
    right += count_right(again(batch.images), batch.labels);
  std::cout << digits.source << ": " << right << " of " << digits.test.size() << " are right\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
