#include <pliant/core/kernels/batch_norm2d.h>

#include <pliant/cuda/channel_sums.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "batch_norm2d";
// Batches are one image of rows.
ChannelsGeometry channels(const BatchNorm2dGeometry& g) { return {1, g.rows, g.c}; }

// ---- forward ----

template <class T>
void normalise(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight, const Wide<T>* bias,
               const double* mean, const double* rstd, T* y, Workspace& workspace) {
  using W = Wide<T>;
  auto* const scale = workspace.take<NormScale<W>>(g.c);
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    scale[c] = norm_scale(NormRow<W>(mean[c], rstd[c]), weight[c], bias[c]);
  });
  each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) { y[i] = T(scale[i % g.c].y(W(x[i]))); });
}

template <class T>
void training_forward(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight,
                      const Wide<T>* bias, const Wide<T>* running_mean, const Wide<T>* running_var,
                      T* y, double* mean, double* rstd, Wide<T>* new_mean, Wide<T>* new_var,
                      Workspace& workspace) {
  const double* const exact = channel_moments(kOp, channels(g), x, workspace);  // [2 c]
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    const auto rows = static_cast<double>(g.rows);
    const Moments moments = moments_again<Wide<T>>(
        Moments{exact[c], exact[g.c + c], 1}, g.eps, g.rows,
        [=](std::int64_t row) { return static_cast<double>(x[row * g.c + c]); });
    mean[c] = moments.true_mean();
    rstd[c] = moments.rstd(rows, g.eps);
    new_mean[c] = running_average(g, running_mean[c], mean[c]);
    new_var[c] = running_average(g, running_var[c], moments.variance(rows - 1));
  });
  normalise(g, x, weight, bias, mean, rstd, y, workspace);
}

template <class T>
void forward(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight, const Wide<T>* bias,
             const Wide<T>* running_mean, const Wide<T>* running_var, T* y, double* mean,
             double* rstd, Workspace& workspace) {
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    mean[c] = static_cast<double>(running_mean[c]);
    rstd[c] = given_rstd(g, running_var[c]);
  });
  normalise(g, x, weight, bias, mean, rstd, y, workspace);
}

// ---- gradient ----

// dx under statistics of the batch.
template <class T>
void batch_data_gradient(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight,
                         const NormRow<Wide<T>>* row, const double* sums, const T* dy, T* dx,
                         Workspace& workspace) {
  using W = Wide<T>;
  auto* const slope = workspace.take<NormSlope<W>>(g.c);
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    const double share = static_cast<double>(weight[c]) / static_cast<double>(g.rows);
    slope[c] = norm_slope(row[c], weight[c], sums[c] * share, sums[g.c + c] * share);
  });
  each(kOp, g.rows * g.c,
       [=] __device__(std::int64_t i) { dx[i] = T(slope[i % g.c].dx(W(x[i]), W(dy[i]))); });
}

template <class T>
void gradient(const BatchNorm2dGeometry& g, NormStatistics statistics, const T* x,
              const Wide<T>* weight, const double* mean, const double* rstd, const T* dy, T* dx,
              Wide<T>* dweight, Wide<T>* dbias, Workspace& workspace) {
  using W = Wide<T>;
  const bool through_batch = dx != nullptr && statistics == NormStatistics::of_batch;
  const bool needs_x = dweight != nullptr || through_batch;
  NormRow<W>* row = nullptr;
  if (needs_x) {
    row = workspace.take<NormRow<W>>(g.c);
    each(kOp, g.c, [=] __device__(std::int64_t c) { row[c] = NormRow<W>(mean[c], rstd[c]); });
  }
  const double* sums = nullptr;
  if (needs_x || dbias != nullptr)
    sums = channel_gradient_sums<T>(kOp, channels(g), needs_x ? x : nullptr, dy, row, workspace);
  if (dbias != nullptr || dweight != nullptr)
    each(kOp, g.c, [=] __device__(std::int64_t c) {
      if (dbias != nullptr) dbias[c] = static_cast<W>(sums[c]);
      if (dweight != nullptr) dweight[c] = static_cast<W>(row[c].along(sums[c], sums[g.c + c]));
    });
  if (through_batch)
    batch_data_gradient<T>(g, x, weight, row, sums, dy, dx, workspace);
  else if (dx != nullptr)
    each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) {
      dx[i] = T(dy[i] * static_cast<W>(static_cast<double>(weight[i % g.c]) * rstd[i % g.c]));
    });
}

}  // namespace

constinit FloatingKernel<BatchNorm2dTrainingForward> cuda::batch_norm2d_training_forward{
    training_forward, training_forward, training_forward};
constinit FloatingKernel<BatchNorm2dForward> cuda::batch_norm2d_forward{forward, forward, forward};
constinit FloatingKernel<BatchNorm2dGradient> cuda::batch_norm2d_gradient{gradient, gradient,
                                                                          gradient};

}  // namespace pliant
