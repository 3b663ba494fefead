// create_graph and gradgradcheck: every op whose gradient can be recorded, and the Error of the
// others.
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Case {
  const char* name;
  std::function<Var(const Vars&)> f;
  std::vector<Tensor> inputs;
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const GradcheckResult result = gradgradcheck(one.f, one.inputs);
    CHECK_MESSAGE(result.passed, result.message);
  }
}

// Of either sign, away from 0 and from 1, where functions here have kinks.
Tensor kinkless(const Shape& shape, std::uint64_t seed) {
  const Var sign = 2.0 * Var(gt(random(shape, seed + 100), 0.0)) - 1.0;
  return (random(shape, seed, 0.2, 0.9) * sign).value();
}

Tensor positive(const Shape& shape, std::uint64_t seed) { return random(shape, seed, 0.4, 1.6); }

Tensor integers(const std::vector<std::int64_t>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

using Unary = Var (*)(const Var&);
Case unary_case(const char* name, Unary op, const Tensor& x) {
  return {name, [op](const Vars& v) { return op(v[0]); }, {x}};
}

}  // namespace

TEST_CASE("second derivatives: elementwise functions") {
  const Tensor x = kinkless({2, 3}, 1), above = positive({2, 3}, 2);
  check_all({
      unary_case("relu", relu, x),
      {"leaky_relu", [](const Vars& v) { return leaky_relu(v[0], 0.2); }, {x}},
      unary_case("sigmoid", sigmoid, x),
      unary_case("tanh", tanh, x),
      unary_case("silu", silu, x),
      unary_case("softplus", softplus, x),
      unary_case("gelu", gelu, x),
      unary_case("exp", exp, x),
      unary_case("log", log, above),
      unary_case("sqrt", sqrt, above),
      unary_case("rsqrt", rsqrt, above),
      unary_case("square", square, x),
      unary_case("abs", abs, x),
      unary_case("neg", neg, x),
      {"pow 3", [](const Vars& v) { return pow(v[0], 3); }, {x}},
      {"pow 2", [](const Vars& v) { return pow(v[0], 2); }, {x}},
      {"pow 1", [](const Vars& v) { return pow(v[0], 1); }, {x}},
      {"pow 0", [](const Vars& v) { return pow(v[0], 0); }, {x}},
      {"pow 1.7", [](const Vars& v) { return pow(v[0], 1.7); }, {above}},
      {"clamp", [](const Vars& v) { return square(clamp(v[0], -0.55, 0.52)); }, {x}},
  });
}

TEST_CASE("second derivatives: arithmetic, comparison and choice, broadcast") {
  const Tensor a = kinkless({2, 3}, 3), b = positive({3}, 4), c = kinkless({2, 1}, 5);
  const Tensor mask = Tensor::from({1.0, 0.0, 1.0, 0.0, 0.0, 1.0}, {2, 3});
  check_all({
      {"add", [](const Vars& v) { return square(v[0] + v[1]); }, {a, b}},
      {"sub", [](const Vars& v) { return square(v[0] - v[1]); }, {a, c}},
      {"mul", [](const Vars& v) { return v[0] * v[1]; }, {a, c}},
      {"mul by itself", [](const Vars& v) { return v[0] * v[0]; }, {a}},
      {"div", [](const Vars& v) { return v[0] / v[1]; }, {a, b}},
      {"broadcast_to",
       [](const Vars& v) {
         return exp(broadcast_to(v[0], {2, 3}));
       },
       {c}},
      {"sum_to", [](const Vars& v) { return exp(sum_to(v[0], {3})); }, {a}},
      {"reshape",
       [](const Vars& v) {
         return exp(reshape(v[0], {3, -1}));
       },
       {a}},
      {"pow of two", [](const Vars& v) { return pow(v[0], v[1]); }, {b, c}},
      {"maximum", [](const Vars& v) { return square(maximum(v[0], v[1])); }, {a, b}},
      {"minimum", [](const Vars& v) { return square(minimum(v[0], v[1])); }, {a, c}},
      {"where", [=](const Vars& v) { return where(mask, square(v[0]), exp(v[1])); }, {a, b}},
  });
}

TEST_CASE("second derivatives: reductions") {
  const Tensor x = random({2, 3, 2}, 6);
  check_all({
      {"sum",
       [](const Vars& v) {
         return square(sum(v[0], {0, 2}));
       },
       {x}},
      {"mean", [](const Vars& v) { return square(mean(v[0], {1}, KeepDim::yes)); }, {x}},
      {"variance",
       [](const Vars& v) {
         return variance(v[0], {0, 1});
       },
       {x}},
      {"variance of all", [](const Vars& v) { return sqrt(variance(v[0])); }, {x}},
      {"max", [](const Vars& v) { return square(max(v[0], {1})); }, {x}},
      {"min",
       [](const Vars& v) {
         return exp(min(v[0], {0, 2}, KeepDim::yes));
       },
       {x}},
      {"softmax", [](const Vars& v) { return softmax(v[0]); }, {x}},
      {"softmax along 1", [](const Vars& v) { return softmax(v[0], 1); }, {x}},
      {"log_softmax", [](const Vars& v) { return log_softmax(v[0], 1); }, {x}},
  });
}

TEST_CASE("second derivatives: shapes and indices") {
  const Tensor x = random({2, 3, 2}, 7), y = random({2, 1, 2}, 8);
  const Tensor index = integers({2, 0, 1, 1, 0, 0, 2, 2}, {2, 2, 2});
  const Tensor rows = integers({1, 0, 1}, {3});
  check_all({
      {"permute",
       [](const Vars& v) {
         return exp(permute(v[0], {2, 0, 1}));
       },
       {x}},
      {"slice",
       [](const Vars& v) {
         return exp(slice(v[0], {0, 0, 1}, {2, 3, 2}, {1, 2, 1}));
       },
       {x}},
      {"pad",
       [](const Vars& v) {
         return exp(pad(v[0], {0, 1, 0}, {1, 0, 2}, 0.5));
       },
       {x}},
      {"flip",
       [](const Vars& v) {
         return exp(flip(v[0], {0, 2}));
       },
       {x}},
      {"concat",
       [](const Vars& v) {
         return exp(concat({v[0], v[1], v[0]}, 1));
       },
       {x, y}},
      {"stack",
       [](const Vars& v) {
         return exp(stack({v[0], square(v[0])}, 1));
       },
       {x}},
      {"gather", [=](const Vars& v) { return exp(gather(v[0], 1, index)); }, {x}},
      {"scatter_add",
       [=](const Vars& v) { return exp(scatter_add(v[0], 1, index, 4)); },
       {random({2, 2, 2}, 9)}},
      {"embedding",
       [=](const Vars& v) { return exp(embedding(v[0], rows)); },
       {random({2, 2}, 10)}},
  });
}

TEST_CASE("second derivatives: products and convolutions") {
  const Tensor image = random({2, 4, 5, 2}, 11), bias = random({2}, 12);
  const Tensor kernels = random({2, 3, 2, 2}, 13), grouped = random({2, 2, 2, 1}, 14);
  const ConvOptions strided{.stride = {2, 1}, .padding = {1, 0, 1, 2}};
  const ConvOptions groups{.dilation = 2, .groups = 2};
  check_all({
      {"matmul",
       [](const Vars& v) { return matmul(v[0], v[1]); },
       {random({3, 2}, 15), random({2, 4}, 16)}},
      {"matmul, a batch",
       [](const Vars& v) { return matmul(v[0], v[1]); },
       {random({2, 3, 2}, 17), random({2, 2, 2}, 18)}},
      {"matmul, leading axes broadcast",
       [](const Vars& v) { return matmul(v[0], v[1]); },
       {random({2, 1, 3, 2}, 60), random({2, 2, 2}, 61)}},
      {"matmul, one matrix for all",
       [](const Vars& v) { return matmul(v[0], v[1]); },
       {random({3, 2}, 62), random({2, 2, 4}, 63)}},
      {"matmul, vectors",
       [](const Vars& v) { return matmul(v[0], v[1]); },
       {random({3}, 64), random({3}, 65)}},
      {"linear",
       [](const Vars& v) { return linear(v[0], v[1], v[2]); },
       {random({2, 2, 3}, 19), random({4, 3}, 20), random({4}, 21)}},
      {"linear without bias",
       [](const Vars& v) { return tanh(linear(v[0], v[1])); },
       {random({2, 3}, 22), random({4, 3}, 23)}},
      {"conv2d",
       [=](const Vars& v) { return conv2d(v[0], v[1], v[2], strided); },
       {image, kernels, bias}},
      {"conv2d, groups",
       [=](const Vars& v) { return conv2d(v[0], v[1], {}, groups); },
       {image, grouped}},
      {"conv2d_per_image",
       [=](const Vars& v) { return conv2d_per_image(v[0], v[1], v[2], strided); },
       {image, random({2, 2, 3, 2, 2}, 50), bias}},
      {"cond_conv2d",
       [](const Vars& v) { return cond_conv2d(v[0], v[1], v[2]); },
       {image, random({3, 2, 2, 2, 2}, 51), random({2, 3}, 52)}},
      {"conv2d, depthwise",
       [](const Vars& v) { return conv2d(v[0], v[1], {}, {.padding = 1, .groups = 2}); },
       {image, random({2, 3, 3, 1}, 72)}},
      {"cross_correlation_depthwise",
       [](const Vars& v) { return cross_correlation_depthwise(v[0], v[1]); },
       {random({2, 3, 4, 2}, 73), random({2, 2, 3, 2}, 74)}},
      {"conv_transpose2d",
       [](const Vars& v) {
         return conv_transpose2d(v[0], v[1], v[2], {.stride = 2, .padding = 1});
       },
       {random({1, 2, 3, 2}, 66), random({2, 3, 3, 2}, 67), bias}},
      {"conv2d into tanh",
       [=](const Vars& v) { return tanh(conv2d(v[0], v[1], {}, {})); },
       {image, kernels}},
  });
}

TEST_CASE("second derivatives: normalisation and pooling") {
  const Tensor x = random({2, 3, 2, 2}, 24), weight = positive({2}, 25), bias = random({2}, 26);
  const Tensor mean = random({2}, 27), var = positive({2}, 28);
  const auto trained = [=](const Vars& v) {
    return batch_norm2d_training(v[0], v[1], v[2], mean, var).y;
  };
  check_all({
      {"batch_norm2d, training", trained, {x, weight, bias}},
      {"batch_norm2d, given statistics",
       [=](const Vars& v) { return batch_norm2d(v[0], v[1], v[2], mean, var); },
       {x, weight, bias}},
      {"layer_norm",
       [](const Vars& v) { return layer_norm(v[0], v[1], v[2]); },
       {random({2, 3, 4}, 29), positive({4}, 30), random({4}, 31)}},
      {"group_norm",
       [](const Vars& v) { return group_norm(v[0], 2, v[1], v[2]); },
       {random({2, 2, 1, 4}, 68), positive({4}, 69), random({4}, 70)}},
      {"dropout", [](const Vars& v) { return exp(dropout(v[0], 0.4, Rng(3))); }, {x}},
      {"avg_pool2d",
       [](const Vars& v) {
         return exp(avg_pool2d(v[0], {.kernel = 3, .stride = 2, .padding = 1}));
       },
       {x}},
      {"adaptive_avg_pool2d",
       [](const Vars& v) {
         return exp(adaptive_avg_pool2d(v[0], {2, 1}));
       },
       {x}},
      {"upsample2d",
       [](const Vars& v) {
         return exp(upsample2d(v[0], {.scale = {2, 1.5}, .mode = UpsampleMode::bilinear}));
       },
       {x}},
      {"max_pool2d",
       [](const Vars& v) { return square(max_pool2d(v[0], {.padding = 1})); },
       {random({1, 4, 5, 2}, 32)}},
      {"max_pool2d, windows without a pixel",
       [](const Vars& v) {
         return clamp(max_pool2d(square(v[0]), {.padding = 1, .dilation = 3}), -1, 2);
       },
       {random({1, 2, 2, 1}, 33)}},
      {"global_avg_pool2d", [](const Vars& v) { return square(global_avg_pool2d(v[0])); }, {x}},
  });
}

TEST_CASE("second derivatives: losses") {
  const Tensor a = random({2, 3}, 34), b = random({2, 3}, 35),
               inside = random({2, 3}, 36, 0.1, 0.9);
  const Tensor logits = random({4, 3}, 37, -2, 2), labels = integers({2, -100, 0, 1}, {4});
  const Tensor zero_ignored = integers({2, 0, 0, 1}, {4});
  const Tensor weights = positive({3}, 38);
  check_all({
      {"mse_loss", [](const Vars& v) { return mse_loss(v[0], v[1]); }, {a, b}},
      {"l1_loss", [](const Vars& v) { return square(l1_loss(v[0], v[1])); }, {a, b}},
      {"smooth_l1_loss", [](const Vars& v) { return smooth_l1_loss(v[0], v[1], 0.5); }, {a, b}},
      {"smooth_l1_loss, beta 0",
       [](const Vars& v) { return smooth_l1_loss(v[0], v[1], 0); },
       {a, b}},
      {"binary_cross_entropy_with_logits",
       [](const Vars& v) {
         return binary_cross_entropy_with_logits(v[0], v[1], {.positive_weight = 3});
       },
       {a, inside}},
      {"softmax_cross_entropy",
       [=](const Vars& v) { return softmax_cross_entropy(v[0], labels); },
       {logits}},
      {"softmax_cross_entropy of each row",
       [=](const Vars& v) {
         return softmax_cross_entropy(
             v[0], labels,
             {.label_smoothing = 0.1, .class_weights = weights, .reduction = LossReduction::none});
       },
       {logits}},
      {"softmax_cross_entropy with everything",
       [=](const Vars& v) {
         return softmax_cross_entropy(
             v[0], zero_ignored,
             {.label_smoothing = 0.2, .ignore_index = 0, .class_weights = weights});
       },
       {logits}},
  });
}

TEST_CASE("second derivatives: a small net, its parameters too") {
  Conv2d conv(1, 2, {.kernel = 3, .padding = 1});
  BatchNorm2d norm(2);
  conv.initialise(Rng(1));
  norm.initialise(Rng(2));
  conv.to(DType::float64);
  norm.to(DType::float64);
  const auto net = [&](const Vars& v) { return mean(tanh(norm(conv(v[0]))), {1, 2}); };
  const GradcheckResult result =
      gradgradcheck(net, {random({2, 3, 3, 1}, 39)}, {}, {conv.weight, norm.weight, norm.bias});
  CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("create_graph: ops without a second derivative say so") {
  const Tensor x = random({1, 4, 4, 2}, 43), offset = random({1, 4, 4, 18}, 44);
  const Tensor weight = random({2, 3, 3, 2}, 45);
  const Tensor rois = Tensor::from({0.0, 0.0, 0.0, 3.0, 3.0}, {1, 5});
  const std::vector<Case> cases = {
      {"deform_conv2d",
       [](const Vars& v) { return deform_conv2d(v[0], v[1], v[2], {}, {}, {.padding = 1}); },
       {x, offset, weight}},
      {"grid_sample",
       [](const Vars& v) { return grid_sample(v[0], v[1]); },
       {x, random({1, 2, 3, 2}, 71)}},
      {"map_offsets",
       [](const Vars& v) { return map_offsets(v[0], v[1]); },
       {x, random({1, 4, 4, 4}, 46)}},
      {"roi_align", [=](const Vars& v) { return roi_align(v[0], rois); }, {x}},
      {"global_deform_kernel",
       [](const Vars& v) { return global_deform_kernel(v[0], v[1], v[2], 2); },
       {x, random({1, 8}, 47), weight}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const std::string message = error_of([&] { gradgradcheck(one.f, one.inputs); });
    CHECK(message == std::string(one.name) +
                         ": no second derivative; its gradient is a kernel of its own and cannot "
                         "be recorded (GradientsOptions::create_graph)");
    CHECK(gradcheck(one.f, one.inputs));
  }
}
