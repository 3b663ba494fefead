#include <pliant/core/kernels/group_norm.h>

#include <pliant/core/kernels/batch_norm2d.h>
#include <pliant/cuda/channel_sums.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "group_norm";

ChannelsGeometry channels(const GroupNormGeometry& g) { return {g.n, g.rows, g.c}; }

// Where the group of element i of x, or of [n 1 c], stands in [n groups].
__device__ std::int64_t group_at(const GroupNormGeometry& g, std::int64_t i, std::int64_t rows) {
  return i / g.c / rows * g.groups + g.group_of(i % g.c);
}

// Mean and rstd [n groups] from the moments of the channels, [n 2 c].
template <class T>
void join_channels(const GroupNormGeometry& g, const double* moments, double* exact_mean, T* mean,
                   T* rstd) {
  each(kOp, g.n * g.groups, [=] __device__(std::int64_t i) {
    const std::int64_t per = g.c / g.groups;
    const double* const from = moments + i / g.groups * 2 * g.c + i % g.groups * per;
    const auto rows = static_cast<double>(g.rows);
    double joined = 0, m2 = 0;
    for (std::int64_t j = 0; j < per && g.rows > 0; ++j)
      join_moments(rows * static_cast<double>(j), joined, m2, rows, from[j], from[g.c + j]);
    exact_mean[i] = joined;
    mean[i] = static_cast<T>(joined);
    rstd[i] = static_cast<T>(reciprocal_deviation(m2 / g.count(), g.eps));
  });
}

template <class T>
void forward(const GroupNormGeometry& g, const T* x, const T* weight, const T* bias, T* y, T* mean,
             T* rstd, Workspace& workspace) {
  const double* const moments = channel_moments(kOp, channels(g), x, workspace);
  double* const exact_mean = workspace.take<double>(g.n * g.groups);
  auto* const scale = workspace.take<GroupNormScale<T>>(g.n * g.c);
  join_channels(g, moments, exact_mean, mean, rstd);
  each(kOp, g.n * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, at = group_at(g, i, 1);
    scale[i] = group_scale(weight[c], bias[c], rstd[at], mean[at], exact_mean[at]);
  });
  each(kOp, g.n * g.rows * g.c, [=] __device__(std::int64_t i) {
    const GroupNormScale<T> of_channel = scale[i / g.c / g.rows * g.c + i % g.c];
    y[i] = normalised(x[i], mean[group_at(g, i, g.rows)], of_channel.scale, of_channel.offset);
  });
}

// ---- gradient ----

template <class T>
void data_gradient(const GroupNormGeometry& g, const T* x, const T* weight, const T* mean,
                   const T* rstd, const double* sums, const T* dy, T* dx, Workspace& workspace) {
  auto* const slopes = workspace.take<GroupNormSlope<T>>(g.n * g.groups);
  each(kOp, g.n * g.groups, [=] __device__(std::int64_t i) {
    const std::int64_t per = g.c / g.groups, first = i % g.groups * per;
    const double* const of_image = sums + i / g.groups * 2 * g.c;
    T sum_s = 0, sum_s_x = 0;
    for (std::int64_t j = first; j < first + per; ++j) {
      sum_s += weight[j] * static_cast<T>(of_image[j]);
      sum_s_x += weight[j] * static_cast<T>(of_image[g.c + j]);
    }
    slopes[i] = group_slope(rstd[i], sum_s, sum_s_x, static_cast<T>(g.count()));
  });
  each(kOp, g.n * g.rows * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t at = group_at(g, i, g.rows);
    dx[i] = slopes[at].dx(weight[i % g.c] * rstd[at], dy[i], x[i] - mean[at]);
  });
}

template <class T>
void gradient(const GroupNormGeometry& g, const T* x, const T* weight, const T* mean, const T* rstd,
              const T* dy, T* dx, T* dweight, T* dbias, Workspace& workspace) {
  T* const means = workspace.take<T>(g.n * g.c);
  each(kOp, g.n * g.c, [=] __device__(std::int64_t i) { means[i] = mean[group_at(g, i, 1)]; });
  const double* const sums =
      channel_gradient_sums<T>(kOp, channels(g), x, dy, means, workspace);  // [n 2 c]
  if (dweight != nullptr || dbias != nullptr)
    each(kOp, g.c, [=] __device__(std::int64_t c) {
      T of_weight = 0, of_bias = 0;
      for (std::int64_t n = 0; n < g.n; ++n) {
        const double* const of_image = sums + n * 2 * g.c;
        of_bias += static_cast<T>(of_image[c]);
        of_weight += static_cast<T>(of_image[g.c + c]) * rstd[n * g.groups + g.group_of(c)];
      }
      if (dweight != nullptr) dweight[c] = of_weight;
      if (dbias != nullptr) dbias[c] = of_bias;
    });
  if (dx != nullptr) data_gradient(g, x, weight, mean, rstd, sums, dy, dx, workspace);
}

}  // namespace

void cuda::group_norm_forward(const GroupNormGeometry& g, const float* x, const float* weight,
                              const float* bias, float* y, float* mean, float* rstd,
                              Workspace& workspace) {
  forward(g, x, weight, bias, y, mean, rstd, workspace);
}
void cuda::group_norm_forward(const GroupNormGeometry& g, const double* x, const double* weight,
                              const double* bias, double* y, double* mean, double* rstd,
                              Workspace& workspace) {
  forward(g, x, weight, bias, y, mean, rstd, workspace);
}
void cuda::group_norm_gradient(const GroupNormGeometry& g, const float* x, const float* weight,
                               const float* mean, const float* rstd, const float* dy, float* dx,
                               float* dweight, float* dbias, Workspace& workspace) {
  gradient(g, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}
void cuda::group_norm_gradient(const GroupNormGeometry& g, const double* x, const double* weight,
                               const double* mean, const double* rstd, const double* dy, double* dx,
                               double* dweight, double* dbias, Workspace& workspace) {
  gradient(g, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}

}  // namespace pliant
