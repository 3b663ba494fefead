// RMSNorm, and what serves sequences: Conv1d and BatchNorm1d.
#include <filesystem>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/nets/torchvision.h>
#include <pliant/tests/cases/sequences.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("rms_norm, conv1d: gradients, first and second, on any number of threads") {
  for (const OpCase& op : sequence_cases()) {
    check(op);
    check_twice(op);
    check_same_on_any_threads(op);
  }
}

TEST_CASE("rms_norm: the formula, and every finite x") {
  const Tensor x = random({70, 33}, 1, 2, 4), weight = random({33}, 2);
  const Var want = Var(x) * rsqrt(mean(square(Var(x)), {-1}, KeepDim::yes) + 1e-3) * weight;
  CHECK(max_difference(rms_norm(x, weight, {.eps = 1e-3}).value(), want.value()) < 1e-14);
  CHECK(max_difference(rms_norm(x).value(),
                       rms_norm(x, Tensor::full({33}, 1, DType::float64)).value()) == 0);
  // The eps that is not given is that of the type.
  const Tensor zeros = Tensor::zeros({2, 3});
  CHECK(max_difference(rms_norm(zeros).value(), zeros) == 0);
  const Tensor small = Tensor::full({1, 4}, 1e-4, DType::float32);
  CHECK(rms_norm(small).value().to_vector()[0] ==
        doctest::Approx(1e-4 / std::sqrt(1e-8 + 0x1p-23)));
  for (const DType dtype : {DType::float32, DType::float64})
    for (const double size : {1e-30, 1e-22, 1e18, 1e36, dtype == DType::float64 ? 1e300 : 1.0,
                              dtype == DType::float64 ? 1e-300 : 1.0}) {
      CAPTURE(size);
      const OpCase scaled{"",
                          [](const Vars& v) { return rms_norm(v[0], v[1], {.eps = 0.0}); },
                          {(Var(x) * size).value(), weight}};
      const OpCase bare{"", scaled.f, {x, weight}};
      const std::vector<Tensor> a = run_with_gradients(scaled, dtype),
                                b = run_with_gradients(bare, DType::float64);
      CHECK(max_difference(a[0].to(DType::float64), b[0]) < 1e-5);
      CHECK(max_difference((Var(a[1].to(DType::float64)) * size).value(), b[1]) < 1e-4);
      CHECK(max_difference(a[2].to(DType::float64), b[2]) < 1e-4);
    }
}

TEST_CASE("rms_norm: bfloat16, and bad arguments") {
  const Tensor x = random({2, 3}, 1, -1, 1, DType::float32);
  CHECK(rms_norm(x.to(DType::bfloat16), Tensor::full({3}, 1)).dtype() == DType::bfloat16);
  CHECK(error_of([] { rms_norm(Var()); }) == "rms_norm: the input is undefined");
  CHECK(error_of([] {
          rms_norm(Tensor::zeros({2, 0}));
        }) == "rms_norm: the input has shape [2 0], expected a last axis of at least one element");
  CHECK(error_of([&] { rms_norm(x, Tensor::zeros({2})); }) ==
        "rms_norm: the weight has shape [2], expected [3]");
  CHECK(error_of([&] { rms_norm(x, {}, {.eps = -1.0}); }) ==
        "rms_norm: eps is -1, expected at least 0");
  CHECK(contains(error_of([&] { rms_norm(x, Tensor::zeros({3}, DType::float64)); }),
                 "x is float32 but weight is float64"));
  CHECK(error_of([] { RMSNorm(0); }) == "RMSNorm: over 0 channels");
  RMSNorm layer(3);
  layer.initialise(Rng(1));
  CHECK(same_bits(layer(x).value(), rms_norm(x, Tensor::full({3}, 1)).value()));
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
  CHECK(error_of([] { Conv1d(3, 4, {.kernel = 0}); }) == "Conv1d: a kernel of 0 elements");

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
