// Weights from PyTorch and back: a file of state_dict() by safetensors, names as they are.
#include <pliant/pliant.h>

#include <iostream>
#include <vector>
using namespace pliant;

// class Net(nn.Module): self.conv = nn.Conv2d(1, 4, 3); self.up = nn.ConvTranspose2d(4, 2, 2, 2);
//                       self.fc = nn.Linear(2 * 12 * 12, 5)
struct Net : Module {
  Conv2d conv = own("conv", Conv2d(1, 4));
  ConvTranspose2d up = own("up", ConvTranspose2d(4, 2, {.kernel = 2, .stride = 2}));
  Linear fc = own("fc", Linear(2 * 12 * 12, 5));
  Var operator()(const Var& x) const { return fc(Flatten()(up(relu(conv(x))))); }

  // fc reads a flattened map, whose columns PyTorch orders by channel, row, column.
  static std::vector<FlattenedMap> flattened_maps() {
    return {{.weight = "fc.weight", .height = 12, .width = 12}};
  }
};

int main() {
  Net net;
  net.initialise(Rng(1));

  // For PyTorch: load_state_dict(safetensors.torch.load_file("for_pytorch.safetensors")).
  const State theirs =
      to_torchvision(net.state(), Net::flattened_maps(), {{.weight = "up.weight"}});
  for (const auto& [path, tensor] : theirs) std::cout << path << ' ' << tensor.shape() << '\n';
  write_safetensors("for_pytorch.safetensors", {.tensors = theirs});

  // And back, as a file of PyTorch's is read.
  Net again;
  load_torchvision(again, "for_pytorch.safetensors");
  const Tensor image = Tensor::rand({1, 8, 8, 1}, Rng(2));
  std::cout << std::boolalpha
            << (net(image).value().to_vector() == again(image).value().to_vector()) << '\n';

  // Read as if it were ours, it is refused.
  try {
    again.load("for_pytorch.safetensors");
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
  }
}
