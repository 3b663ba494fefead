#include <pliant/core/kernels/layer_norm.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "layer_norm";

template <class T>
void forward(const LayerNormGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  cuda::each(kOp, g.rows, [=] __device__(std::int64_t row) {
    normalise_row(g, x + row * g.c, weight, bias, y + row * g.c);
  });
}

template <class T>
void gradient(const LayerNormGeometry& g, const T* x, const T* weight, const T* dy, T* dx,
              T* dweight, Workspace& workspace) {
  NormScale<T>* const bare = workspace.take<NormScale<T>>(g.rows);
  cuda::each(kOp, g.rows, [=] __device__(std::int64_t row) {
    const std::int64_t at = row * g.c;
    const NormRow<T> statistics = row_statistics(g, x + at);
    bare[row] = norm_scale(statistics, T(1), T(0));
    if (dx != nullptr) row_gradient(g, statistics, x + at, weight, dy + at, dx + at);
  });
  if (dweight == nullptr) return;
  cuda::each(kOp, g.c, [=] __device__(std::int64_t i) {
    double sum = 0;
    for (std::int64_t row = 0; row < g.rows; ++row)
      sum += static_cast<double>(dy[row * g.c + i]) *
             static_cast<double>(bare[row].y(x[row * g.c + i]));
    dweight[i] = static_cast<T>(sum);
  });
}

}  // namespace

constinit FloatKernel<LayerNormForward> cuda::layer_norm_forward{forward, forward};
constinit FloatKernel<LayerNormGradient> cuda::layer_norm_gradient{gradient, gradient};

}  // namespace pliant
