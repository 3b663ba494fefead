// Weights to and from PyTorch's state dicts, torchvision's and those of one's own nets (as
// safetensors files: safetensors.torch.save_file(model.state_dict(), ..)). Names are the same in
// both; layouts differ.
//
//   ResNet net = resnet50();
//   load_torchvision(net, "resnet50.safetensors");
//   Mine mine;  // whose fc reads a flattened map of 7 x 7 pixels
//   load_torchvision(mine, "mine.safetensors", {{.weight = "fc.weight", .height = 7, .width = 7}});
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/layers/module.h>

namespace pliant {

// The weight [out height*width*channels] of a linear layer that reads a flattened map: there its
// columns go by channel, row, column, here by row, column, channel.
struct FlattenedMap {
  std::string weight;  // its path
  std::int64_t height = 1, width = 1;
};

// The weight of a transposed convolution, [in out/groups R S] there and [out R S in/groups] here.
// Its shape need not tell it from another convolution's.
struct TransposedWeight {
  std::string weight;  // its path
  std::int64_t groups = 1;
};

// A state dict of PyTorch's -> what Module::load takes: convolution weights [out in R S] become
// [out R S in], those that are named `transposed` are reordered as said there, and so are columns
// of `flattened` weights; "num_batches_tracked" is left out.
State from_torchvision(const State& state, const std::vector<FlattenedMap>& flattened = {},
                       const std::vector<TransposedWeight>& transposed = {});
// And back; the numbers of batches, which PyTorch does not ask for, are left out.
State to_torchvision(const State& state, const std::vector<FlattenedMap>& flattened = {},
                     const std::vector<TransposedWeight>& transposed = {});

// Fills a net from a file; which of its weights are transposed or 1-D convolutions' the net knows
// (for from_torchvision, reshape a 1-D one's [out in R] to [out in 1 R] before). What a
// deformable net has beyond the regular one (offset and mask branches and their contexts, extra
// layers) may be missing and must then have its first values already. A net that knows its
// flattened maps says them by flattened_maps(); a linear layer that looks as if it read one and is
// not named is told on standard error.
template <class Net>
void load_torchvision(Net& net, const std::filesystem::path& file,
                      const std::vector<FlattenedMap>& flattened = {});

namespace detail {
void load_torchvision(Module& net, const std::filesystem::path& file,
                      const std::vector<FlattenedMap>& flattened);
}  // namespace detail

template <class Net>
void load_torchvision(Net& net, const std::filesystem::path& file,
                      const std::vector<FlattenedMap>& flattened) {
  std::vector<FlattenedMap> all = flattened;
  if constexpr (requires { net.flattened_maps(); })
    if (all.empty()) all = net.flattened_maps();
  detail::load_torchvision(net, file, all);
}

}  // namespace pliant
