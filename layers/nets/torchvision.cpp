#include <pliant/layers/nets/torchvision.h>

#include <iostream>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/layers/safetensors.h>

namespace pliant {
namespace {

enum class Direction : unsigned char { from, to };

// What is said of the weight at `path`, or nullptr.
template <class Weight>
const Weight* find(const std::vector<Weight>& weights, const std::string& path) {
  for (const Weight& known : weights)
    if (known.weight == path) return &known;
  return nullptr;
}

Tensor reordered(const std::string& path, const Tensor& weight, const FlattenedMap& map,
                 Direction direction) {
  const std::int64_t pixels = map.height * map.width;
  require(weight.rank() == 2 && pixels >= 1 && weight.dim(1) % pixels == 0, "torchvision: ", path,
          " ", weight.shape(), " reads no map of ", map.height, " x ", map.width, " pixels");
  const std::int64_t out = weight.dim(0), channels = weight.dim(1) / pixels;
  const bool from = direction == Direction::from;
  const Tensor split = weight.reshape({out, from ? channels : pixels, from ? pixels : channels});
  return permute(split, {0, 2, 1}).value().reshape(weight.shape());
}

// PyTorch's [in, out/groups, R, S] and our [out, R, S, in/groups] are one array of [group,
// in/groups, out/groups, R, S] in two orders.
Tensor reordered(const std::string& path, const Tensor& weight, const TransposedWeight& transposed,
                 Direction direction) {
  const std::int64_t groups = transposed.groups;
  require(weight.rank() == 4 && groups >= 1 && weight.dim(0) % groups == 0, "torchvision: ", path,
          " ", weight.shape(), " is no weight of a transposed convolution of ", groups, " groups");
  const Shape& shape = weight.shape();
  const std::int64_t first = shape[0] / groups;  // channels of a group
  const Tensor split = weight.reshape({groups, first, shape[1], shape[2], shape[3]});
  if (direction == Direction::from)
    return permute(split, {0, 2, 3, 4, 1})
        .value()
        .reshape({groups * shape[1], shape[2], shape[3], first});
  return permute(split, {0, 4, 1, 2, 3})
      .value()
      .reshape({groups * shape[3], first, shape[1], shape[2]});
}

State converted(const State& state, const std::vector<FlattenedMap>& flattened,
                const std::vector<TransposedWeight>& transposed, Direction direction) {
  State result;
  for (const auto& [path, tensor] : state) {
    if (path.ends_with("num_batches_tracked")) continue;
    Tensor value = tensor;
    if (const FlattenedMap* const map = find(flattened, path))
      value = reordered(path, tensor, *map, direction);
    else if (const TransposedWeight* const weight = find(transposed, path))
      value = reordered(path, tensor, *weight, direction);
    else if (tensor.rank() == 4)
      value = direction == Direction::from ? permute(tensor, {0, 2, 3, 1}).value()
                                           : permute(tensor, {0, 3, 1, 2}).value();
    result.emplace_back(path, value);
  }
  return result;
}

}  // namespace

State from_torchvision(const State& state, const std::vector<FlattenedMap>& flattened,
                       const std::vector<TransposedWeight>& transposed) {
  return converted(state, flattened, transposed, Direction::from);
}

State to_torchvision(const State& state, const std::vector<FlattenedMap>& flattened,
                     const std::vector<TransposedWeight>& transposed) {
  return converted(state, flattened, transposed, Direction::to);
}

namespace {

// The net knows which of its weights are transposed convolutions', the shapes tell the groups.
std::vector<TransposedWeight> transposed_weights(const Module& net, const SafetensorsFile& file) {
  std::vector<TransposedWeight> weights;
  for (const Parameter& parameter : net.parameters()) {
    if (!parameter.transposed()) continue;
    const Tensor* const there = file.find(parameter.name());
    if (there == nullptr || there->rank() != 4) continue;  // which load() will say
    const std::int64_t per_group = parameter.shape()[3];
    require(there->dim(0) % per_group == 0, "torchvision: ", parameter.name(), ' ', there->shape(),
            " is no weight of a transposed convolution for ", parameter.shape(), ", expected [n*",
            per_group, ' ', parameter.shape()[0], "/n ...] of n groups");
    weights.push_back({parameter.name(), there->dim(0) / per_group});
  }
  return weights;
}

// The weights [out in/groups R] of Conv1d layers as those of maps of one row, which they are here.
void widen_conv1d(const Module& net, State& state) {
  for (const Parameter& parameter : net.parameters()) {
    if (parameter.shape().rank() != 4) continue;
    for (auto& [path, tensor] : state)
      if (path == parameter.name() && tensor.rank() == 3)
        tensor = tensor.reshape({tensor.dim(0), tensor.dim(1), 1, tensor.dim(2)});
  }
}

// Whether a branch of a deformable layer has it, which does not feed what comes next.
bool is_of_a_branch(const std::string& path) {
  for (const char* branch : {".offset.", ".mask.", ".rotation.", ".context."})
    if (("." + path).find(branch) != std::string::npos) return true;
  return false;
}

// A linear layer right after a convolution that has several inputs for each channel of that reads a
// flattened map, as far as one can tell: unless it is named, its columns would stay in PyTorch's
// order, and nothing else would show it.
void tell_unnamed_maps(const Module& net, const std::vector<FlattenedMap>& flattened) {
  std::int64_t channels = 0;  // of the convolution before; 0: there was another layer since
  for (const Parameter& parameter : net.parameters()) {
    const Shape& shape = parameter.shape();
    const std::string& path = parameter.name();
    if (is_of_a_branch(path) || shape.rank() < 2) continue;  // biases and norms keep the channels
    const bool reads_map = shape.rank() == 2 && channels > 0 && shape[1] > channels &&
                           shape[1] % channels == 0 && find(flattened, path) == nullptr;
    if (reads_map)
      std::cerr << text_from("pliant: load_torchvision: ", path, " has ", shape[1],
                             " inputs after ", channels,
                             " channels: if it reads a flattened map, its columns are in "
                             "the wrong order; name it: {{.weight = \"",
                             path, "\", .height = .., .width = ..}} (1 and 1: it does not)\n");
    channels = shape.rank() == 4 ? shape[0] : 0;
  }
}

}  // namespace

void detail::load_torchvision(Module& net, const std::filesystem::path& file,
                              const std::vector<FlattenedMap>& flattened) {
  SafetensorsFile read = read_safetensors(file);
  try {
    const auto layout = read.metadata.find("layout");
    require(layout == read.metadata.end(), "torchvision: its metadata says layout = ",
            layout == read.metadata.end() ? "" : layout->second,
            ", so it is not PyTorch's; net.load(file) reads what Pliant wrote");
    tell_unnamed_maps(net, flattened);
    widen_conv1d(net, read.tensors);
    net.load(from_torchvision(read.tensors, flattened, transposed_weights(net, read)),
             {.may_lack = {"*.offset.*", "*.mask.*", "*.context.*", "extra.*", "*.extra.*"}});
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

}  // namespace pliant
