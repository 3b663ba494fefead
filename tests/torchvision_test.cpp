// Our nets against torchvision's, on weights that both sides compute by the same formula; see
// tools/torchvision-logits, which wrote the file.
#include <pliant/layers/nets/torchvision.h>

#include <filesystem>
#include <sstream>

#include <pliant/layers/nets/convnext.h>
#include <pliant/layers/nets/faster_rcnn.h>
#include <pliant/layers/nets/lenet.h>
#include <pliant/layers/nets/resnet.h>
#include <pliant/layers/nets/vgg.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/hashed_values.h>
#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

namespace {

const SafetensorsFile& golden() {
  static const SafetensorsFile file = read_safetensors(std::filesystem::path(PLIANT_SOURCE_DIR) /
                                                       "tests/nets/torchvision_logits.safetensors");
  return file;
}

// A state dict by torchvision's own list of names and shapes.
State torchvision_state(const std::string& net) {
  State state;
  std::istringstream lines(golden().metadata.at(net));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    Shape shape;
    for (std::int64_t extent = 0; words >> extent;) shape.push_back(extent);
    state.emplace_back(
        name, shape.rank() == 0 ? Tensor::from<std::int64_t>({0}, {}) : value_of(name, shape));
  }
  return state;
}

Tensor images(DType dtype) {
  const Tensor nchw = *golden().find("images");
  return from_torchvision({{"images", nchw}})[0].second.to(dtype);
}

template <class Net>
void check_logits(const std::string& name, Net net, const std::vector<FlattenedMap>& flattened) {
  CAPTURE(name);
  net.load(from_torchvision(torchvision_state(name), flattened));
  const Tensor& want = *golden().find(name);
  CHECK(want.shape() == Shape{2, 1000});
  CHECK(max_difference(net(images(DType::float32)).value(), want) < 1e-4);
  if (name != "resnet18") return;
  net.to(DType::float64);
  CHECK(max_difference(net(images(DType::float64)).value(), want) < 1e-9);
}

// A net of one convolution.
template <class Conv>
struct Single : Module {
  explicit Single(Conv made) : conv(own("conv", std::move(made))) {}
  Conv conv;
};

}  // namespace

TEST_CASE("torchvision: a residual net's logits on its weights, by its names") {
  check_logits("resnet18", resnet18(), {});
  check_logits("resnet34", resnet34(), {});
  check_logits("resnet50", resnet50(), {});
}

TEST_CASE("torchvision: a VGG net's logits on its weights, by its names") {
  check_logits("vgg11", vgg11(), vgg11().flattened_maps());
  check_logits("vgg16", vgg16(), vgg16().flattened_maps());
}

TEST_CASE("torchvision: layouts there and back") {
  LeNet5 net({.channels = 3});
  net.initialise(Rng(1));
  const State state = net.state();
  const State there = to_torchvision(state, LeNet5::flattened_maps());
  REQUIRE(there.size() == state.size());
  CHECK(there[0].second.shape() == Shape{6, 3, 5, 5});
  // conv1.weight [out 1, in 2, row 3, column 4] and fc1.weight [7, channel 9, row 1, column 2].
  CHECK(there[0].second.to_vector()[((1 * 3 + 2) * 5 + 3) * 5 + 4] ==
        state[0].second.to_vector()[((1 * 5 + 3) * 5 + 4) * 3 + 2]);
  CHECK(there[4].first == "fc1.weight");
  CHECK(there[4].second.to_vector()[7 * 400 + (9 * 5 + 1) * 5 + 2] ==
        state[4].second.to_vector()[7 * 400 + (1 * 5 + 2) * 16 + 9]);
  const State back = from_torchvision(there, LeNet5::flattened_maps());
  for (std::size_t i = 0; i < state.size(); ++i) {
    CHECK(back[i].first == state[i].first);
    CHECK(max_difference(back[i].second, state[i].second) == 0);
  }
}

TEST_CASE("torchvision: a file, into the regular net and into a deformable one") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / "pliant_torchvision_test.safetensors";
  LeNet5 net, other, bent({.deformable = {.stages = {2}, .extra_last_stage = true}});
  net.initialise(Rng(1));
  bent.initialise(Rng(2));
  SafetensorsFile contents{to_torchvision(net.state(), LeNet5::flattened_maps()), {}};
  contents.tensors.emplace_back("bn.num_batches_tracked", Tensor::from<std::int64_t>({5}, {}));
  write_safetensors(file, contents);
  load_torchvision(other, file);
  const Tensor x = random({2, 28, 28, 1}, 1, 0, 1, DType::float32);
  CHECK(max_difference(net(x).value(), other(x).value()) == 0);
  load_torchvision(bent, file);
  CHECK(max_difference(net(x).value(), bent(x).value()) < 1e-5);
  ResNet wrong = resnet18();
  CHECK(contains(error_of([&] { load_torchvision(wrong, file); }),
                 "pliant_torchvision_test.safetensors: load: "));
  std::filesystem::remove(file);
  CHECK(contains(error_of([] {
                   from_torchvision({{"w", Tensor::zeros({2, 10})}}, {{"w", 2, 2}});
                 }),
                 "torchvision: w [2 10] reads no map of 2 x 2 pixels"));
}

TEST_CASE("torchvision: a file, into branches that read a context") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / "pliant_torchvision_context_test.safetensors";
  Single net(Conv2d(3, 5, {.kernel = 3, .padding = 1}));
  Single bent(DeformConv2d(
      3, 5, {.padding = 1, .modulation = Modulation::twice_sigmoid, .context_channels = 4}));
  net.initialise(Rng(1));
  bent.initialise(Rng(2));
  write_safetensors(file, {to_torchvision(net.state()), {}});
  load_torchvision(bent, file);
  std::filesystem::remove(file);
  const Tensor x = random({2, 6, 7, 3}, 3, 0, 1, DType::float32);
  CHECK(max_difference(net.conv(x).value(), bent.conv(x).value()) < 1e-5);
}

namespace {

struct Reader : Module {
  Conv2d conv = own("conv", Conv2d(1, 4));
  BatchNorm2d norm = own("norm", BatchNorm2d(4));
  Linear fc;
  explicit Reader(std::int64_t inputs) : fc(own("fc", Linear(inputs, 5))) {}
};

// What is told while a net of that kind is loaded from its own weights.
template <class Net>
std::string told_of(const std::function<Net()>& make, const std::vector<FlattenedMap>& maps = {}) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  Net net = make();
  net.initialise(Rng(1));
  std::vector<FlattenedMap> all = maps;
  if constexpr (requires { net.flattened_maps(); }) all = net.flattened_maps();
  write_safetensors(file, {.tensors = to_torchvision(net.state(), all)});
  return told([&] { load_torchvision(net, file, maps); });
}

}  // namespace

TEST_CASE("load_torchvision tells of a linear layer that looks as if it read a map") {
  const std::function many = [] { return Reader(4 * 6 * 6); };
  const std::function pooled = [] { return Reader(4); };
  CHECK(told_of(many) ==
        "pliant: load_torchvision: fc.weight has 144 inputs after 4 channels: if it reads a "
        "flattened map, its columns are in the wrong order; name it: {{.weight = \"fc.weight\", "
        ".height = .., .width = ..}} (1 and 1: it does not)\n");
  CHECK(told_of(many, {{.weight = "fc.weight", .height = 6, .width = 6}}).empty());
  CHECK(told_of(many, {{.weight = "fc.weight"}}).empty());
  CHECK(told_of(pooled).empty());
  CHECK(told_of<ResNet>([] { return resnet18(); }).empty());
  CHECK(told_of<ResNet>([] { return resnet18({.deformable = {.stages = {4}}}); }).empty());
  CHECK(told_of<Vgg>([] { return vgg11({.classes = 3, .stem = Stem::small}); }).empty());
  CHECK(told_of<ConvNext>([] { return ConvNext({{8, 1}, {16, 1}, {24, 1}, {32, 1}}); }).empty());
  CHECK(told_of<FasterRCNN>([] { return FasterRCNN(small_faster_rcnn(4)); }).empty());
  CHECK(told_of<LeNet5>([] { return LeNet5(); }).empty());
}
