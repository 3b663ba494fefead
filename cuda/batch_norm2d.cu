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
void training_forward(const BatchNorm2dGeometry& g, const BatchNorm2dTrainingForwardArgs<T>& args,
                      Workspace& workspace) {
  const bool in_parts = args.all_moments != nullptr;
  const double* const exact =  // [2 c]
      in_parts ? args.all_moments : channel_moments(kOp, channels(g), args.x, workspace);
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    const auto rows = static_cast<double>(in_parts ? g.all_rows : g.rows);
    Moments moments{exact[c], exact[g.c + c], 1};
    if (!in_parts)
      moments = moments_again<Wide<T>>(moments, g.eps, g.rows, [=](std::int64_t row) {
        return static_cast<double>(args.x[row * g.c + c]);
      });
    if (args.moments != nullptr) {
      args.moments[c] = moments.true_mean();
      args.moments[g.c + c] = moments.variance(1);
      return;
    }
    args.mean[c] = moments.true_mean();
    args.rstd[c] = moments.rstd(rows, g.eps);
    args.new_mean[c] = running_average(g, args.running_mean[c], args.mean[c]);
    args.new_var[c] = running_average(g, args.running_var[c], moments.variance(rows - 1));
  });
  if (args.moments == nullptr)
    normalise(g, args.x, args.weight, args.bias, args.mean, args.rstd, args.y, workspace);
}

template <class T>
void forward(const BatchNorm2dGeometry& g, const BatchNorm2dForwardArgs<T>& args,
             Workspace& workspace) {
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    args.mean[c] = static_cast<double>(args.running_mean[c]);
    args.rstd[c] = given_rstd(g, args.running_var[c]);
  });
  normalise(g, args.x, args.weight, args.bias, args.mean, args.rstd, args.y, workspace);
}

// ---- gradient ----

// dx under statistics of the batch.
template <class T>
void batch_data_gradient(const BatchNorm2dGeometry& g, const T* x, const Wide<T>* weight,
                         const NormRow<Wide<T>>* row, const double* sums, std::int64_t rows,
                         const T* dy, T* dx, Workspace& workspace) {
  using W = Wide<T>;
  auto* const slope = workspace.take<NormSlope<W>>(g.c);
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    const double share = static_cast<double>(weight[c]) / static_cast<double>(rows);
    slope[c] = norm_slope(row[c], weight[c], sums[c] * share, sums[g.c + c] * share);
  });
  each(kOp, g.rows * g.c,
       [=] __device__(std::int64_t i) { dx[i] = T(slope[i % g.c].dx(W(x[i]), W(dy[i]))); });
}

template <class T>
void gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
              const BatchNorm2dGradientArgs<T>& args, Workspace& workspace) {
  using W = Wide<T>;
  const bool through_batch = args.dx != nullptr && statistics == NormStatistics::of_batch;
  const bool needs_x = args.dweight != nullptr || args.sums != nullptr || through_batch;
  NormRow<W>* row = nullptr;
  if (needs_x) {
    row = workspace.take<NormRow<W>>(g.c);
    each(kOp, g.c,
         [=] __device__(std::int64_t c) { row[c] = NormRow<W>(args.mean[c], args.rstd[c]); });
  }
  const double* sums = args.all_sums;
  if (sums == nullptr && (needs_x || args.dbias != nullptr))
    sums = channel_gradient_sums<T>(kOp, channels(g), needs_x ? args.x : nullptr, args.dy, row,
                                    workspace);
  if (args.dbias != nullptr || args.dweight != nullptr || args.sums != nullptr)
    each(kOp, g.c, [=] __device__(std::int64_t c) {
      if (args.sums != nullptr) {
        args.sums[c] = sums[c];
        args.sums[g.c + c] = sums[g.c + c];
      }
      if (args.dbias != nullptr) args.dbias[c] = static_cast<W>(sums[c]);
      if (args.dweight != nullptr)
        args.dweight[c] = static_cast<W>(row[c].along(sums[c], sums[g.c + c]));
    });
  if (through_batch)
    batch_data_gradient<T>(g, args.x, args.weight, row, sums,
                           args.all_sums == nullptr ? g.rows : g.all_rows, args.dy, args.dx,
                           workspace);
  else if (args.dx != nullptr)
    each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) {
      args.dx[i] = T(args.dy[i] * static_cast<W>(static_cast<double>(args.weight[i % g.c]) *
                                                 args.rstd[i % g.c]));
    });
}

}  // namespace

constinit FloatingKernel<BatchNorm2dTrainingForward> cuda::batch_norm2d_training_forward{
    training_forward, training_forward, training_forward};
constinit FloatingKernel<BatchNorm2dForward> cuda::batch_norm2d_forward{forward, forward, forward};
constinit FloatingKernel<BatchNorm2dGradient> cuda::batch_norm2d_gradient{gradient, gradient,
                                                                          gradient};

}  // namespace pliant
