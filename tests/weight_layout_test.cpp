// The order of a convolution's weights in a file: stated, told by the shapes, or asked for.
#include <pliant/autograd/ops/permute.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/conv_transpose2d.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/nets/torchvision.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Net : Module {
  Conv2d stem, next;
  explicit Net(std::int64_t next_channels)
      : stem(own("stem", Conv2d(3, next_channels, {.kernel = 3}))),
        next(own("next", Conv2d(next_channels, 4, {.kernel = 3}))) {}
};

Net ready(std::int64_t channels, std::uint64_t seed = 1) {
  Net net(channels);
  net.initialise(Rng(seed));
  return net;
}

bool equal(const Module& a, const Module& b) {
  const State x = a.state(), y = b.state();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!same_bits(x[i].second, y[i].second)) return false;
  return true;
}

}  // namespace

TEST_CASE("layout: a file of ours says it, and its metadata come back as they were given") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  const Net net = ready(3);
  net.save(file, {{"epoch", "3"}});
  CHECK(read_safetensors(file).metadata.at("layout") == "nhwc");
  Net read(3);
  CHECK(read.load(file) == std::map<std::string, std::string>{{"epoch", "3"}});
  CHECK(equal(net, read));
  CHECK(contains(error_of([&] { net.save(file, {{"layout", "mine"}}); }), "the metadata 'layout'"));
  CHECK(contains(error_of([&] { load_torchvision(read, file); }), "layout = nhwc, so it is not"));
}

TEST_CASE("layout: PyTorch's weights are refused, in doubt too; its door takes them") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  for (const std::int64_t channels : {3, 5}) {  // 3: every weight is [n 3 3 3]
    const Net net = ready(channels);
    write_safetensors(file, {to_torchvision(net.state()), {}});
    Net read = ready(channels, 2);
    const State before = read.state();
    const std::string message = error_of([&] { read.load(file); });
    CHECK(contains(message, file.string() + ": load: "));
    CHECK(contains(message, "load_torchvision(net, file) of layers/nets/torchvision.h"));
    CHECK(contains(message,
                   channels == 3 ? "{.layout = Layout::nhwc}" : "next.weight [4 5 3 3] is in"));
    CHECK(same_bits(read.state()[0].second, before[0].second));
    load_torchvision(read, file);
    CHECK(equal(net, read));
  }
}

TEST_CASE("layout: files from before it was stated") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  const Net clear = ready(5), doubt = ready(3);
  write_safetensors(file, {clear.state(), {}});
  Net read(5);
  read.load(file);  // next.weight [4 3 3 5] fits in one order alone
  CHECK(equal(clear, read));
  write_safetensors(file, {doubt.state(), {}});
  Net other(3);
  CHECK(contains(error_of([&] { other.load(file); }), "stem.weight [3 3 3 3] may be"));
  other.load(file, {.layout = Layout::nhwc});
  CHECK(equal(doubt, other));
  write_safetensors(file, {doubt.state(), {{"layout", "nchw"}}});
  CHECK(contains(error_of([&] { other.load(file); }), "its metadata says layout = nchw"));
  Linear plain(3, 2);
  plain.initialise(Rng(1));
  write_safetensors(file, {plain.state(), {}});
  plain.load(file);  // nothing to order
}

TEST_CASE("layout: a net of one's own with a linear layer over a flattened map") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  struct Own : Module {
    Conv2d conv = own("conv", Conv2d(3, 2, {.kernel = 3}));
    Linear fc = own("fc", Linear(8, 2));
  };
  Own net, read;
  net.initialise(Rng(1));
  const std::vector<FlattenedMap> maps = {{.weight = "fc.weight", .height = 2, .width = 2}};
  write_safetensors(file, {to_torchvision(net.state(), maps), {}});
  load_torchvision(read, file, maps);
  CHECK(equal(net, read));
}

namespace {

struct Decoder : Module {
  ConvTranspose2d up;
  Decoder(std::int64_t in, std::int64_t out, std::int64_t groups)
      : up(own("up", ConvTranspose2d(in, out,
                                     {.kernel = 3,
                                      .stride = {2, 1},
                                      .padding = {1, 0},
                                      .output_padding = {1, 0},
                                      .dilation = {1, 2},
                                      .groups = groups}))) {
    initialise(Rng(1));
    to(DType::float64);
  }
};

}  // namespace

TEST_CASE("layout: transposed convolutions of PyTorch's files answer as they did there") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "up.safetensors";
  struct Case {
    const char* name;
    std::int64_t in, out, groups;
  };
  for (const Case& each : {Case{"square", 3, 3, 1}, {"oblong", 2, 3, 1}, {"groups2", 4, 6, 2}}) {
    CAPTURE(each.name);
    const auto [name, in, out, groups] = each;
    const SafetensorsFile golden =
        read_safetensors(std::filesystem::path(PLIANT_SOURCE_DIR) / "tests/golden" /
                         ("conv_transpose2d_pytorch__" + std::string(name) + ".safetensors"));
    write_safetensors(file, {{{"up.weight", *golden.find("input.weight")},
                              {"up.bias", *golden.find("input.bias")}},
                             {}});
    Decoder net(in, out, groups);
    // The plain door says which is the right one, also where the shape fits in both orders.
    const std::string error = error_of([&] { net.load(file); });
    CHECK(contains(error, std::string(name) == "square" ? "may be [in out R S], PyTorch's"
                                                        : "is in PyTorch's order, [in out R S]"));
    CHECK(contains(error, "load_torchvision(net, file)"));
    // So does a state; where both orders fit it is the caller's word.
    const std::string of_state = error_of([&] {
      net.load(
          {{"up.weight", *golden.find("input.weight")}, {"up.bias", *golden.find("input.bias")}});
    });
    CHECK(of_state.empty() == (std::string(name) == "square"));
    CHECK((of_state.empty() ||
           contains(of_state,
                    "up.weight " +
                        std::string(name == std::string("oblong") ? "[2 3 3 3]" : "[4 3 3 3]") +
                        " is in PyTorch's order, [in out R S]")));
    load_torchvision(net, file);
    CHECK(max_difference(net.up(*golden.find("input.x")).value(), *golden.find("output.y")) <
          1e-12);

    // And back to the same bytes.
    const State there =
        to_torchvision(net.state(), {}, {{.weight = "up.weight", .groups = groups}});
    CHECK(same_bits(there[0].second, *golden.find("input.weight")));
    net.save(file);
    Decoder read(in, out, groups);
    read.load(file);
    CHECK(equal(net, read));
  }
  // Weights that do not fit.
  write_safetensors(file, {{{"up.weight", Tensor::zeros({3, 2, 3, 3})}}, {}});
  Decoder other(4, 6, 2);
  CHECK(contains(error_of([&] { load_torchvision(other, file); }),
                 "up.weight [3 2 3 3] is no weight of a transposed convolution for [6 3 3 2]"));
  write_safetensors(file, {{{"up.weight", Tensor::zeros({4, 2, 3, 3})}}, {}});
  CHECK(contains(error_of([&] { load_torchvision(other, file); }),
                 "up.weight is float32 [4 3 3 2], expected float64 [6 3 3 2]"));
  CHECK(contains(error_of([] {
                   from_torchvision({{"w", Tensor::zeros({3, 2, 1, 1})}}, {}, {{"w", 2}});
                 }),
                 "w [3 2 1 1] is no weight of a transposed convolution of 2 groups"));
}
