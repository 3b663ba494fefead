// The op, Conv1d, and BatchNorm1d beside it.
#include <filesystem>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/nets/torchvision.h>
#include <pliant/tests/cases/conv1d.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("conv1d: gradients, first and second, on any number of threads") {
  check(conv1d_cases());
  check_twice(conv1d_cases());
}

TEST_CASE("conv1d: conv2d of one row, and bad arguments") {
  const Tensor x = random({2, 9, 4}, 1), weight = random({6, 3, 2}, 2), bias = random({6}, 3);
  const Tensor y =
      conv1d(x, weight, bias, {.stride = 2, .padding = {1, 2}, .dilation = 2, .groups = 2}).value();
  const Tensor want =
      conv2d(unsqueeze(x, 1), unsqueeze(weight, 1), bias, {{1, 2}, {0, 0, 1, 2}, {1, 2}, 2})
          .value();
  CHECK(y.shape() == Shape{2, 4, 6});
  CHECK(same_bits(y, want.reshape({2, 4, 6})));
  CHECK(conv1d(Tensor::zeros({0, 9, 4}), Tensor::zeros({6, 3, 4})).shape() == Shape{0, 7, 6});
  CHECK(error_of([&] {
          conv1d(random({9, 4}, 1), weight);
        }) == "conv1d: the input has shape [9 4], expected [N L C]");
  CHECK(error_of([&] {
          conv1d(x, random({6, 4}, 1));
        }) == "conv1d: the weight has shape [6 4], expected [K R C/groups]");
  CHECK(contains(error_of([&] { conv1d(x, weight); }), "conv1d: "));
  CHECK(error_of([&] {
          conv1d(x, random({6, 3, 4}, 2), random({5}, 1));
        }) == "conv1d: conv2d: bias has shape [5], expected [6]");
}

TEST_CASE("Conv1d and BatchNorm1d: their shapes and weights") {
  Conv1d conv(4, 6, {.kernel = 5, .padding = 2, .groups = 2});
  conv.initialise(Rng(1));
  CHECK(conv.weight.shape() == Shape{6, 1, 5, 2});
  const Tensor x = random({3, 8, 4}, 1, -1, 1, DType::float32);
  CHECK(conv(x).shape() == Shape{3, 8, 6});
  CHECK(contains(error_of([] { Conv1d(3, 4, {.groups = 2}); }), "do not divide into 2 groups"));
  CHECK(error_of([] { Conv1d(3, 4, {.kernel = 0}); }) ==
        "Conv1d: a kernel of 0 elements, expected at least 1");

  BatchNorm1d norm(4);
  BatchNorm2d same(4);
  norm.initialise(Rng(1));
  same.initialise(Rng(1));
  CHECK(norm.state().size() == 4);
  const Tape tape;
  const Var in = tape.input(x);
  CHECK(same_bits(norm(in).value(), same(in).value()));
  CHECK(same_bits(norm.running_var.value(), same.running_var.value()));
  CHECK(norm(random({5, 4}, 1, -1, 1, DType::float32)).shape() == Shape{5, 4});
  CHECK(error_of([&] {
          norm(Tensor::zeros({2, 3, 3, 4}));
        }) == "BatchNorm1d: the input has shape [2 3 3 4], expected [N C] or [N L C]");
  CHECK(contains(error_of([&] {
                   norm(Tensor::zeros({2, 3}));
                 }),
                 "BatchNorm1d: the weight has shape [4], expected [3]"));
  CHECK(error_of([&] {
          norm(tape.input(Tensor::zeros({1, 4})));
        }) == "BatchNorm1d: training needs at least two values per channel, got 1 (input [1 4])");
  CHECK(error_of([] { BatchNorm1d(0); }) == "BatchNorm1d: over 0 channels");
}

TEST_CASE("Conv1d: PyTorch's weights by name") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / "pliant_conv1d_test.safetensors";
  const Tensor weight = random({6, 2, 5}, 1, -1, 1, DType::float32);
  write_safetensors(file, {.tensors = {{"0.weight", weight}, {"0.bias", Tensor::zeros({6})}}});
  Sequential net(Conv1d(2, 6, {.kernel = 5}));
  load_torchvision(net, file);
  std::filesystem::remove(file);
  const Tensor held = net.parameter("0.weight").value();
  CHECK(held.shape() == Shape{6, 1, 5, 2});
  CHECK(held.to_vector()[1] == weight.to_vector()[5]);  // tap 0 of channel 1
}
