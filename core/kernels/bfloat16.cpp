// Kernels over bfloat16 on the CPU: the float32 kernels, their inputs widened and their results
// rounded once. They are what a GPU's are held against, and let a net of the GPU's run here.
#include <pliant/core/kernels/batch_norm2d.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/deform_conv.h>
#include <pliant/core/kernels/matmul.h>
#include <pliant/core/kernels/pool2d.h>
#include <pliant/core/kernels/reduce.h>
#include <pliant/core/kernels/widening.h>

namespace pliant {
namespace {

using Widening = WideningBy<cpu::convert, cpu::convert>;
constexpr auto widened = Widening::widened;
template <class F>
void rounded(BFloat16* to, std::int64_t n, Workspace& workspace, F f) {
  Widening::rounded(to, n, workspace, f);
}

std::int64_t inputs(const Pool2dGeometry& g) { return g.n * g.h * g.w * g.c; }
std::int64_t outputs(const Pool2dGeometry& g) { return g.n * g.p * g.q * g.c; }

std::int64_t inputs(const ReduceGeometry& g) { return g.outer * g.reduced * g.inner; }

}  // namespace

namespace cpu {

// ---- convolutions ----

void conv2d_forward(const Conv2dGeometry& g, const BFloat16* x, const BFloat16* weight,
                    const BFloat16* bias, BFloat16* y, Workspace& workspace) {
  Widening::conv2d_forward(conv2d_forward, g, x, weight, bias, y, workspace);
}
void conv2d_data_gradient(const Conv2dGeometry& g, const BFloat16* dy, const BFloat16* weight,
                          BFloat16* dx, Workspace& workspace) {
  Widening::conv2d_data_gradient(conv2d_data_gradient, g, dy, weight, dx, workspace);
}
void conv2d_weight_gradient(const Conv2dGeometry& g, const BFloat16* x, const BFloat16* dy,
                            BFloat16* dweight, Workspace& workspace) {
  Widening::conv2d_weight_gradient(conv2d_weight_gradient, g, x, dy, dweight, workspace);
}
void deform_conv_forward(const DeformGeometry& g, const BFloat16* x, const float* offset,
                         const float* mask, const BFloat16* weight, const BFloat16* bias,
                         BFloat16* y, Workspace& workspace) {
  Widening::deform_conv_forward(deform_conv_forward, g, x, offset, mask, weight, bias, y,
                                workspace);
}
void deform_conv_gradient(const DeformGeometry& g, const BFloat16* x, const float* offset,
                          const float* mask, const BFloat16* weight, const BFloat16* dy,
                          BFloat16* dx, float* doffset, float* dmask, BFloat16* dweight,
                          Workspace& workspace) {
  Widening::deform_conv_gradient(deform_conv_gradient, g, x, offset, mask, weight, dy, dx, doffset,
                                 dmask, dweight, workspace);
}

// ---- matmul ----

void matmul(const MatmulGeometry& g, const BFloat16* a, const BFloat16* b, const BFloat16* bias,
            BFloat16* y, Workspace& workspace) {
  const auto count = [&](Sharing sharing) { return sharing == Sharing::shared ? 1 : g.batch; };
  rounded(y, g.batch * g.m * g.n, workspace, [&](float* wide) {
    matmul(g, widened(a, count(g.a) * g.m * g.k, workspace),
           widened(b, count(g.b) * g.k * g.n, workspace), widened(bias, g.n, workspace), wide,
           workspace);
  });
}

// ---- batch_norm2d ----

void batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const BFloat16* x,
                                   const float* weight, const float* bias,
                                   const float* running_mean, const float* running_var, BFloat16* y,
                                   double* mean, double* rstd, float* new_mean, float* new_var,
                                   Workspace& workspace) {
  rounded(y, g.rows * g.c, workspace, [&](float* wide) {
    batch_norm2d_training_forward(g, widened(x, g.rows * g.c, workspace), weight, bias,
                                  running_mean, running_var, wide, mean, rstd, new_mean, new_var,
                                  workspace);
  });
}
void batch_norm2d_forward(const BatchNorm2dGeometry& g, const BFloat16* x, const float* weight,
                          const float* bias, const float* running_mean, const float* running_var,
                          BFloat16* y, double* mean, double* rstd, Workspace& workspace) {
  rounded(y, g.rows * g.c, workspace, [&](float* wide) {
    batch_norm2d_forward(g, widened(x, g.rows * g.c, workspace), weight, bias, running_mean,
                         running_var, wide, mean, rstd, workspace);
  });
}
void batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                           const BFloat16* x, const float* weight, const double* mean,
                           const double* rstd, const BFloat16* dy, BFloat16* dx, float* dweight,
                           float* dbias, Workspace& workspace) {
  rounded(dx, g.rows * g.c, workspace, [&](float* wide) {
    batch_norm2d_gradient(g, statistics, widened(x, g.rows * g.c, workspace), weight, mean, rstd,
                          widened(dy, g.rows * g.c, workspace), wide, dweight, dbias, workspace);
  });
}

// ---- max_pool2d ----

void max_pool2d_forward(const Pool2dGeometry& g, const BFloat16* x, BFloat16* y,
                        std::int32_t* index) {
  Workspace workspace(Device::cpu());
  rounded(y, outputs(g), workspace, [&](float* wide) {
    max_pool2d_forward(g, widened(x, inputs(g), workspace), wide, index);
  });
}
void max_pool2d_gradient(const Pool2dGeometry& g, const std::int32_t* index, const BFloat16* dy,
                         BFloat16* dx) {
  Workspace workspace(Device::cpu());
  rounded(dx, inputs(g), workspace, [&](float* wide) {
    max_pool2d_gradient(g, index, widened(dy, outputs(g), workspace), wide);
  });
}

// ---- reductions ----

void sum_forward(const ReduceGeometry& g, const BFloat16* x, float* y, Workspace& workspace) {
  sum_forward(g, widened(x, inputs(g), workspace), y, workspace);
}
void sum_forward(const ReduceGeometry& g, const BFloat16* x, double* y, Workspace& workspace) {
  sum_forward(g, widened(x, inputs(g), workspace), y, workspace);
}

}  // namespace cpu
}  // namespace pliant
