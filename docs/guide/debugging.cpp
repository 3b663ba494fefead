// When something is wrong: shapes, gradients, the first NaN, where a net reads.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Net : Module {
  Conv2d stem = own("stem", Conv2d(3, 8, {.padding = 1}));
  DeformConv2d deform = own("deform", DeformConv2d(8, 8, {.padding = 1}));
  Linear head = own("head", Linear(8, 2));
  Var operator()(const Var& x) const { return head(global_avg_pool2d(relu(deform(stem(x))))); }
};

// Every Error is one line with what was got and expected, and the layer where it happened.
void a_wrong_shape(const Net& net) {
  try {
    net(Tensor::zeros({2, 3, 16, 16}));  // PyTorch's order
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
  }
}

// Gradients against central differences, of a function of one's own and of a layer.
void a_gradient() {
  const auto f = [](const Vars& v) { return v[0] * sigmoid(v[1]); };
  const GradcheckResult result = gradcheck(f, {Tensor::randn({2, 3}, Rng(1), DType::float64),
                                               Tensor::randn({2, 3}, Rng(2), DType::float64)});
  std::cout << std::boolalpha << result.passed << '\n';

  Linear layer(3, 2);
  layer.initialise(Rng(1));
  layer.to(DType::float64);
  const GradcheckResult of_layer =
      gradcheck([&](const Vars& v) { return layer(v[0]); },
                {Tensor::randn({4, 3}, Rng(3), DType::float64)}, {}, layer.parameters());
  std::cout << of_layer.passed << '\n';
}

// The op that made the first NaN or infinity.
void a_nan() {
  try {
    const AnomalyMode guard;
    const Tape tape;
    const Var x = tape.variable(Tensor::from({1.F, 0.F}, {2}));
    tape.gradients(sum(log(x)));
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
  }
}

int main() {
  Net net;
  net.initialise(Rng(1));
  std::cout << summary(net, {1, 16, 16, 3});
  a_wrong_shape(net);
  a_gradient();
  a_nan();
}
