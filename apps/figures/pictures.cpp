#include <pliant/apps/figures/pictures.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <pliant/apps/page/svg.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/data/digits.h>
#include <pliant/layers/train/optimizer.h>

namespace pliant::figures {
namespace {

constexpr double kMiddle = (kSide - 1) / 2.0;

// One pass of a blur along rows (step 1) or columns (step kSide).
std::vector<double> blurred_along(const std::vector<double>& from, double width, bool rows) {
  const int reach = static_cast<int>(std::ceil(3 * width));
  std::vector<double> to(from.size());
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j) {
      double sum = 0, whole = 0;
      for (int d = -reach; d <= reach; ++d) {
        const double weight = std::exp(-d * d / (2 * width * width));
        const int y = rows ? i : i + d, x = rows ? j + d : j;
        whole += weight;
        if (y >= 0 && y < kSide && x >= 0 && x < kSide)
          sum += weight * from[static_cast<std::size_t>(y * kSide + x)];
      }
      to[static_cast<std::size_t>(i * kSide + j)] = sum / whole;
    }
  return to;
}

// [28*28 count] by what `of` says of row and column, both -1..1.
Tensor basis(const std::function<std::vector<double>(double, double)>& of) {
  std::vector<double> values;
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j)
      for (const double v : of((i - kMiddle) / kMiddle, (j - kMiddle) / kMiddle))
        values.push_back(v);
  const auto count = static_cast<std::int64_t>(values.size()) / (kSide * kSide);
  return Tensor::from<double>(values, {kSide * kSide, count});
}

}  // namespace

Tensor digit(int label) {
  const LabelledImages digits = make_digits(64, Rng(2017));
  const std::int64_t* const labels = digits.labels.data<std::int64_t>();
  const std::int64_t* const found = std::find(labels, labels + digits.size(), label);
  const std::int64_t which = found - labels;
  require(which < digits.size(), "figures: none of the ", digits.size(), " digits is a ", label);
  Tensor picture = Tensor::empty({1, kSide, kSide, 1}, DType::float64);
  const std::uint8_t* const pixels = digits.images.data<std::uint8_t>() + which * kSide * kSide;
  std::transform(pixels, pixels + kSide * kSide, picture.mutable_data<double>(),
                 [](std::uint8_t pixel) { return pixel / 255.0; });
  return picture;
}

Tensor blurred(const Tensor& picture) {
  std::vector<Tensor> maps;
  for (const double width : {0.5, 1.2, 2.4, 4.8}) {
    std::vector<double> map = blurred_along(channel(picture, 0), width, true);
    map = blurred_along(map, width, false);
    const double most = *std::max_element(map.begin(), map.end());
    for (double& value : map) value /= most;
    maps.push_back(Tensor::from<double>(map, {1, kSide, kSide, 1}));
  }
  return side_by_side(maps);
}

Tensor transformed(const Tensor& maps, const Similarity& by) {
  const std::int64_t channels = maps.dim(3);
  const double turn = by.degrees * std::numbers::pi / 180;
  const double c = by.zoom * std::cos(turn), s = by.zoom * std::sin(turn);
  Tensor result = Tensor::zeros(maps.shape(), DType::float64);
  double* to = result.mutable_data<double>();
  const double* const from = maps.data<double>();
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j, to += channels) {
      const double y = i - kMiddle - by.down, x = j - kMiddle - by.right;
      const auto tap = bilinear_tap(c * y - s * x + kMiddle, s * y + c * x + kMiddle,
                                    std::int64_t{kSide}, std::int64_t{kSide}, Border::zeros);
      for (int k = 0; k < 4; ++k)
        for (std::int64_t at = 0; at < channels && tap.pixel[k] >= 0; ++at)
          to[at] += tap.weight[k] * from[tap.pixel[k] * channels + at];
    }
  return result;
}

Tensor unevenly_bright(const Tensor& maps) {
  Tensor result = maps.clone();
  double* value = result.mutable_data<double>();
  for (int at = 0; at < kSide * kSide; ++at)
    for (std::int64_t c = 0; c < maps.dim(3); ++c)
      *value++ *= at % kSide <= 10 ? 1.6 : at % kSide <= 15 ? 1.0 : 0.6;
  return result;
}

Tensor noise(const Shape& shape, double deviation, std::uint64_t seed) {
  Tensor result = Tensor::empty(shape, DType::float64);
  double* const values = result.mutable_data<double>();
  for (std::int64_t i = 0; i < result.size(); ++i)
    values[i] = deviation * Rng(seed).normal(static_cast<std::uint64_t>(i));
  return result;
}

Tensor side_by_side(const std::vector<Tensor>& maps) {
  return concat(Vars(maps.begin(), maps.end()), 3).value();
}

std::vector<double> channel(const Tensor& maps, std::int64_t which, std::int64_t image) {
  std::vector<double> values;
  const std::int64_t pixels = maps.dim(1) * maps.dim(2), channels = maps.dim(3);
  const double* const from = maps.data<double>() + image * pixels * channels + which;
  for (std::int64_t i = 0; i < pixels; ++i) values.push_back(from[i * channels]);
  return values;
}

page::Place on_stroke(const Tensor& picture, const page::Place& near) {
  const std::vector<double> ink = channel(picture, 0);
  page::Place best = near;
  double least = HUGE_VAL;
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j) {
      const double distance = std::hypot(i - near.y, j - near.x);
      if (ink[static_cast<std::size_t>(i * kSide + j)] < 0.7 || distance >= least) continue;
      least = distance;
      best = {static_cast<double>(i), static_cast<double>(j)};
    }
  return best;
}

Tensor affine_basis() {
  return basis([](double y, double x) { return std::vector<double>{1, y, x}; });
}

Tensor quadratic_basis() {
  return basis(
      [](double y, double x) { return std::vector<double>{1, y, x, y * y, y * x, x * x}; });
}

Tensor angular_basis() {
  return basis([](double y, double x) {
    const double length = std::hypot(y, x);
    return std::vector<double>{1, x / length, y / length};
  });
}

Var field_of(const Tape& tape, const Tensor& basis, const Parameter& coefficients) {
  return reshape(matmul(basis, tape(coefficients)), {1, kSide, kSide, coefficients.shape()[1]});
}

std::string Learned::summary() const {
  return page::three_digits(before) + " -> " + page::three_digits(after) + " in " +
         std::to_string(steps) + " Adam steps";
}

Learned learn(const std::vector<Parameter>& parameters, int steps, double rate,
              const std::function<Var(const Tape&)>& loss) {
  Learned learned;
  learned.steps = steps;
  Adam adam(parameters, {.lr = rate});
  for (int step = 0; step <= steps; ++step) {
    const Tape tape;
    const Var value = loss(tape);
    if (step == 0) learned.before = value.value().item();
    learned.after = value.value().item();
    if (step == steps) break;
    adam.set_lr(rate * std::min(1.0, 2.0 * (steps - step) / steps));
    adam.step(tape.gradients(value));
  }
  return learned;
}

}  // namespace pliant::figures
