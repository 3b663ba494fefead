// The lines of pliant-numerics that are not plain sums: terms scattered over a map, many of them
// into one place; depthwise products; the gradient of a Var of many uses.
#include <pliant/bench/numerics.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>

namespace pliant::numerics {
namespace {

constexpr Index kChannels = 2;
constexpr Index kMany = 1000000, kFew = 10000;

Index side_of(Index n) { return static_cast<Index>(std::sqrt(static_cast<double>(n))); }
Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, DType::float32); }

// The gradient by x [.. C] of sum(op(x) * dy).
template <class Op>
Tensor gradient_of(const Tensor& value, const Tensor& dy, Op op) {
  const Tape tape;
  const Var x = tape.variable(value);
  return tape.gradients(sum(op(x) * dy), {x})[x];
}
// The sums of a [.. C] over all but the last axis; of products with b if that is given.
Exact sums_of(const Tensor& a, const Tensor& b = {}) {
  const Exact x = exact(a), y = b.defined() ? exact(b) : Exact(x.size(), 1);
  Exact sums(static_cast<std::size_t>(kChannels));
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % sums.size()] += x[i] * y[i];
  return sums;
}
// dx of an op that reads its one pixel only: n terms a channel.
template <class Op>
double one_pixel(std::uint64_t seed, const Shape& result, Op op) {
  const Tensor dy = values(seed, result);
  return error_of(gradient_of(values(seed + 1, {1, 1, 1, kChannels}), dy, op), sums_of(dy));
}

double grid_sample_dx(std::uint64_t seed, Index n) {
  return one_pixel(seed, {1, n, 1, kChannels}, [n](const Var& x) {
    return grid_sample(x, zeros({1, n, 1, 2}));
  });
}
Tensor same_regions(Index n) {  // each the one pixel
  Tensor rois = zeros({n, 5});
  float* const at = rois.mutable_data<float>();
  for (Index r = 0; r < n; ++r) at[5 * r + 3] = at[5 * r + 4] = 1;
  return rois;
}
double roi_align_dx(std::uint64_t seed, Index n) {
  return one_pixel(seed, {n, 1, 1, kChannels}, [n](const Var& x) {
    return roi_align(x, same_regions(n), {.output_size = 1, .sampling_ratio = 1});
  });
}
double roi_pool_dx(std::uint64_t seed, Index n) {
  return one_pixel(seed, {n, 1, 1, kChannels},
                   [n](const Var& x) { return roi_pool(x, same_regions(n), {.output_size = 1}); });
}
double deform_roi_pool_dx(std::uint64_t seed, Index n) {
  return one_pixel(seed, {n, 1, 1, kChannels}, [n](const Var& x) {
    return deform_roi_pool(x, zeros({n, 5}), {}, {}, {.pooled_size = 1, .sample_per_part = 1});
  });
}
double embedding_dweight(std::uint64_t seed, Index n) {
  const Tensor dy = values(seed, {n, kChannels});
  const Tensor index = Tensor::zeros({n}, DType::int64);
  return error_of(
      gradient_of(zeros({1, kChannels}), dy, [&](const Var& x) { return embedding(x, index); }),
      sums_of(dy));
}

// Offsets by which every pixel (i, j) reads pixel (0, 0): [side, side, 2 * repeats].
Tensor to_corner(Index side, Index repeats) {
  Tensor offset = zeros({1, side, side, 2 * repeats});
  float* at = offset.mutable_data<float>();
  for (Index i = 0; i < side; ++i)
    for (Index j = 0; j < side; ++j)
      for (Index k = 0; k < repeats; ++k, at += 2) {
        at[0] = static_cast<float>(-i);
        at[1] = static_cast<float>(-j);
      }
  return offset;
}
template <class Op>
double corner(std::uint64_t seed, Index n, Op op) {
  const Index side = side_of(n);
  const Tensor dy = values(seed, {1, side, side, kChannels});
  const Tensor dx = gradient_of(values(seed + 1, dy.shape()), dy, op);
  const float* const first = dx.data<float>();
  return error_of(Tensor::from({static_cast<double>(first[0]), static_cast<double>(first[1])}, {2}),
                  sums_of(dy));
}
double map_offsets_dx(std::uint64_t seed, Index n) {
  const Tensor offset = to_corner(side_of(n), kChannels);
  return corner(seed, n, [&](const Var& x) { return map_offsets(x, offset); });
}
double deform_conv_dx(std::uint64_t seed, Index n) {
  const Tensor offset = to_corner(side_of(n), 1);
  const Tensor weight = Tensor::full({kChannels, 1, 1, 1}, 1);
  return corner(seed, n, [&](const Var& x) {
    return deform_conv2d(x, offset, weight, {}, {}, {.groups = kChannels});
  });
}
double max_pool_dx(std::uint64_t seed, Index n) {  // all windows have the largest value
  const Index side = side_of(n), wide = 2 * side - 1;
  Tensor x = zeros({1, wide, wide, kChannels});
  const Index centre = ((side - 1) * wide + side - 1) * kChannels;
  for (Index c = 0; c < kChannels; ++c) x.mutable_data<float>()[centre + c] = 1;
  const Tensor dy = values(seed, {1, side, side, kChannels});
  const Tensor dx = gradient_of(
      x, dy, [side](const Var& v) { return max_pool2d(v, {.kernel = side, .stride = 1}); });
  const float* const at = dx.data<float>() + centre;
  return error_of(Tensor::from({static_cast<double>(at[0]), static_cast<double>(at[1])}, {2}),
                  sums_of(dy));
}

// ---- depthwise products: [1 1 1 C] against maps, and a map against its like ----

// The gradient of 1x1 depthwise weights of n pixels.
template <class Op>
double weights_of_pixels(std::uint64_t seed, Index n, const Shape& weight, Op op) {
  const Index side = side_of(n);
  const Tensor x = values(2 * seed, {1, side, side, kChannels}),
               dy = values(2 * seed + 1, x.shape());
  const auto of_weight = [&](const Var& w) { return op(Var(x), w); };
  return error_of(gradient_of(Tensor::full(weight, 1), dy, of_weight), sums_of(x, dy));
}
double depthwise_dweight(std::uint64_t seed, Index n) {
  return weights_of_pixels(seed, n, {kChannels, 1, 1, 1}, [](const Var& x, const Var& w) {
    return conv2d(x, w, Var(), {.groups = kChannels});
  });
}
double deform_conv_dweight(std::uint64_t seed, Index n) {
  const Index side = side_of(n);
  return weights_of_pixels(seed, n, {kChannels, 1, 1, 1}, [side](const Var& x, const Var& w) {
    return deform_conv2d(x, zeros({1, side, side, 2}), w, {}, {}, {.groups = kChannels});
  });
}
double deform_kernel_dweight(std::uint64_t seed, Index n) {
  const Index side = side_of(n);
  return weights_of_pixels(seed, n, {kChannels, 1, 1, 1}, [side](const Var& x, const Var& w) {
    return deform_kernel(x, zeros({1, side, side, 2}), w, {}, {.kernel = 1, .groups = kChannels});
  });
}
double correlation_dpattern(std::uint64_t seed, Index n) {
  return weights_of_pixels(seed, n, {1, 1, 1, kChannels}, [](const Var& x, const Var& w) {
    return cross_correlation_depthwise(x, w);
  });
}
double correlation(std::uint64_t seed, Index n) {
  const Index side = side_of(n);
  const Tensor x = values(2 * seed, {1, side, side, kChannels}),
               z = values(2 * seed + 1, x.shape());
  return error_of(cross_correlation_depthwise(x, z).value(), sums_of(x, z));
}
double scope_dweight(std::uint64_t seed, Index n) {  // n kernels [1 1 1 C]
  const Tensor dy = values(seed, {n, 1, 1, 1, kChannels});
  const auto kernels = [n](const Var& w) { return kernels_of_scope(w, zeros({n, 2}), 1); };
  return error_of(gradient_of(zeros({1, 1, 1, kChannels}), dy, kernels), sums_of(dy));
}

double uses_of_var(std::uint64_t seed, Index n) {
  const Tensor dy = values(seed, {n, kChannels});
  const Tape tape;
  const Var x = tape.variable(zeros({kChannels}));
  Var all = sum(x * Tensor::full({kChannels}, 0));
  const float* at = dy.data<float>();
  for (Index i = 0; i < n; ++i, at += kChannels) {
    Tensor term = zeros({kChannels});
    std::copy_n(at, kChannels, term.mutable_data<float>());
    all = all + sum(x * term);
  }
  return error_of(tape.gradients(all, {x})[x], sums_of(dy));
}

}  // namespace

std::vector<Case> scattered_cases() {
  return {
      {"grid_sample, dx", grid_sample_dx, kMany},
      {"roi_align, dx", roi_align_dx, kMany},
      {"roi_pool, dx", roi_pool_dx, kMany},
      {"deform_roi_pool, dx", deform_roi_pool_dx, kMany},
      {"map_offsets, dx", map_offsets_dx, kMany},
      {"deform_conv2d, dx", deform_conv_dx, kMany},
      {"max_pool2d, dx", max_pool_dx, kFew},
      {"embedding, dweight", embedding_dweight, kMany},
      {"conv2d depthwise, dweight", depthwise_dweight, kMany},
      {"deform_conv2d depthwise, dweight", deform_conv_dweight, kMany},
      {"deform_kernel depthwise, dweight", deform_kernel_dweight, kMany},
      {"kernels_of_scope, dweight", scope_dweight, kMany},
      {"cross_correlation_depthwise", correlation, kMany},
      {"cross_correlation_depthwise, dpattern", correlation_dpattern, kMany},
      {"Var of many uses", uses_of_var, kFew},
  };
}

}  // namespace pliant::numerics
