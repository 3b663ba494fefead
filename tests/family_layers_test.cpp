// The layers of the rest of the deformable family: what they start as, what they own, that they
// learn.
#include <pliant/layers/cond_conv2d.h>
#include <pliant/layers/dcn_v3.h>
#include <pliant/layers/dcn_v4.h>
#include <pliant/layers/deform_kernel2d.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

// Initialised, in float64.
template <class Layer>
Layer& ready(Layer& layer) {
  layer.initialise(Rng(1));
  layer.to(DType::float64);
  return layer;
}

std::vector<std::string> names(const Module& module) {
  std::vector<std::string> all;
  for (const Parameter& parameter : module.parameters()) all.push_back(parameter.name());
  return all;
}

// Every parameter gets a gradient other than zero, except those named.
template <class Layer>
void check_learns(const Layer& layer, const Tensor& x, const std::vector<std::string>& idle = {}) {
  const Tape tape;
  const Var y = layer(tape.input(x));
  const Gradients gradients = tape.gradients(y, {}, {.cotangent = random(y.shape(), 8)});
  for (const Parameter& parameter : layer.parameters()) {
    CAPTURE(parameter.name());
    const bool expected = std::find(idle.begin(), idle.end(), parameter.name()) == idle.end();
    CHECK((largest(gradients[parameter]) > 0) == expected);
  }
}

// The kernel that a scope one larger starts as: means of four weights.
Tensor means_of_four(const Tensor& scope) {
  const std::int64_t k = scope.dim(0), side = scope.dim(1), c = scope.dim(3);
  Tensor kernel = Tensor::zeros({k, side - 1, side - 1, c}, DType::float64);
  for (std::int64_t at = 0; at < kernel.size(); ++at) {
    const std::int64_t i = at % c, s = at / c % (side - 1), r = at / c / (side - 1) % (side - 1);
    const double* const from =
        scope.data<double>() + at / c / (side - 1) / (side - 1) * side * side * c + i;
    double sum = 0;
    for (std::int64_t u = r; u <= r + 1; ++u)
      for (std::int64_t v = s; v <= s + 1; ++v) sum += from[(u * side + v) * c];
    kernel.mutable_data<double>()[at] = sum / 4;
  }
  return kernel;
}

}  // namespace

TEST_CASE("DeformKernel2d, DeformKernelConv2d, GlobalDeformKernel2d: they start as convolutions") {
  const Tensor x = random({2, 6, 5, 6}, 2);
  for (const std::int64_t groups : {1, 3, 6}) {
    const DeformKernel2dOptions options{.stride = 2, .padding = 1, .groups = groups};
    DeformKernel2d local(6, 6, options);
    DeformKernelConv2d both(6, 6, options);
    GlobalDeformKernel2d global(6, 6, {.stride = 2, .padding = 1, .groups = groups});
    ready(local);
    ready(both);
    ready(global);
    const auto want = [&](const Parameter& weight) {
      return conv2d(x, means_of_four(weight.value()), {},
                    {.stride = 2, .padding = 1, .groups = groups})
          .value();
    };
    CHECK(max_difference(local(x).value(), want(local.weight)) < 1e-12);
    CHECK(max_difference(both(x).value(), want(both.weight)) < 1e-12);
    CHECK(max_difference(global(x).value(), want(global.weight)) < 1e-12);
    const double bound = 1 / std::sqrt(9.0 * 6 / static_cast<double>(groups));
    for (const Parameter& weight : {local.weight, both.weight, global.weight}) {
      CHECK(weight.shape() == Shape{6, 4, 4, 6 / groups});
      CHECK(largest(weight.value()) <= bound);
      CHECK(largest(weight.value()) > 0.8 * bound);
    }
    check_learns(local, x);
    check_learns(both, x);
    check_learns(global, x);
  }
  const DeformKernelConv2d named(4, 4, {.bias = Bias::yes});
  CHECK(names(named) == std::vector<std::string>{"weight", "bias", "rotation.weight",
                                                 "rotation.bias", "offset.weight", "offset.bias"});
  CHECK(contains(error_of([] { DeformKernel2d(4, 4, {.groups = 3}); }),
                 "DeformKernel2d: 4 to 4 channels do not divide into 3 groups"));
  CHECK(contains(error_of([] { DeformKernel2d(4, 4, {.rotation_groups = 5}); }),
                 "5 rotation groups for 4 channels"));
  CHECK(contains(error_of([] { DeformKernel2d(4, 4, {.scope = 0}); }), "the scope is empty"));
}

TEST_CASE("DeformKernel2d: gradients of the whole layer, deformed") {
  DeformKernelConv2d layer(4, 4, {.padding = 1, .groups = 2, .rotation_groups = 2});
  ready(layer);
  for (const Parameter& branch : {layer.rotation.weight, layer.offset.weight}) {
    Parameter changed = branch;
    changed.set(random(branch.shape(), 3, -0.2, 0.2));
  }
  const GradcheckResult result =
      gradcheck([&](const Vars& v) { return layer(v[0]); }, {random({1, 4, 4, 4}, 2)}, {},
                {layer.weight, layer.rotation.weight, layer.offset.weight});
  CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("CondConv2d: half of every expert at the start") {
  CondConv2d layer(4, 6, {.experts = 3, .stride = 2, .padding = 1, .groups = 2});
  const Tensor x = random({3, 5, 6, 4}, 2);
  ready(layer);
  const Tensor half = (sum(layer.weight.value(), {0}) * 0.5).value();
  CHECK(max_difference(
            layer(x).value(),
            conv2d(x, half, layer.bias.value(), {.stride = 2, .padding = 1, .groups = 2}).value()) <
        1e-12);
  CHECK(layer.routes(x).value().to_vector() == std::vector<double>(9, 0.5));
  CHECK(names(layer) ==
        std::vector<std::string>{"weight", "bias", "routing.weight", "routing.bias"});
  check_learns(layer, x);
  layer.routing.weight.set(random({3, 4}, 4));
  const GradcheckResult result =
      gradcheck([&](const Vars& v) { return layer(v[0]); }, {x}, {}, layer.parameters());
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(contains(error_of([] { CondConv2d(4, 4, {.experts = 0}); }), "at least one expert"));
}

TEST_CASE("DCNv4: zero at the start as published, a mean filter by softmax") {
  const Tensor x = random({2, 5, 6, 8}, 2);
  DCNv4 published(8);
  CHECK(largest(ready(published)(x).value()) == 0);
  CHECK(published.offset_mask.weight.shape() == Shape{112, 8});
  CHECK(names(published) == std::vector<std::string>{"offset_mask.weight", "offset_mask.bias",
                                                     "value.weight", "value.bias", "output.weight",
                                                     "output.bias"});
  check_learns(published, x, {"value.weight", "value.bias", "output.weight"});

  DCNv4 mean_filter(8, {.mask = MaskRule::softmax, .pointwise = Pointwise::no});
  const Tensor ninths = Tensor::full({8, 3, 3, 1}, 1.0 / 9, DType::float64);
  CHECK(max_difference(ready(mean_filter)(x).value(),
                       conv2d(x, ninths, {}, {.padding = 1, .groups = 8}).value()) < 1e-12);
  check_learns(mean_filter, x);

  DCNv4 strided(8, {.stride = 2, .depthwise_kernel = 3, .output_bias = Bias::no});
  CHECK(ready(strided)(x).shape() == Shape{2, 3, 3, 8});
  strided.offset_mask.weight.set(random({112, 8}, 5, -0.3, 0.3));
  const GradcheckResult result = gradcheck([&](const Vars& v) { return strided(v[0]); }, {x}, {},
                                           {strided.offset_mask.weight, strided.value->weight});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(contains(error_of([] { DCNv4(8, {.stride = 2}); }), "needs a depthwise convolution"));
  CHECK(contains(error_of([] { DCNv4(6); }), "6 channels do not divide into 4 groups"));
}

TEST_CASE("DCNv3: bad options") {
  CHECK_THROWS_WITH_AS(
      DCNv3(4, {.stride = {2, 1}, .groups = 2, .center_feature = CenterFeature::blended}),
      "DCNv3: a blended centre feature needs stride 1, got 2 x 1", Error);
  CHECK_THROWS_WITH_AS(DCNv3(4, {.groups = 3}), "DCNv3: 4 channels do not divide into 3 groups",
                       Error);
}

TEST_CASE("DCNv3: a mean filter between two linear layers at the start") {
  const Tensor x = random({2, 5, 6, 8}, 2);
  DCNv3 layer(8);
  ready(layer);
  const Tensor ninths = Tensor::full({8, 3, 3, 1}, 1.0 / 9, DType::float64);
  const Var filtered = conv2d(layer.input(x), ninths, {}, {.padding = 1, .groups = 8});
  CHECK(max_difference(layer(x).value(), layer.output(filtered).value()) < 1e-12);
  CHECK(layer.parameters().size() == 12);
  const std::vector<std::string> idle = {"depthwise.weight", "depthwise.bias", "norm.weight",
                                         "norm.bias"};
  check_learns(layer, x, idle);

  DCNv3 blended(
      8, {.groups = 2, .center = CenterTap::remove, .center_feature = CenterFeature::blended});
  ready(blended);
  const Var value = blended.input(x);
  Tensor ring = Tensor::full({8, 3, 3, 1}, 1.0 / 8, DType::float64);
  for (std::int64_t c = 0; c < 8; ++c) ring.mutable_data<double>()[9 * c + 4] = 0;
  const Var around = conv2d(value, ring, {}, {.padding = 1, .groups = 8});
  CHECK(max_difference(blended(x).value(), blended.output((around + value) * 0.5).value()) < 1e-12);
  for (const Parameter& branch :
       {blended.offset.weight, blended.mask.weight, blended.gate->weight}) {
    Parameter changed = branch;
    changed.set(random(branch.shape(), 3, -0.2, 0.2));
  }
  const GradcheckResult result =
      gradcheck([&](const Vars& v) { return blended(v[0]); }, {x}, {}, blended.parameters());
  CHECK_MESSAGE(result.passed, result.message);

  DCNv3 strided(8, {.kernel = 5, .stride = 2, .padding = 2, .depthwise_kernel = 5});
  CHECK(ready(strided)(x).shape() == Shape{2, 3, 3, 8});
  CHECK(contains(error_of([] { DCNv3(6); }), "6 channels do not divide into 4 groups"));
  CHECK(
      contains(error_of([] { DCNv3(8, {.stride = 2, .center_feature = CenterFeature::blended}); }),
               "needs stride 1"));
}
