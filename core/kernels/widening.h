// How a kernel over float32 serves bfloat16: its inputs are widened and its results rounded once.
#pragma once

#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/convert.h>
#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

template <const auto& convert>
struct WideningBy {
  // A copy as float32; of null, null.
  static const float* widened(const BFloat16* x, std::int64_t n, Workspace& workspace) {
    if (x == nullptr) return nullptr;
    float* const wide = workspace.take<float>(n);
    convert(n, x, wide);
    return wide;
  }

  // Calls f with room for a result as float32, which is then rounded to where it belongs; of null,
  // with null.
  template <class F>
  static void rounded(BFloat16* to, std::int64_t n, Workspace& workspace, F f) {
    if (to == nullptr) return f(nullptr);
    float* const wide = workspace.take<float>(n);
    f(wide);
    convert(n, wide, to);
  }

  // Convolutions by a function over float32, `run`.
  template <Conv2dForward<float>* run>
  static void conv2d_forward(const Conv2dGeometry& g, const BFloat16* x, const BFloat16* weight,
                             const BFloat16* bias, BFloat16* y, Workspace& workspace) {
    rounded(y, outputs(g), workspace, [&](float* wide) {
      run(g, widened(x, inputs(g), workspace), widened(weight, weights(g), workspace),
          widened(bias, g.k, workspace), wide, workspace);
    });
  }
  template <Conv2dDataGradient<float>* run>
  static void conv2d_data_gradient(const Conv2dGeometry& g, const BFloat16* dy,
                                   const BFloat16* weight, BFloat16* dx, Workspace& workspace) {
    rounded(dx, inputs(g), workspace, [&](float* wide) {
      run(g, widened(dy, outputs(g), workspace), widened(weight, weights(g), workspace), wide,
          workspace);
    });
  }
  template <Conv2dWeightGradient<float>* run>
  static void conv2d_weight_gradient(const Conv2dGeometry& g, const BFloat16* x, const BFloat16* dy,
                                     BFloat16* dweight, Workspace& workspace) {
    rounded(dweight, weights(g), workspace, [&](float* wide) {
      run(g, widened(x, inputs(g), workspace), widened(dy, outputs(g), workspace), wide, workspace);
    });
  }
  template <DeformConvForward<float>* run>
  static void deform_conv_forward(const DeformGeometry& g,
                                  const DeformConvForwardArgs<BFloat16>& args,
                                  Workspace& workspace) {
    rounded(args.y, outputs(g.conv), workspace, [&](float* wide) {
      run(g,
          {.x = widened(args.x, inputs(g.conv), workspace),
           .offset = args.offset,
           .mask = args.mask,
           .weight = widened(args.weight, weights(g.conv), workspace),
           .bias = widened(args.bias, g.conv.k, workspace),
           .y = wide},
          workspace);
    });
  }
  template <DeformConvGradient<float>* run>
  static void deform_conv_gradient(const DeformGeometry& g,
                                   const DeformConvGradientArgs<BFloat16>& args,
                                   Workspace& workspace) {
    rounded(args.dx, inputs(g.conv), workspace, [&](float* wide_dx) {
      rounded(args.dweight, weights(g.conv), workspace, [&](float* wide_dweight) {
        run(g,
            {.x = widened(args.x, inputs(g.conv), workspace),
             .offset = args.offset,
             .mask = args.mask,
             .weight = widened(args.weight, weights(g.conv), workspace),
             .dy = widened(args.dy, outputs(g.conv), workspace),
             .dx = wide_dx,
             .doffset = args.doffset,
             .dmask = args.dmask,
             .dweight = wide_dweight},
            workspace);
      });
    });
  }

 private:
  static std::int64_t inputs(const Conv2dGeometry& g) { return g.n * g.h * g.w * g.c; }
  static std::int64_t outputs(const Conv2dGeometry& g) { return g.n * g.p * g.q * g.k; }
  static std::int64_t weights(const Conv2dGeometry& g) {
    return g.k * g.r * g.s * (g.c / g.groups);
  }
};

namespace cpu {
using Widening = WideningBy<convert>;
}

}  // namespace pliant
