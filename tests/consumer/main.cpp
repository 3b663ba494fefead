// A net that bends, trained for a few steps: every part of the library that a stranger meets.
#include <iostream>

#include <pliant/pliant.h>

using namespace pliant;

int unused_conversion(long number) { return number; }  // warns only under the library's own flags

struct Net : Module {
  Conv2d stem = own("stem", Conv2d(1, 8, {.kernel = 3, .padding = 1}));
  BatchNorm2d norm = own("norm", BatchNorm2d(8));
  DeformConv2d deform = own("deform", DeformConv2d(8, 16, {.kernel = 3, .padding = 1}));
  Linear head = own("head", Linear(16, 2));

  Var operator()(const Var& images) const {
    return head(global_avg_pool2d(relu(deform(relu(norm(stem(images)))))));
  }
};

int main() {
  const Tensor tensor = from_eigen(Eigen::Matrix2f::Identity() * 3.0F);
  if (tensor.span<float>()[3] != 3.0F) return 1;

  Tensor images = Tensor::zeros({8, 12, 12, 1});  // bright to the left, or to the right
  Tensor labels = Tensor::zeros({8}, DType::int64);
  for (std::size_t i = 0; i < 8; ++i) {
    labels.mutable_span<std::int64_t>()[i] = static_cast<std::int64_t>(i % 2);
    for (std::size_t row = 0; row < 12; ++row)
      for (std::size_t column = 0; column < 6; ++column)
        images.mutable_span<float>()[(i * 12 + row) * 12 + column + i % 2 * 6] = 1;
  }
  Net net;
  net.initialise(Rng(1));
  Adam adam(net.parameters(), {.lr = 1e-2});
  double first = 0, last = 0;
  for (int step = 0; step < 8; ++step) {
    Tape tape;
    const Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
    adam.step(tape.gradients(loss));
    last = loss.value().item();
    if (step == 0) first = last;
  }
  std::cout << name_of(instruction_set()) << ": loss " << first << " to " << last << '\n';
  return last < 0.8 * first ? 0 : 1;
}
