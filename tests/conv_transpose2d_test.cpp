#include <pliant/autograd/ops/conv_transpose2d.h>

#include <pliant/layers/conv_transpose2d.h>
#include <pliant/tests/cases/conv_transpose2d.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The definition: every input pixel adds to what its taps reach.
Tensor by_definition(const ConvTransposeCase& c, const Tensor& x, const Tensor& weight,
                     const Tensor& bias) {
  const auto& [stride, padding, more, dilation, groups] = c.options;
  const std::int64_t filters = weight.dim(0) / groups, channels = weight.dim(3);
  Tensor y = Tensor::empty(c.y, DType::float64);
  double* const to = y.mutable_data<double>();
  for (std::int64_t i = 0; i < y.size(); ++i) to[i] = bias.data<double>()[i % c.y[3]];
  std::int64_t from = 0;
  for (std::int64_t n = 0; n < c.x[0]; ++n)
    for (std::int64_t i = 0; i < c.x[1]; ++i)
      for (std::int64_t j = 0; j < c.x[2]; ++j)
        for (std::int64_t channel = 0; channel < c.x[3]; ++channel, ++from)
          for (std::int64_t k = 0; k < weight.dim(0); ++k)
            for (std::int64_t r = 0; r < weight.dim(1); ++r)
              for (std::int64_t s = 0; s < weight.dim(2); ++s) {
                const std::int64_t row = i * stride.h - padding.top + r * dilation.h;
                const std::int64_t column = j * stride.w - padding.left + s * dilation.w;
                if (row < 0 || row >= c.y[1] || column < 0 || column >= c.y[2]) continue;
                if (k / filters != channel / channels) continue;
                to[((n * c.y[1] + row) * c.y[2] + column) * c.y[3] + k] +=
                    x.data<double>()[from] *
                    weight.data<double>()[((k * weight.dim(1) + r) * weight.dim(2) + s) * channels +
                                          channel % channels];
              }
  return y;
}

}  // namespace

TEST_CASE("conv_transpose2d agrees with its definition") {
  for (const ConvTransposeCase& c : conv_transpose2d_shapes()) {
    CAPTURE(c.name);
    const Tensor x = random(c.x, 1), weight = random(c.weight, 2), bias = random({c.y[3]}, 3);
    const Tensor expected = by_definition(c, x, weight, bias);
    CHECK(max_difference(conv_transpose2d(x, weight, bias, c.options).value(), expected) < 1e-12);
  }
}

TEST_CASE("conv_transpose2d: gradients at edge shapes, threads") {
  check(conv_transpose2d_cases());
}

TEST_CASE("conv_transpose2d: bad arguments") {
  const Var x(random({2, 4, 5, 3}, 1)), good(random({6, 3, 3, 3}, 2));
  const auto message = [&](const Var& weight, const Var& bias,
                           const ConvTransposeOptions& options) {
    return error_of([&] { conv_transpose2d(x, weight, bias, options); });
  };
  CHECK(message(random({6, 3, 3, 1}, 2), {}, {}) ==
        "conv_transpose2d: input has 3 channels but the weight expects 1 (input [2 4 5 3], weight "
        "[6 3 3 1])");
  CHECK(contains(message(good, {}, {.stride = 0}), "stride must be at least 1, got 0 x 0"));
  CHECK(contains(message(good, {}, {.dilation = {1, 0}}), "dilation must be at least 1"));
  CHECK(contains(message(good, {}, {.padding = -1}),
                 "the padding is -1 x -1 x -1 x -1, expected 0 to "));
  CHECK(contains(message(good, {}, {.groups = 0}), "groups must be at least 1, got 0"));
  CHECK(contains(message(random({4, 3, 3, 1}, 4), {}, {.groups = 3}),
                 "4 output channels do not divide into 3 groups"));
  CHECK(contains(message(good, {}, {.stride = 2, .output_padding = {1, 2}}),
                 "output_padding is 2 along the width, expected at least 0 and less than the "
                 "stride (2) or the dilation (1)"));
  CHECK(contains(message(good, {}, {.output_padding = {-1, 0}}),
                 "output_padding is -1 along the "
                 "height"));
  CHECK(contains(message(good, {}, {.padding = 3}), "the height would become 0 (of 4)"));
  CHECK(contains(message(good, random({5}, 5), {}), "bias has shape [5], expected [6]"));
  CHECK(contains(message(random({6, 9}, 6), {}, {}), "the weight has shape [6 9]"));
  CHECK(contains(message(random({6, 0, 3, 3}, 7), {}, {}), "the kernel is empty"));
  CHECK(contains(message(good.value().to(DType::float32), {}, {}), "is float64 but "));
  CHECK(contains(error_of([&] {
                   conv_transpose2d(random({2, 0, 5, 3}, 1), good);
                 }),
                 "the height would become 2 (of 0)"));
  CHECK(contains(error_of([&] { conv_transpose2d(Var(), good); }), "the input is undefined"));
}

TEST_CASE("ConvTranspose2d: the op with the layer's own parameters") {
  ConvTranspose2d layer(
      4, 6, {.kernel = {3, 2}, .stride = 2, .padding = 1, .output_padding = 1, .groups = 2});
  layer.initialise(Rng(1));
  CHECK(layer.weight.shape() == Shape{6, 3, 2, 2});
  const Tensor x = random({2, 3, 4, 4}, 5, -1, 1, DType::float32);
  CHECK(
      max_difference(layer(x).value(),
                     conv_transpose2d(x, layer.weight.value(), layer.bias.value(),
                                      {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2})
                         .value()) == 0);
  for (const Parameter& parameter : {layer.weight, layer.bias}) {
    double largest = 0;
    for (const double v : parameter.value().to_vector()) largest = std::max(largest, std::abs(v));
    CHECK(largest <= 1 / std::sqrt(18.0));
    CHECK(largest > 0.6 / std::sqrt(18.0));
  }
  CHECK(ConvTranspose2d(4, 6, {.bias = Bias::no}).parameters().size() == 1);
  CHECK(contains(error_of([] { ConvTranspose2d(3, 4, {.groups = 2}); }),
                 "3 to 4 channels do not divide into 2 groups"));
  CHECK(contains(error_of([] { ConvTranspose2d(3, 4, {.kernel = 0}); }), "the kernel is empty"));
}
