#include <pliant/autograd/ops/pool2d.h>

#include <algorithm>
#include <vector>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/resample.h>
#include <pliant/autograd/internal/roi.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/pool2d.h>
#include <pliant/core/kernels/roi_pool.h>

namespace pliant {
namespace {

// One direction of a window that moves over a map.
struct WindowAxis {
  const char* along;
  std::int64_t size, kernel, stride, before, after, dilation;
};

// Checks one direction and gives the output's extent along it.
std::int64_t pooled_extent(const char* op, const Shape& x, const WindowAxis& a, Rounding rounding) {
  require(a.kernel >= 1 && a.stride >= 1 && a.dilation >= 1, op, ": kernel ", a.kernel, ", stride ",
          a.stride, " and dilation ", a.dilation, " along ", a.along, " must be at least 1");
  require(a.before >= 0 && a.after >= 0 && a.before <= a.kernel / 2 && a.after <= a.kernel / 2, op,
          ": padding ", a.before, " and ", a.after, " along ", a.along,
          " must be from 0 to half the kernel (", a.kernel, ")");
  require_pixels(op, "the kernel", 1, {a.kernel});
  require_pixels(op, "the stride", 1, {a.stride});
  require_pixels(op, "the dilation", 1, {a.dilation});
  const std::int64_t room = a.size + a.before + a.after - a.dilation * (a.kernel - 1) - 1;
  require(room >= 0 || rounding == Rounding::up, op, ": a window of ", a.kernel,
          " taps with dilation ", a.dilation, " does not fit along ", a.along, " into ", x,
          " padded by ", a.before, " and ", a.after);
  if (rounding == Rounding::down) return room / a.stride + 1;
  const std::int64_t last = ceil_quotient(std::max<std::int64_t>(room, 0), a.stride);
  return last * a.stride < a.size + a.before ? last + 1 : last;
}

void check_map(const char* op, const Var& x) {
  require_rank(op, "the input", x, 4, "[N H W C]");
  require_same_kind(op, x);
  require(x.dim(1) > 0 && x.dim(2) > 0, op, ": the input ", x.shape(), " has no pixels");
  require(x.dim(1) <= kMostPixels / x.dim(2), op, ": the maps of ", x.shape(),
          " have more than 2^31 - 1 pixels");
}

Pool2dGeometry checked_geometry(const Var& x, const MaxPoolOptions& o) {
  constexpr const char* kOp = "max_pool2d";
  check_map(kOp, x);
  const Shape& shape = x.shape();
  const Size2 stride = o.stride.value_or(o.kernel);
  const WindowAxis rows{"H",           shape[1],         o.kernel.h,  stride.h,
                        o.padding.top, o.padding.bottom, o.dilation.h};
  const WindowAxis columns{
      "W", shape[2], o.kernel.w, stride.w, o.padding.left, o.padding.right, o.dilation.w};
  return {.n = shape[0],
          .h = shape[1],
          .w = shape[2],
          .c = shape[3],
          .r = o.kernel.h,
          .s = o.kernel.w,
          .p = pooled_extent(kOp, shape, rows, o.rounding),
          .q = pooled_extent(kOp, shape, columns, o.rounding),
          .stride_h = stride.h,
          .stride_w = stride.w,
          .pad_top = o.padding.top,
          .pad_left = o.padding.left,
          .dilation_h = o.dilation.h,
          .dilation_w = o.dilation.w};
}

ResampleAxis average_axis(const Shape& x, const WindowAxis& a, const AvgPoolOptions& o) {
  return {.rule = o.count_include_pad ? ResampleRule::average_of_padded : ResampleRule::average,
          .size = a.size,
          .out = pooled_extent("avg_pool2d", x, a, o.rounding),
          .kernel = a.kernel,
          .stride = a.stride,
          .before = a.before,
          .after = a.after};
}

// The gradient in public ops, which can be differentiated: each dy goes to the pixel that won; of
// a window without a pixel, index -1, nowhere.
Var gradient_on_tape(const Pool2dGeometry& g, const Tensor& index, const Var& dy) {
  std::vector<std::int64_t> pixels;
  std::vector<double> won;
  for (const double winner : index.to_vector()) {
    pixels.push_back(std::max<std::int64_t>(0, static_cast<std::int64_t>(winner)));
    won.push_back(winner < 0 ? 0 : 1);
  }
  const Shape windows{g.n, g.p * g.q, g.c};
  const Tensor place = Tensor::from(pixels, windows).to(dy.device());
  const Tensor mask = Tensor::from(won, windows).to(dy.dtype()).to(dy.device());
  const Var dx = scatter_add(mask * reshape(dy, windows), 1, place, g.h * g.w);
  return reshape(dx, Shape{g.n, g.h, g.w, g.c});
}

}  // namespace

Var max_pool2d(const Var& x, const MaxPoolOptions& options) {
  const ErrorOp here("max_pool2d");
  const Pool2dGeometry g = checked_geometry(x, options);
  Tensor y = Tensor::empty({g.n, g.p, g.q, g.c}, x.dtype(), x.device());
  Tensor index = Tensor::empty(y.shape(), DType::int32, x.device());
  if (y.size() > 0)
    visit_any_floating("max_pool2d", x.dtype(), [&]<class T>() {
      kernel<MaxPool2dForward<T>, cpu::max_pool2d_forward, cuda::max_pool2d_forward>(
          "max_pool2d", x.device())(g, x.value().data<T>(), y.mutable_data<T>(),
                                    index.mutable_data<std::int32_t>());
    });
  return record(
      "max_pool2d", std::move(y), {x}, {index},
      [g](const NodeView& node) -> Vars {
        if (node.creates_graph())
          return {gradient_on_tape(g, node.saved(0).value(), node.cotangent())};
        const Tensor& dy = node.cotangent().value();
        const Tensor winners = node.saved(0).value();
        Tensor dx = Tensor::empty({g.n, g.h, g.w, g.c}, dy.dtype(), dy.device());
        if (dx.size() == 0) return {dx};
        visit_any_floating("max_pool2d", dy.dtype(), [&]<class T>() {
          kernel<MaxPool2dGradient<T>, cpu::max_pool2d_gradient, cuda::max_pool2d_gradient>(
              "max_pool2d", dy.device())(g, winners.data<std::int32_t>(), dy.data<T>(),
                                         dx.mutable_data<T>());
        });
        return {dx};
      },
      Derivatives::all);
}

Var avg_pool2d(const Var& x, const AvgPoolOptions& o) {
  constexpr const char* kOp = "avg_pool2d";
  const ErrorOp here(kOp);
  check_map(kOp, x);
  const Shape& shape = x.shape();
  const Size2 stride = o.stride.value_or(o.kernel);
  const WindowAxis rows{"H", shape[1], o.kernel.h, stride.h, o.padding.top, o.padding.bottom, 1};
  const WindowAxis columns{"W", shape[2], o.kernel.w, stride.w, o.padding.left, o.padding.right, 1};
  return apply_resample(kOp, x, average_axis(shape, rows, o), average_axis(shape, columns, o));
}

Var adaptive_avg_pool2d(const Var& x, Size2 output) {
  constexpr const char* kOp = "adaptive_avg_pool2d";
  const ErrorOp here(kOp);
  check_map(kOp, x);
  require(output.h >= 1 && output.w >= 1, kOp, ": the output size is ", output.h, " x ", output.w,
          ", expected at least 1 x 1");
  const auto axis = [](std::int64_t size, std::int64_t out) {
    return ResampleAxis{.rule = ResampleRule::average_adaptive, .size = size, .out = out};
  };
  return apply_resample(kOp, x, axis(x.dim(1), output.h), axis(x.dim(2), output.w));
}

// A bin of RoI pooling over a whole image is a bin of this one; its kernel says which pixel won.
Var adaptive_max_pool2d(const Var& x, Size2 output) {
  constexpr const char* kOp = "adaptive_max_pool2d";
  const ErrorOp here(kOp);
  if (is_bfloat16(x)) return in_float32(kOp, adaptive_max_pool2d, x, output);
  check_map(kOp, x);
  const std::int64_t n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  std::vector<double> regions;
  for (std::int64_t image = 0; image < n; ++image)
    for (const std::int64_t corner : {image, std::int64_t{0}, std::int64_t{0}, w - 1, h - 1})
      regions.push_back(static_cast<double>(corner));
  const Tensor rois = Tensor::from(regions, {n, 5}).to(x.dtype()).to(x.device());
  const RoIGeometry g = roi_geometry(kOp, x, rois, output, 1);
  Tensor largest = Tensor::empty({n, g.p * g.q, c}, x.dtype(), x.device());
  Tensor index = Tensor::empty(largest.shape(), DType::int32, x.device());
  if (index.size() > 0)
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<RoIPoolForward<T>, cpu::roi_pool_forward, cuda::roi_pool_forward>(kOp, x.device())(
          g, x.value().data<T>(), rois.data<T>(), largest.mutable_data<T>(),
          index.mutable_data<std::int32_t>());
    });
  const Var pixels = gather(reshape(x, Shape{n, h * w, c}), 1, index.to(DType::int64));
  return reshape(pixels, Shape{n, g.p, g.q, c});
}

Var global_avg_pool2d(const Var& x) {
  const ErrorOp here("global_avg_pool2d");
  require_rank("global_avg_pool2d", "the input", x, 4, "[N H W C]");
  require_same_kind("global_avg_pool2d", x);
  require(x.dim(1) > 0 && x.dim(2) > 0, "global_avg_pool2d: the input ", x.shape(),
          " has no pixels");
  return mean(x, {1, 2});
}

}  // namespace pliant
