#include <pliant/autograd/ops/cross_correlation.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/cross_correlation.h>

namespace pliant {
namespace {

constexpr const char* kOp = "cross_correlation_depthwise";

using Geometry = CrossCorrelationGeometry;

// A pass of type Pass<T>, which takes two tensors, as a new tensor of `shape`.
template <template <class> class Pass, const auto& on_cpu, const auto& on_cuda>
Tensor compute(const Geometry& g, const Tensor& a, const Tensor& b, const Shape& shape) {
  Tensor out = Tensor::empty(shape, a.dtype(), a.device());
  if (out.size() == 0) return out;
  Workspace workspace(a.device());
  visit_floating(kOp, a.dtype(), [&]<class T>() {
    kernel<Pass<T>, on_cpu, on_cuda>(kOp, a.device())(g, a.data<T>(), b.data<T>(),
                                                      out.mutable_data<T>(), workspace);
  });
  return out;
}

Var search_gradient(const Geometry& g, const Var& dy, const Var& pattern);
Var pattern_gradient(const Geometry& g, const Var& search, const Var& dy);

// The three passes as ops: each is linear in both operands, and their gradients are one another.
Var response(const Geometry& g, const Var& search, const Var& pattern) {
  Tensor y = compute<CrossCorrelationForward, cpu::cross_correlation_forward,
                     cuda::cross_correlation_forward>(g, search.value(), pattern.value(),
                                                      {g.n, g.p(), g.q(), g.c});
  return record(
      kOp, std::move(y), {search, pattern},
      {keep_if(pattern.wants_gradient(), search), keep_if(search.wants_gradient(), pattern)},
      [g](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        return {node.wants(0) ? search_gradient(g, dy, node.saved(1)) : Var(),
                node.wants(1) ? pattern_gradient(g, node.saved(0), dy) : Var()};
      },
      Derivatives::all);
}

Var search_gradient(const Geometry& g, const Var& dy, const Var& pattern) {
  Tensor dsearch = compute<CrossCorrelationSearchGradient, cpu::cross_correlation_search_gradient,
                           cuda::cross_correlation_search_gradient>(g, dy.value(), pattern.value(),
                                                                    {g.n, g.h, g.w, g.c});
  return record(
      kOp, std::move(dsearch), {dy, pattern},
      {keep_if(pattern.wants_gradient(), dy), keep_if(dy.wants_gradient(), pattern)},
      [g](const NodeView& node) -> Vars {
        const Var& search = node.cotangent();
        return {node.wants(0) ? response(g, search, node.saved(1)) : Var(),
                node.wants(1) ? pattern_gradient(g, search, node.saved(0)) : Var()};
      },
      Derivatives::all);
}

Var pattern_gradient(const Geometry& g, const Var& search, const Var& dy) {
  Tensor dpattern =
      compute<CrossCorrelationPatternGradient, cpu::cross_correlation_pattern_gradient,
              cuda::cross_correlation_pattern_gradient>(g, search.value(), dy.value(),
                                                        {g.n, g.r, g.s, g.c});
  return record(
      kOp, std::move(dpattern), {search, dy},
      {keep_if(dy.wants_gradient(), search), keep_if(search.wants_gradient(), dy)},
      [g](const NodeView& node) -> Vars {
        const Var& pattern = node.cotangent();
        return {node.wants(0) ? search_gradient(g, node.saved(1), pattern) : Var(),
                node.wants(1) ? response(g, node.saved(0), pattern) : Var()};
      },
      Derivatives::all);
}

}  // namespace

Var cross_correlation_depthwise(const Var& search, const Var& pattern) {
  const ErrorOp here("cross_correlation_depthwise");
  if (is_bfloat16(search))
    return in_float32("cross_correlation_depthwise", cross_correlation_depthwise, search, pattern);
  require_rank(kOp, "the search map", search, 4, "[N H W C]");
  require_rank(kOp, "the pattern", pattern, 4, "[N R S C]");
  require_same_kind(kOp, {{"search", &search}, {"pattern", &pattern}});
  const Shape& x = search.shape();
  const Shape& z = pattern.shape();
  require(x[0] == z[0] && x[3] == z[3], kOp, ": search ", x, " and pattern ", z,
          " must have the same images and channels");
  require(z[1] >= 1 && z[2] >= 1, kOp, ": the pattern ", z, " is empty");
  require(z[1] <= x[1] && z[2] <= x[2], kOp, ": the pattern is ", z[1], " x ", z[2],
          " but the search map only ", x[1], " x ", x[2]);
  return response({x[0], x[1], x[2], x[3], z[1], z[2]}, search, pattern);
}

Var cross_correlation(const Var& search, const Var& patterns) {
  const char* const op = "cross_correlation";
  const ErrorOp here(op);
  require_rank(op, "the search map", search, 4, "[N H W C]");
  require_rank(op, "the set of patterns", patterns, 4, "[N R S K*C]");
  const Shape& x = search.shape();
  const Shape& z = patterns.shape();
  require(x[3] >= 1 && x[0] == z[0] && z[3] % x[3] == 0, op, ": search ", x, " and patterns ", z,
          ", expected [N H W C] and [N R S K*C]");
  const Var each = reshape(patterns, {z[0], z[1], z[2], z[3] / x[3], x[3]});
  return conv2d_per_image(search, permute(each, {0, 3, 1, 2, 4}));
}

}  // namespace pliant
