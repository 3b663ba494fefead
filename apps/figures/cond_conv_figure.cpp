#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/figures/pictures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant::figures {
namespace {

constexpr int kExperts = 3, kDigits = 3, kTaps = 9;

// What each digit is to be convolved with: edges by x, edges by y, and both in equal parts.
Tensor wanted_kernels() {
  return Tensor::from<double>({-0.25, 0,     0.25,  -0.5,  0, 0.5,  -0.25, 0,    0.25,  //
                               -0.25, -0.5,  -0.25, 0,     0, 0,    0.25,  0.5,  0.25,  //
                               -0.25, -0.25, 0,     -0.25, 0, 0.25, 0,     0.25, 0.25},
                              {kDigits, 1, 3, 3, 1});
}

void draw_kernel(page::Svg& svg, double y, double x, const Tensor& kernels, int which) {
  const double* const weights = kernels.data<double>() + which * kTaps;
  page::draw_map(svg, {y, x, 21, 3, 3, 0}, {weights, kTaps}, {-0.6, 0.6, 70});
}

// routing[0] x expert 0 + routing[1] x expert 1 + ... =
void draw_sum(page::Svg& svg, double y, const double* routing, const Tensor& experts) {
  for (int e = 0; e < kExperts; ++e) {
    const double x = 146 + 120.0 * e;
    svg.text(y + 60, x, page::three_digits(std::round(100 * routing[e]) / 100) + " ×");
    draw_kernel(svg, y + 24, x + 42, experts, e);
    svg.text(y + 60, x + 112, e + 1 < kExperts ? "+" : "=", page::Anchor::middle);
  }
}

}  // namespace

Figure cond_conv_experts() {
  const Tensor images = concat({digit(3), digit(5), digit(8)}, 0).value();
  const Tensor wanted = wanted_kernels();
  Vars targets;
  for (std::int64_t n = 0; n < kDigits; ++n)
    targets.push_back(conv2d(images.slice(n, n + 1), wanted.slice(n, n + 1).reshape({1, 3, 3, 1}),
                             {}, {.padding = 1}));
  const Tensor target = concat(targets, 0).value();
  const Parameter experts(noise({kExperts, 1, 3, 3, 1}, 0.3, 11), "experts");
  const Parameter logits(Tensor::zeros({kDigits, kExperts}, DType::float64), "routing");
  const Learned learned = learn({experts, logits}, 400, 0.03, [&](const Tape& tape) {
    return mse_loss(cond_conv2d(images, tape(experts), sigmoid(tape(logits)), {}, {.padding = 1}),
                    target);
  });
  const Tensor routing = sigmoid(logits.value()).value();
  const Tensor mixed = matmul(routing, experts.value().reshape({kExperts, kTaps})).value();
  const Tensor result = cond_conv2d(images, experts.value(), routing, {}, {.padding = 1}).value();
  page::Svg svg(724, 448, "Conditional convolution",
                "Three digits, how much of each expert kernel they take, and the mixed kernels");
  svg.heading(22, 12, "image");
  svg.heading(22, 150, "routing x expert kernels");
  svg.heading(22, 500, "mixed kernel");
  svg.heading(22, 600, "result");
  for (int n = 0; n < kDigits; ++n) {
    const double y = 36 + 124.0 * n;
    page::draw_map(svg, {y, 12, 4, kSide, kSide, 0}, channel(images, 0, n));
    draw_sum(svg, y, routing.data<double>() + n * kExperts, experts.value());
    draw_kernel(svg, y + 24, 506, mixed, n);
    page::draw_map(svg, {y, 600, 4, kSide, kSide, 0}, channel(result, 0, n), {-1.2, 1.2, 60});
  }
  svg.text(422, 12,
           "Kernels from white (negative) to dark (positive). Wanted: edges by x, edges by y, both "
           "in equal parts.");
  svg.text(439, 12, "mean squared difference of the results: " + learned.summary());
  return {"cond-conv2d", svg.file(), learned.summary()};
}

}  // namespace pliant::figures
