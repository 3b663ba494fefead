#include <pliant/autograd/ops/conv2d_per_image.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

constexpr const char* kOp = "conv2d_per_image";

// The elements of one image's x, weight and y.
struct Extents {
  std::int64_t x, weight, y;
  explicit Extents(const Conv2dGeometry& g)
      : x(g.h * g.w * g.c), weight(g.k * g.r * g.s * (g.c / g.groups)), y(g.p * g.q * g.k) {}
};

// Calls f(geometry of one image, image) for each of them, all with elements.
template <class F>
void for_each_image(const Conv2dGeometry& g, F&& f) {
  Conv2dGeometry one = g;
  one.n = 1;
  for (std::int64_t image = 0; image < g.n; ++image) f(one, image);
}

Tensor data_gradient(const Conv2dGeometry& g, const Tensor& dy, const Tensor& weight) {
  const Extents extents(g);
  const Shape shape{g.n, g.h, g.w, g.c};
  if (dy.size() == 0 || weight.size() == 0) return Tensor::zeros(shape, dy.dtype(), dy.device());
  Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
  if (dx.size() == 0) return dx;
  visit_floating(kOp, dy.dtype(), [&]<class T>() {
    const auto run =
        kernel<Conv2dDataGradient<T>, cpu::conv2d_data_gradient, cuda::conv2d_data_gradient>(
            kOp, dy.device());
    T* const to = dx.mutable_data<T>();
    for_each_image(g, [&](const Conv2dGeometry& one, std::int64_t image) {
      Workspace workspace(dy.device());
      run(one, dy.data<T>() + image * extents.y, weight.data<T>() + image * extents.weight,
          to + image * extents.x, workspace);
    });
  });
  return dx;
}

Tensor weight_gradient(const Conv2dGeometry& g, const Tensor& x, const Tensor& dy) {
  const Extents extents(g);
  const Shape shape{g.n, g.k, g.r, g.s, g.c / g.groups};
  if (x.size() == 0 || dy.size() == 0) return Tensor::zeros(shape, dy.dtype(), dy.device());
  Tensor dweight = Tensor::empty(shape, dy.dtype(), dy.device());
  if (dweight.size() == 0) return dweight;
  visit_floating(kOp, dy.dtype(), [&]<class T>() {
    const auto run =
        kernel<Conv2dWeightGradient<T>, cpu::conv2d_weight_gradient, cuda::conv2d_weight_gradient>(
            kOp, dy.device());
    T* const to = dweight.mutable_data<T>();
    for_each_image(g, [&](const Conv2dGeometry& one, std::int64_t image) {
      Workspace workspace(dy.device());
      run(one, x.data<T>() + image * extents.x, dy.data<T>() + image * extents.y,
          to + image * extents.weight, workspace);
    });
  });
  return dweight;
}

Tensor forward(const Conv2dGeometry& g, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Extents extents(g);
  Tensor y = Tensor::empty({g.n, g.p, g.q, g.k}, x.dtype(), x.device());
  if (y.size() == 0) return y;
  if (x.size() == 0 || weight.size() == 0) {  // sums of nothing
    const Var zeros = Tensor::zeros(y.shape(), y.dtype(), y.device());
    return bias.defined() ? (zeros + bias).value() : zeros.value();
  }
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    const auto run =
        kernel<Conv2dForward<T>, cpu::conv2d_forward, cuda::conv2d_forward>(kOp, x.device());
    T* const to = y.mutable_data<T>();
    for_each_image(g, [&](const Conv2dGeometry& one, std::int64_t image) {
      Workspace workspace(x.device());
      run(one, x.data<T>() + image * extents.x, weight.data<T>() + image * extents.weight,
          data_or_null<T>(bias), to + image * extents.y, workspace);
    });
  });
  return y;
}

// The gradients in public ops, image by image, for second derivatives.
Vars gradients_on_tape(const Conv2dGeometry& g, const StepView& step) {
  const Var &dy = step.cotangent(), x = step.saved(0), weight = step.saved(1);
  const Shape one_kernel{g.k, g.r, g.s, g.c / g.groups};
  if (x.size() == 0 || weight.size() == 0 || dy.size() == 0)
    return {Tensor::zeros(x.shape(), dy.dtype(), dy.device()),
            Tensor::zeros(weight.shape(), dy.dtype(), dy.device()),
            step.wants(2) ? sum_to(dy, {g.k}) : Var()};
  Vars dx, dweight;
  for_each_image(g, [&](const Conv2dGeometry& one, std::int64_t image) {
    const auto of_image = [&](const Var& v) { return slice_axis(v, 0, image, image + 1); };
    if (step.wants(0))
      dx.push_back(
          conv2d_data_gradient(kOp, one, of_image(dy), reshape(of_image(weight), one_kernel)));
    if (step.wants(1))
      dweight.push_back(conv2d_weight_gradient(kOp, one, of_image(x), of_image(dy)));
  });
  return {dx.empty() ? Var() : concat(dx, 0), dweight.empty() ? Var() : stack(dweight, 0),
          step.wants(2) ? sum_to(dy, {g.k}) : Var()};
}

}  // namespace

Var conv2d_per_image(const Var& x, const Var& weight, const Var& bias, const ConvOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(x))
    return in_float32("conv2d_per_image", conv2d_per_image, x, weight, bias, options);
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_rank(kOp, "the weight", weight, 5, "[N K R S C/groups]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  require(weight.dim(0) == x.dim(0), kOp, ": ", weight.dim(0), " kernels for ", x.dim(0),
          " images (input ", x.shape(), ", weight ", weight.shape(), ")");
  const Shape one{weight.dim(1), weight.dim(2), weight.dim(3), weight.dim(4)};
  const Conv2dGeometry g = conv_geometry(kOp, x.shape(), one, options);
  require_shape_if(kOp, "bias", bias, {g.k});
  return record(
      kOp, forward(g, x.value(), weight.value(), bias.value()), {x, weight, bias},
      {keep_if(weight.wants_gradient(), x), keep_if(x.wants_gradient(), weight)},
      [g](const StepView& step) -> Vars {
        if (step.creates_graph()) return gradients_on_tape(g, step);
        const Tensor& dy = step.cotangent().value();
        Var dx, dweight, dbias;
        if (step.wants(0)) dx = data_gradient(g, dy, step.saved(1).value());
        if (step.wants(1)) dweight = weight_gradient(g, step.saved(0).value(), dy);
        if (step.wants(2)) dbias = sum_to(step.cotangent(), {g.k});
        return {dx, dweight, dbias};
      },
      Derivatives::all);
}

}  // namespace pliant
