// Layers, nets of layers, and a layer of one's own with parameters.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

// A layer with a parameter: y = x * scale + bias, one of each for every channel.
struct ScaleShift : Module {
  Parameter scale, bias;

  explicit ScaleShift(std::int64_t channels)
      : scale(own("scale", Parameter(Shape{channels}), init::constant(1))),
        bias(own("bias", Parameter(Shape{channels}), init::zeros())) {}

  Var operator()(const Var& x) const { return x * scale + bias; }  // beside x: on its tape
};

// A net is a struct of layers, each owned under a name.
struct Block : Module {
  Conv2d conv;
  ScaleShift shift;

  Block(std::int64_t in, std::int64_t out)
      : conv(own("conv", Conv2d(in, out, {.padding = 1, .bias = Bias::no}))),
        shift(own("shift", ScaleShift(out))) {}

  Var operator()(const Var& x) const { return relu(shift(conv(x))); }
};

struct Net : Module {
  Block first = own("first", Block(1, 8));
  Block second = own("second", Block(8, 16));
  Dropout dropout = own("dropout", Dropout(0.25));
  Linear head = own("head", Linear(16, 10));

  Var operator()(const Var& images) const {  // NHWC: batch, rows, columns, channels
    const Var h = max_pool2d(first(images));
    return head(dropout(global_avg_pool2d(second(h))));
  }
};

// Layers of one type, first values of one's own choice, and numbers that are saved and not trained.
struct Stack : Module {
  ModuleList<Block> blocks = own("blocks", ModuleList<Block>());
  Buffer centre = own("centre", Buffer(Shape{8}), init::zeros());
  Linear head =
      own("head", Linear(8, 3, {.bias = Bias::no, .initialiser = init::xavier_uniform()}));

  explicit Stack(int count) {
    for (int i = 0; i < count; ++i) blocks.add(Block(8, 8));
  }

  Var operator()(const Var& x) const {
    Var h = x - centre.value();
    for (const Block& block : blocks) h = h + block(h);
    return head(global_avg_pool2d(h));
  }
};

void a_stack() {
  Stack stack(2);
  stack.initialise(Rng(1));
  Stack best(2);
  best.load(stack.state());  // a copy; a net itself is only moved
  std::cout << std::boolalpha << equal(best.state(), stack.state()) << '\n';

  const Tape tape;
  const Gradients gradients = tape.gradients(mean(stack(tape.input(Tensor::zeros({1, 4, 4, 8})))));
  for (const auto& [parameter, gradient] : gradients.entries())
    std::cout << parameter.name() << ' ' << gradient.shape() << '\n';
}

int main() {
  Net net;
  net.initialise(Rng(1));
  std::cout << summary(net, {1, 28, 28, 1});
  for (const Parameter& parameter : net.parameters())
    std::cout << parameter.name() << ' ' << parameter.shape() << '\n';

  // The same kind of net as a list of layers.
  Sequential list(Conv2d(1, 8, {.padding = 1}), Relu(), MaxPool2d(), Flatten(),
                  Linear(14 * 14 * 8, 10));
  list.initialise(Rng(1));
  std::cout << list(Tensor::zeros({2, 28, 28, 1})).shape() << '\n';

  // Parts by path: looked at, and replaced.
  std::cout << net.part<Conv2d>("second.conv").weight.shape() << '\n';
  list.replace(4, Linear(14 * 14 * 8, 3));
  list.part("4").initialise(Rng(2));
  std::cout << list[0](Tensor::zeros({2, 28, 28, 1})).shape() << ' '
            << list(Tensor::zeros({2, 28, 28, 1})).shape() << '\n';

  // Dropout is random, so a tape for training has a key; each step forks its own.
  const Rng rng(7);
  const Tape tape({.rng = rng.fork("dropout").fork(0)});
  std::cout << net(tape.input(Tensor::zeros({2, 28, 28, 1}))).shape() << '\n';
  a_stack();
}
