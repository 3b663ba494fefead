// Deformable kernels: the scope of weights and where the taps of a location, or of an image, lie in
// it.
#include <cmath>
#include <functional>
#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/figures/pictures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernels/global_deform_kernel.h>

namespace pliant::figures {
namespace {

constexpr int kScope = 7, kKernel = 3, kTaps = kKernel * kKernel, kChannels = 4, kEach = 5;
constexpr double kTop = 36;
const DeformKernelOptions kOptions{.kernel = kKernel, .padding = 1, .groups = kChannels};
const DeformKernelOptions kDilated{
    .kernel = kKernel, .padding = 2, .dilation = 2, .groups = kChannels};

// Number k of what is stored: a Gaussian times x, y, xy, (x^2 - y^2) / 2 and 1. The first two are
// about its derivatives.
double stored(int k, double y, double x) {
  const double factors[kEach] = {x, y, x * y, (x * x - y * y) / 2, 1};
  return factors[k] * std::exp(-(x * x + y * y) / 8);
}

// All of them for each of the input's channels, [kEach * kChannels side side 1]; neighbours are so
// many positions of the scope apart.
Tensor weights_of(int side, double spacing = 1) {
  std::vector<double> weights;
  const double middle = (side - 1) / 2.0;
  for (int k = 0; k < kEach * kChannels; ++k)
    for (int i = 0; i < side; ++i)
      for (int j = 0; j < side; ++j)
        weights.push_back(stored(k % kEach, spacing * (i - middle), spacing * (j - middle)));
  return Tensor::from<double>(weights, {kEach * kChannels, side, side, 1});
}

// What convolutions give by those weights when they are turned, at each location, by its direction
// from the middle: the first is the derivative along that direction.
Tensor turned_results(const Tensor& maps) {
  const Var plain = conv2d(maps, weights_of(kKernel), {}, {.padding = 1, .groups = kChannels});
  const Var direction = reshape(angular_basis(), {1, kSide, kSide, 3});
  const Var cosine = slice_axis(direction, 3, 1, 2), sine = slice_axis(direction, 3, 2, 3);
  const Var twice_cosine = cosine * cosine - sine * sine, twice_sine = 2.0 * cosine * sine;
  Vars all;
  for (std::int64_t c = 0; c < kChannels; ++c) {
    const auto of = [&](std::int64_t k) {
      return slice_axis(plain, 3, kEach * c + k, kEach * c + k + 1);
    };
    all.push_back(cosine * of(0) + sine * of(1));
    all.push_back(cosine * of(1) - sine * of(0));
    all.push_back(twice_cosine * of(2) - twice_sine * of(3));
    all.push_back(twice_cosine * of(3) + twice_sine * of(2));
    all.push_back(of(4));
  }
  return concat(all, 3).value();
}

DeformKernelGeometry geometry(const DeformKernelOptions& options = kOptions) {
  DeformKernelGeometry g;
  g.conv = conv_geometry(
      "figures", {1, kSide, kSide, kChannels}, {kEach * kChannels, kKernel, kKernel, 1},
      {.padding = options.padding, .dilation = options.dilation, .groups = kChannels});
  g.scope_h = g.scope_w = kScope;
  return g;
}

// Where the taps of a location lie in the scope.
std::vector<page::Tap> taps_in_scope(const DeformKernelGeometry& g, const Tensor& rotation,
                                     const page::Place& at, int colour) {
  std::vector<page::Tap> taps;
  const std::int64_t row =
      static_cast<std::int64_t>(at.y) * kSide + static_cast<std::int64_t>(at.x);
  for (std::int64_t t = 0; t < kTaps; ++t) {
    const double* const d = rotation.data<double>() + 2 * rotation_pair(g, row, 0, t);
    const page::Place regular{g.scope_row<double>(t / kKernel),
                              g.scope_column<double>(t % kKernel)};
    taps.push_back({regular, {regular.y + d[0], regular.x + d[1]}, 1, colour});
  }
  return taps;
}

// The weights that those taps read, as the kernel reads them.
std::vector<double> kernel_at(const DeformKernelGeometry& g, const Tensor& rotation,
                              const Tensor& scope, const page::Place& at) {
  std::vector<double> weights;
  const std::int64_t row =
      static_cast<std::int64_t>(at.y) * kSide + static_cast<std::int64_t>(at.x);
  for (std::int64_t t = 0; t < kTaps; ++t) {
    const double* const d = rotation.data<double>() + 2 * rotation_pair(g, row, 0, t);
    const BilinearTap<double> tap = scope_tap(g, t / kKernel, t % kKernel, d[0], d[1]);
    double values[4];
    for (int k = 0; k < 4; ++k)
      values[k] = tap.pixel[k] < 0 ? 0 : scope.data<double>()[tap.pixel[k]];
    weights.push_back(apply(tap.weight, values));
  }
  return weights;
}

// The kernel that the location's direction asks for.
std::vector<double> wanted_at(const page::Place& at) {
  const Tensor plain = weights_of(kKernel), basis = angular_basis();
  const double* const direction =
      basis.data<double>() + 3 * (static_cast<int>(at.y) * kSide + static_cast<int>(at.x));
  std::vector<double> weights;
  weights.reserve(kTaps);
  for (int t = 0; t < kTaps; ++t)
    weights.push_back(direction[1] * plain.data<double>()[t] +
                      direction[2] * plain.data<double>()[kTaps + t]);
  return weights;
}

const page::Shades kSigned{-1.3, 1.3, 70};

// The scope of a location with its taps; below, the kernel it gets and the one it should.
void draw_scope(page::Svg& svg, double x, const std::string& name, const Tensor& rotation,
                const Tensor& scope, const std::vector<double>& wanted, const page::Place& at,
                int colour) {
  const DeformKernelGeometry g = geometry();
  const page::Frame frame{kTop, x, 27, kScope, kScope, 0};
  svg.heading(22, x, "scope 7 x 7, taps of " + name);
  const std::vector<double> first(scope.data<double>(), scope.data<double>() + kScope * kScope);
  page::draw_map(svg, frame, first, kSigned);
  const std::vector<page::Tap> taps = taps_in_scope(g, rotation, at, colour);
  page::draw_lattice(svg, frame, taps);
  page::draw_taps(svg, frame, taps);
  const page::Frame got{kTop + 216, x, 28, kKernel, kKernel, 0};
  const page::Frame beside{kTop + 216, x + 106, 28, kKernel, kKernel, 0};
  svg.text(kTop + 208, x, "its kernel");
  page::draw_map(svg, got, kernel_at(g, rotation, scope, at), kSigned);
  svg.text(kTop + 208, x + 106, "wanted");
  page::draw_map(svg, beside, wanted, kSigned);
}

// The picture with two locations and the directions that their kernels should have.
void draw_directions(page::Svg& svg, const page::Frame& frame, const std::vector<page::Place>& at) {
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double y = at[i].y - 13.5, x = at[i].x - 13.5, length = std::hypot(y, x);
    const page::Place from = frame.at(at[i]);
    svg.arrow(from, {from.y + 26 * y / length, from.x + 26 * x / length}, page::kColours[i]);
    svg.circle(from, 4, "stroke=\"#ffffff\" fill=\"" + std::string(page::kColours[i]) + '"');
    svg.text(from.y - 26 * y / length + 4, from.x - 26 * x / length, i == 0 ? "A" : "B",
             page::Anchor::middle);
  }
}

Tensor value_of(const Tensor& basis, const Parameter& coefficients) {
  const Tape tape;
  return field_of(tape, basis, coefficients).value();
}

}  // namespace

Figure deform_kernel_scope() {
  const Tensor maps = blurred(digit(0)), scope = weights_of(kScope), basis = angular_basis();
  const Tensor target = turned_results(maps);
  const Parameter rotation(Tensor::zeros({3, 2 * kTaps}, DType::float64), "rotation");
  const Learned learned = learn({rotation}, 400, 0.02, [&](const Tape& tape) {
    return mse_loss(deform_kernel(maps, field_of(tape, basis, rotation), scope, {}, kOptions),
                    target);
  });
  const Tensor field = value_of(basis, rotation);
  const std::vector<page::Place> at = {on_stroke(maps, {5, 20}), on_stroke(maps, {17, 7})};
  page::Svg svg(724, 388, "Deformable kernels",
                "Two locations of a digit and where their taps lie in the scope of weights");
  const page::Frame frame{kTop, 12, 10, kSide, kSide, 0};
  svg.heading(22, 12, "map; arrows: the derivative wanted there");
  page::draw_map(svg, frame, channel(maps, 0));
  draw_directions(svg, frame, at);
  draw_scope(svg, 316, "A", field, scope, wanted_at(at[0]), at[0], 0);
  draw_scope(svg, 522, "B", field, scope, wanted_at(at[1]), at[1], 1);
  svg.text(kTop + 322, 12,
           "○ taps without rotation; ● learned places; weights from white (negative) to dark "
           "(positive)");
  svg.text(kTop + 340, 12,
           "mean squared difference to what turned kernels give (five each): " + learned.summary());
  return {"deform-kernel", svg.file(), learned.summary()};
}

namespace {

// Where the taps of a location read the map.
std::vector<page::Tap> taps_on_map(const DeformKernelGeometry& g, const Tensor& offset,
                                   const page::Place& at, int colour) {
  std::vector<page::Tap> taps;
  const auto p = static_cast<std::int64_t>(at.y), q = static_cast<std::int64_t>(at.x);
  for (std::int64_t t = 0; t < kTaps; ++t) {
    const double* const d = offset.data<double>() + 2 * ((p * kSide + q) * kTaps + t);
    const page::Place regular{static_cast<double>(g.conv.row(p, t / kKernel)),
                              static_cast<double>(g.conv.column(q, t % kKernel))};
    taps.push_back({regular, {regular.y + d[0], regular.x + d[1]}, 0.8, colour});
  }
  return taps;
}

}  // namespace

Figure deform_kernel_conv_scope() {
  const Tensor plain = blurred(digit(0)), scope = weights_of(kScope);
  const Tensor maps = transformed(plain, {.zoom = 1.3});
  const Tensor wide = weights_of(kKernel, 1.6), along = affine_basis();
  const Tensor target =
      conv2d(plain, wide, {}, {.padding = 2, .dilation = 2, .groups = kChannels}).value();
  const std::vector<double> kernel(wide.data<double>(), wide.data<double>() + kTaps);
  const Parameter rotation(Tensor::zeros({3, 2 * kTaps}, DType::float64), "rotation");
  const Parameter offset(Tensor::zeros({3, 2 * kTaps}, DType::float64), "offset");
  const Learned learned = learn({rotation, offset}, 700, 0.01, [&](const Tape& tape) {
    return mse_loss(deform_kernel_conv(maps, field_of(tape, along, offset),
                                       field_of(tape, along, rotation), scope, {}, kDilated),
                    target);
  });
  const Tensor turns = value_of(along, rotation), moves = value_of(along, offset);
  const std::vector<page::Place> at = {on_stroke(plain, {5, 20}), on_stroke(plain, {17, 7})};
  page::Svg svg(724, 388, "Deformable kernels with deformed samples",
                "Two locations: where their taps read the map, and where they lie in the scope");
  const page::Frame frame{kTop, 12, 10, kSide, kSide, 0};
  svg.heading(22, 12, "the digit shrunk: where A and B read it");
  page::draw_map(svg, frame, channel(maps, 0));
  const DeformKernelGeometry g = geometry(kDilated);
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::vector<page::Tap> taps = taps_on_map(g, moves, at[i], static_cast<int>(i));
    page::draw_lattice(svg, frame, taps);
    page::draw_taps(svg, frame, taps);
  }
  draw_scope(svg, 316, "A", turns, scope, kernel, at[0], 0);
  draw_scope(svg, 522, "B", turns, scope, kernel, at[1], 1);
  svg.text(kTop + 322, 12,
           "○ regular taps; ● learned places, on the map (left) and in the scope (right); A "
           "blue, B orange");
  svg.text(kTop + 340, 12,
           "mean squared difference to conv2d of the digit as it was by wanted kernels: " +
               learned.summary());
  return {"deform-kernel-conv", svg.file(), learned.summary()};
}

namespace {

// A Gaussian [1 side side 1], its taps so many positions of the scope apart.
Tensor gaussian(int side, double spacing) {
  std::vector<double> weights;
  for (int i = 0; i < side; ++i)
    for (int j = 0; j < side; ++j) {
      const double y = spacing * (i - (side - 1) / 2.0), x = spacing * (j - (side - 1) / 2.0);
      weights.push_back(std::exp(-(x * x + y * y) / 2.4) / 4);
    }
  return Tensor::from<double>(weights, {1, side, side, 1});
}

// Where a tap reads the scope: the middle of its weights.
page::Place place_of(const BilinearTap<double>& tap) {
  page::Place place;
  for (int k = 0; k < 4; ++k) {
    if (tap.pixel[k] < 0) continue;
    const int row = tap.pixel[k] / kScope, column = tap.pixel[k] % kScope;
    place.y += tap.weight[k] * row;
    place.x += tap.weight[k] * column;
  }
  return place;
}

// An image, where its taps lie in the scope, its kernel and the one it should have.
void draw_image(page::Svg& svg, int n, const std::vector<double>& image, const Tensor& scope,
                const Tensor& offsets, const Tensor& wanted) {
  const GlobalDeformKernelGeometry g{2, 1, 1, kKernel, kKernel, kScope, kScope};
  const double x = 12 + 358.0 * n;
  const page::Frame places{kTop, x + 164, 26, kScope, kScope, 0};
  svg.heading(22, x, n == 0 ? "image 1: less blur wanted" : "image 2: more blur wanted");
  svg.heading(22, x + 164, "scope 7 x 7, taps");
  page::draw_map(svg, {kTop, x, 5.4, kSide, kSide, 0}, image);
  page::draw_map(svg, places, {scope.data<double>(), kScope * kScope}, {0, 0.26, 70});
  std::vector<page::Tap> taps;
  for (std::int64_t t = 0; t < kTaps; ++t) {
    const double* const d = offsets.data<double>() + (n * kTaps + t) * 2;
    taps.push_back({place_of(global_deform_kernel_tap(g, t, 0.0, 0.0)),
                    place_of(global_deform_kernel_tap(g, t, d[0], d[1])), 1, n});
  }
  page::draw_taps(svg, places, taps);
  const Tensor kernels = kernels_of_scope(scope, offsets, kKernel).value();
  const double y = kTop + 212;
  svg.text(y - 8, x, "its kernel");
  page::draw_numbers(svg, {y, x, 38, kKernel, kKernel, 0},
                     {kernels.data<double>() + n * kTaps, kTaps}, {0, 0.26, 120});
  svg.text(y - 8, x + 164, "wanted");
  page::draw_numbers(svg, {y, x + 164, 38, kKernel, kKernel, 0}, {wanted.data<double>(), kTaps},
                     {0, 0.26, 120});
}

}  // namespace

Figure global_deform_kernel_scope() {
  const Tensor images = concat({digit(7), digit(9)}, 0).value(), scope = gaussian(kScope, 1);
  const double spacings[] = {1.7, 0.6};
  Vars targets;
  for (std::int64_t n = 0; n < 2; ++n)
    targets.push_back(
        conv2d(images.slice(n, n + 1), gaussian(kKernel, spacings[n]), {}, {.padding = 1}));
  const Tensor target = concat(targets, 0).value();
  const Parameter offsets(Tensor::zeros({2, 2 * kTaps}, DType::float64), "offset");
  const Learned learned = learn({offsets}, 300, 0.03, [&](const Tape& tape) {
    return mse_loss(global_deform_kernel(images, tape(offsets), scope, kKernel, {}, {.padding = 1}),
                    target);
  });
  page::Svg svg(
      724, 410, "Global deformable kernels",
      "Two images, where the taps of each lie in the scope of weights, and their kernels");
  for (int n = 0; n < 2; ++n)
    draw_image(svg, n, channel(images, 0, n), scope, offsets.value(),
               gaussian(kKernel, spacings[n]));
  svg.text(kTop + 346, 12, "○ taps without offsets; ● learned places, one set for each image");
  svg.text(kTop + 362, 12,
           "mean squared difference to convolutions by the wanted kernels: " + learned.summary());
  return {"global-deform-kernel", svg.file(), learned.summary()};
}

}  // namespace pliant::figures
