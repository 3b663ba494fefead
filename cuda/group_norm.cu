#include <pliant/core/kernels/group_norm.h>

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
void join_channels(const GroupNormGeometry& g, const T* x, const double* moments, double* mean,
                   double* rstd) {
  each(kOp, g.n * g.groups, [=] __device__(std::int64_t i) {
    const std::int64_t per = g.c / g.groups;
    const double* const from = moments + i / g.groups * 2 * g.c + i % g.groups * per;
    const auto rows = static_cast<double>(g.rows);
    Moments held;
    for (std::int64_t j = 0; j < per && g.rows > 0; ++j)
      join_moments(rows * static_cast<double>(j), held.mean, held.m2, rows, from[j], from[g.c + j]);
    held = moments_again<T>(held, g.eps, g.values(), [=](std::int64_t value) {
      return static_cast<double>(x[g.place(i, value)]);
    });
    mean[i] = held.true_mean();
    rstd[i] = held.rstd(g.count(), g.eps);
  });
}

template <class T>
void forward(const GroupNormGeometry& g, const GroupNormForwardArgs<T>& args,
             Workspace& workspace) {
  const double* const moments = channel_moments(kOp, channels(g), args.x, workspace);
  auto* const scale = workspace.take<NormScale<T>>(g.n * g.c);
  join_channels(g, args.x, moments, args.mean, args.rstd);
  each(kOp, g.n * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, at = group_at(g, i, 1);
    scale[i] = norm_scale(NormRow<T>(args.mean[at], args.rstd[at]), args.weight[c], args.bias[c]);
  });
  each(kOp, g.n * g.rows * g.c, [=] __device__(std::int64_t i) {
    args.y[i] = scale[i / g.c / g.rows * g.c + i % g.c].y(args.x[i]);
  });
}

// ---- gradient ----

template <class T>
void data_gradient(const GroupNormGeometry& g, const T* x, const T* weight, const NormRow<T>* row,
                   const double* sums, const T* dy, T* dx, Workspace& workspace) {
  auto* const slope = workspace.take<NormSlope<T>>(g.n * g.c);
  each(kOp, g.n * g.groups, [=] __device__(std::int64_t i) {
    const std::int64_t per = g.c / g.groups, first = i % g.groups * per;
    const std::int64_t image = i / g.groups;
    const double* const of_image = sums + image * 2 * g.c;
    double sum_s = 0, sum_s_x = 0;
    for (std::int64_t j = first; j < first + per; ++j) {
      sum_s += static_cast<double>(weight[j]) * of_image[j];
      sum_s_x += static_cast<double>(weight[j]) * of_image[g.c + j];
    }
    for (std::int64_t j = first; j < first + per; ++j)
      slope[image * g.c + j] =
          norm_slope(row[image * g.c + j], weight[j], sum_s / g.count(), sum_s_x / g.count());
  });
  each(kOp, g.n * g.rows * g.c, [=] __device__(std::int64_t i) {
    dx[i] = slope[i / g.c / g.rows * g.c + i % g.c].dx(x[i], dy[i]);
  });
}

template <class T>
void gradient(const GroupNormGeometry& g, const GroupNormGradientArgs<T>& args,
              Workspace& workspace) {
  auto* const row = workspace.take<NormRow<T>>(g.n * g.c);
  each(kOp, g.n * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t at = group_at(g, i, 1);
    row[i] = NormRow<T>(args.mean[at], args.rstd[at]);
  });
  const double* const sums =
      channel_gradient_sums<T>(kOp, channels(g), args.x, args.dy, row, workspace);  // [n 2 c]
  if (args.dweight != nullptr || args.dbias != nullptr)
    each(kOp, g.c, [=] __device__(std::int64_t c) {
      double of_weight = 0, of_bias = 0;
      for (std::int64_t n = 0; n < g.n; ++n) {
        const double* const of_image = sums + n * 2 * g.c;
        of_bias += of_image[c];
        of_weight += row[n * g.c + c].along(of_image[c], of_image[g.c + c]);
      }
      if (args.dweight != nullptr) args.dweight[c] = static_cast<T>(of_weight);
      if (args.dbias != nullptr) args.dbias[c] = static_cast<T>(of_bias);
    });
  if (args.dx != nullptr)
    data_gradient(g, args.x, args.weight, row, sums, args.dy, args.dx, workspace);
}

}  // namespace

constinit FloatKernel<GroupNormForward> cuda::group_norm_forward{forward, forward};
constinit FloatKernel<GroupNormGradient> cuda::group_norm_gradient{gradient, gradient};

}  // namespace pliant
