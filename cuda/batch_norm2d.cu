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

// mean, scale and offset [c] are what each channel is normalised with.
template <class T>
void normalise(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* mean, const Wide<T>* scale,
               const Wide<T>* offset, T* y) {
  each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c;
    y[i] = T(normalised(Wide<T>(x[i]), mean[c], scale[c], offset[c]));
  });
}

template <class T>
void training_forward(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight,
                      const Wide<T>* bias, const Wide<T>* running_mean, const Wide<T>* running_var,
                      T* y, Wide<T>* mean, Wide<T>* rstd, Wide<T>* new_mean, Wide<T>* new_var,
                      Workspace& workspace) {
  using W = Wide<T>;
  const double* const exact = channel_moments(kOp, channels(g), x, workspace);  // [2 c]
  W* const scale = workspace.take<W>(2 * g.c);
  W* const offset = scale + g.c;
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    const auto rows = static_cast<double>(g.rows);
    const double exact_mean = exact[c], m2 = exact[g.c + c], keep = 1 - g.momentum;
    const double deviation = reciprocal_deviation(m2 / rows, g.eps);
    mean[c] = static_cast<W>(exact_mean);
    rstd[c] = static_cast<W>(deviation);
    new_mean[c] =
        static_cast<W>(keep * static_cast<double>(running_mean[c]) + g.momentum * exact_mean);
    new_var[c] =
        static_cast<W>(keep * static_cast<double>(running_var[c]) + g.momentum * m2 / (rows - 1));
    // What rounding the mean to T lost goes into the offset.
    const double exact_scale = static_cast<double>(weight[c]) * deviation;
    scale[c] = static_cast<W>(exact_scale);
    offset[c] = static_cast<W>(static_cast<double>(bias[c]) +
                               (static_cast<double>(mean[c]) - exact_mean) * exact_scale);
  });
  normalise<T>(g, x, mean, scale, offset, y);
}

template <class T>
void forward(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight, const Wide<T>* bias,
             const Wide<T>* mean, const Wide<T>* var, T* y, Wide<T>* rstd, Workspace& workspace) {
  Wide<T>* const scale = workspace.take<Wide<T>>(g.c);
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    rstd[c] = reciprocal_deviation(var[c], static_cast<Wide<T>>(g.eps));
    scale[c] = weight[c] * rstd[c];
  });
  normalise<T>(g, x, mean, scale, bias, y);
}

// ---- gradient ----

// dx under statistics of the batch.
template <class T>
void batch_data_gradient(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight,
                         const Wide<T>* mean, const Wide<T>* rstd, const double* sums, const T* dy,
                         T* dx) {
  using W = Wide<T>;
  each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c;
    const auto sum_dy_xhat = static_cast<W>(sums[g.c + c]) * rstd[c];
    const BatchNorm2dSlope<W> slope = batch_slope(weight[c], rstd[c], static_cast<W>(sums[c]),
                                                  sum_dy_xhat, static_cast<W>(g.rows));
    dx[i] = T(slope.by_dy * dy[i] + slope.by_x * (x[i] - mean[c]) + slope.constant);
  });
}

template <class T>
void gradient(const BatchNorm2dGeometry& g, NormStatistics statistics, const T* x,
              const Wide<T>* weight, const Wide<T>* mean, const Wide<T>* rstd, const T* dy, T* dx,
              Wide<T>* dweight, Wide<T>* dbias, Workspace& workspace) {
  using W = Wide<T>;
  const bool through_batch = dx != nullptr && statistics == NormStatistics::of_batch;
  const bool needs_x = dweight != nullptr || through_batch;
  const double* sums = nullptr;
  if (needs_x || dbias != nullptr)
    sums = channel_gradient_sums<T>(kOp, channels(g), needs_x ? x : nullptr, dy, mean, workspace);
  if (dbias != nullptr || dweight != nullptr)
    each(kOp, g.c, [=] __device__(std::int64_t c) {
      if (dbias != nullptr) dbias[c] = static_cast<W>(sums[c]);
      if (dweight != nullptr) dweight[c] = static_cast<W>(sums[g.c + c]) * rstd[c];
    });
  if (through_batch)
    batch_data_gradient<T>(g, x, weight, mean, rstd, sums, dy, dx);
  else if (dx != nullptr)
    each(kOp, g.rows * g.c,
         [=] __device__(std::int64_t i) { dx[i] = T(dy[i] * (weight[i % g.c] * rstd[i % g.c])); });
}

}  // namespace

void cuda::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const float* x,
                                         const float* weight, const float* bias,
                                         const float* running_mean, const float* running_var,
                                         float* y, float* mean, float* rstd, float* new_mean,
                                         float* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cuda::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const double* x,
                                         const double* weight, const double* bias,
                                         const double* running_mean, const double* running_var,
                                         double* y, double* mean, double* rstd, double* new_mean,
                                         double* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cuda::batch_norm2d_forward(const BatchNorm2dGeometry& g, const float* x, const float* weight,
                                const float* bias, const float* mean, const float* var, float* y,
                                float* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cuda::batch_norm2d_forward(const BatchNorm2dGeometry& g, const double* x, const double* weight,
                                const double* bias, const double* mean, const double* var,
                                double* y, double* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cuda::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                 const float* x, const float* weight, const float* mean,
                                 const float* rstd, const float* dy, float* dx, float* dweight,
                                 float* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}
void cuda::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                 const double* x, const double* weight, const double* mean,
                                 const double* rstd, const double* dy, double* dx, double* dweight,
                                 double* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}
void cuda::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const BFloat16* x,
                                         const float* weight, const float* bias,
                                         const float* running_mean, const float* running_var,
                                         BFloat16* y, float* mean, float* rstd, float* new_mean,
                                         float* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cuda::batch_norm2d_forward(const BatchNorm2dGeometry& g, const BFloat16* x,
                                const float* weight, const float* bias, const float* mean,
                                const float* var, BFloat16* y, float* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cuda::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                 const BFloat16* x, const float* weight, const float* mean,
                                 const float* rstd, const BFloat16* dy, BFloat16* dx,
                                 float* dweight, float* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}

}  // namespace pliant
