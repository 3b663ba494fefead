// Transfer: another head on a trained net, frozen parts, rates by pattern, a bent twin.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Net : Module {
  Conv2d stem = own("stem", Conv2d(1, 8, {.padding = 1, .bias = Bias::no}));
  BatchNorm2d norm = own("norm", BatchNorm2d(8));
  Conv2d conv = own("conv", Conv2d(8, 16, {.stride = 2, .padding = 1}));
  Linear head = own("head", Linear(16, 10));
  Var operator()(const Var& x) const {
    return head(global_avg_pool2d(relu(conv(relu(norm(stem(x)))))));
  }
};

// The same with a convolution that bends. It owns its parts under the same names.
struct BentNet : Module {
  Conv2d stem = own("stem", Conv2d(1, 8, {.padding = 1, .bias = Bias::no}));
  BatchNorm2d norm = own("norm", BatchNorm2d(8));
  DeformConv2d conv = own("conv", DeformConv2d(8, 16, {.stride = 2, .padding = 1}));
  Linear head = own("head", Linear(16, 10));
  Var operator()(const Var& x) const {
    return head(global_avg_pool2d(relu(conv(relu(norm(stem(x)))))));
  }
};

int main() {
  Net trained;
  trained.initialise(Rng(1));

  // Five classes instead of ten: the new head takes the old one's place in the net.
  trained.head = Linear(16, 5);
  trained.head.initialise(Rng(2));
  std::cout << trained(Tensor::zeros({1, 28, 28, 1})).shape() << '\n';

  // Train the head alone; then all, the body at a tenth of the rate.
  trained.freeze("*");
  trained.unfreeze("head.*");
  std::cout << trained.trainable_count() << " of " << trained.parameter_count() << " train\n";
  trained.unfreeze("*");
  trained.set_lr_factor("*", 0.1);
  trained.set_lr_factor("head.*", 1);

  // A backbone alone from a file of a net with another head.
  trained.save("five.safetensors");
  SafetensorsFile file = read_safetensors("five.safetensors");
  std::erase_if(file.tensors, [](const auto& part) { return part.first.starts_with("head."); });
  Net ten;
  ten.initialise(Rng(3));
  ten.load(file.tensors, {.may_lack = {"head.*"}});

  // A deformable twin has the regular net's weights, and its outputs until its offsets move.
  Net regular;
  regular.initialise(Rng(4));
  BentNet bent;
  bent.initialise(Rng(5));
  bent.load(regular.state(), {.may_lack = {"*.offset.*", "*.mask.*"}});
  bent.freeze("*");
  bent.unfreeze("*.offset.*");
  const Tensor images = Tensor::rand({2, 28, 28, 1}, Rng(6));
  const Var difference = max(abs(regular(images) - bent(images)), {0, 1});
  std::cout << std::boolalpha << "as the regular net: " << (difference.item() < 1e-5) << '\n';
}
