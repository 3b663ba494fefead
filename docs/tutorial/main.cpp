// A plain and a deformable net on digits of all sizes: docs/tutorial.md.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

// Middle is Conv2d or DeformConv2d.
template <class Middle>
struct Net : Module {
  Conv2d conv1 = own("conv1", Conv2d(1, 16, {.padding = 1, .bias = Bias::no}));
  BatchNorm2d norm1 = own("norm1", BatchNorm2d(16));
  Middle conv2 = own("conv2", Middle(16, 32, {.stride = 2, .padding = 1}));
  BatchNorm2d norm2 = own("norm2", BatchNorm2d(32));
  Conv2d conv3 = own("conv3", Conv2d(32, 64, {.stride = 2, .padding = 1}));
  Linear head = own("head", Linear(64, 10));

  Var operator()(const Var& images) const {
    const Var h = relu(norm2(conv2(relu(norm1(conv1(images))))));
    return head(global_avg_pool2d(relu(conv3(h))));
  }
};

// Every digit is shrunk, stretched and shifted at random, anew in each epoch.
const ScaleAugmentation kScaling = {};

template <class N>
void train(N& net, const LabelledImages& digits, const Rng& rng, std::int64_t epochs) {
  const Batches batches(digits, {.size = 64,
                                 .shuffle = rng.fork("shuffle"),
                                 .augment = AugmentOptions{kScaling, rng.fork("scaling")}});
  Adam adam(net.parameters());
  const std::int64_t steps = epochs * batches.count();
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch)
    for (const LabelledImages& batch : batches.epoch(epoch)) {
      const Tape tape;
      const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
      adam.set_lr(one_cycle_lr(step++, {.max_lr = 0.02, .total_steps = steps}));
      adam.step(tape.gradients(loss));
      if (step % 200 == 0) std::cout << "  step " << step << ": loss " << loss.item() << '\n';
    }
}

template <class N>
double share_right(const N& net, const LabelledImages& digits) {
  std::int64_t right = 0;
  for (const LabelledImages& batch : Batches(digits, {.size = 500}).epoch(0))
    right += count_right(net(batch.images), batch.labels);
  return static_cast<double>(right) / static_cast<double>(digits.size());
}

int main() {
  const Rng rng(1);
  const DigitSet digits = find_digits();
  std::cout << "data: " << digits.source << '\n';
  const LabelledImages scaled{scale_images(digits.test.images, kScaling, rng.fork("test")),
                              digits.test.labels};

  Net<Conv2d> plain;
  plain.initialise(rng.fork("net"));
  std::cout << summary(plain, {1, 28, 28, 1}) << "plain:\n";
  train(plain, digits.train, rng, 2);
  std::cout << "plain: " << 100 * share_right(plain, scaled) << " % right\n";

  // The deformable twin begins as the plain net at its first step: the same key by the same paths.
  Net<DeformConv2d> bent;
  bent.initialise(rng.fork("net"));
  std::cout << "deformable:\n";
  train(bent, digits.train, rng, 2);
  std::cout << "deformable: " << 100 * share_right(bent, scaled) << " % right\n";
  bent.save("bent.safetensors");
}
