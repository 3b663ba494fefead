// The gradients of a normalisation once more in public ops: what second derivatives are made of.
// For the .cpp files of such ops.
#pragma once

#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernels/layer_norm.h>

namespace pliant {

// Gradients by x, weight and bias, those wanted of the inputs 0, 1 and 2 of the node, of
//   y = (x - mean) / sqrt(var + eps) * weight + bias
// with the mean and biased variance over `axes` of x seen as `view`, a shape of as many elements;
// weight and bias have one axis, x's last. About zero the mean is 0 and the variance the mean square.
inline Vars norm_gradients(const NodeView& node, const Var& x, const Var& weight, const Shape& view,
                           const std::vector<int>& axes, double eps,
                           NormAbout about = NormAbout::mean) {
  const Var& dy = node.cotangent();
  const Shape channels{dy.dim(-1)};
  Var dx, dweight;
  if (node.wants(0) || node.wants(1)) {
    // In float64, where no square of a float32 overflows and no mean takes digits off x.
    const auto exact = [](const Var& v) { return convert(v, DType::float64); };
    const auto average = [&](const Var& v) { return mean(v, axes, KeepDim::yes); };
    const Var seen = reshape(exact(x), view);
    const Var from = about == NormAbout::mean ? centred(seen, axes) : seen;
    const Var scale = rsqrt(average(square(from)) + eps);
    const Var normal = from * scale;
    if (node.wants(1))
      dweight = convert(sum_to(exact(dy) * reshape(normal, dy.shape()), channels), weight.dtype());
    if (node.wants(0)) {
      const Var slope = reshape(exact(dy) * exact(weight), view);  // by `normal`
      dx = scale * (slope - normal * average(slope * normal));
      if (about == NormAbout::mean) dx = dx - scale * average(slope);
      dx = convert(reshape(dx, dy.shape()), x.dtype());
    }
  }
  return {dx, dweight, node.wants(2) ? sum_to(dy, channels) : Var()};
}

}  // namespace pliant
