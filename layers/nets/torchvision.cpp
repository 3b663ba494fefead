#include <pliant/layers/nets/torchvision.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/layers/train/safetensors.h>

namespace pliant {
namespace {

enum class Direction : unsigned char { from, to };

const FlattenedMap* find(const std::vector<FlattenedMap>& flattened, const std::string& path) {
  for (const FlattenedMap& map : flattened)
    if (map.weight == path) return &map;
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

State converted(const State& state, const std::vector<FlattenedMap>& flattened,
                Direction direction) {
  State result;
  for (const auto& [path, tensor] : state) {
    if (path.ends_with("num_batches_tracked")) continue;
    Tensor value = tensor;
    if (const FlattenedMap* const map = find(flattened, path))
      value = reordered(path, tensor, *map, direction);
    else if (tensor.rank() == 4)
      value = direction == Direction::from ? permute(tensor, {0, 2, 3, 1}).value()
                                           : permute(tensor, {0, 3, 1, 2}).value();
    result.emplace_back(path, value);
  }
  return result;
}

}  // namespace

State from_torchvision(const State& state, const std::vector<FlattenedMap>& flattened) {
  return converted(state, flattened, Direction::from);
}

State to_torchvision(const State& state, const std::vector<FlattenedMap>& flattened) {
  return converted(state, flattened, Direction::to);
}

void detail::load_torchvision(Module& net, const std::filesystem::path& file,
                              const std::vector<FlattenedMap>& flattened) {
  const SafetensorsFile read = read_safetensors(file);
  try {
    const auto layout = read.metadata.find("layout");
    require(layout == read.metadata.end(), "torchvision: its metadata says layout = ",
            layout == read.metadata.end() ? "" : layout->second,
            ", so it is not PyTorch's; net.load(file) reads what Pliant wrote");
    for (const Parameter& parameter : net.parameters())
      require(!parameter.transposed(), "torchvision: ", parameter.name(),
              " is of a transposed convolution, whose order in PyTorch, [in out R S], is not read; "
              "take from_torchvision()'s state, put that weight in as [out R S in] and load() it");
    net.load(from_torchvision(read.tensors, flattened),
             {.may_lack = {"*.offset.*", "*.mask.*", "*.context.*", "extra.*", "*.extra.*"}});
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

}  // namespace pliant
