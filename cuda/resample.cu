#include <pliant/core/kernels/resample.h>

#include <pliant/cuda/launch.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "resample";

// One axis written out: what each output reads with which weights and what it is divided by, and
// where its gradient is asked for, which outputs read each pixel. Passed by value.
template <class Sum>
struct Band {
  std::int64_t from, to, most;  // places read and made; weights that there is room for an output
  ResampleWay way;
  ResampleRun* inputs;   // [out]
  Sum* weights;          // [out most]
  double* divisors;      // [out]
  ResampleRun* outputs;  // [size]; null forward

  __device__ ResampleRun run(std::int64_t at) const {
    return way == ResampleWay::forward ? inputs[at] : outputs[at];
  }
  // Of place i, one of run(at).
  __device__ Sum weight(std::int64_t at, std::int64_t i) const {
    const std::int64_t output = way == ResampleWay::forward ? at : i;
    const std::int64_t pixel = way == ResampleWay::forward ? i : at;
    return weights[output * most + pixel - inputs[output].begin];
  }
  __device__ double divisor(std::int64_t at) const {
    return way == ResampleWay::forward ? divisors[at] : 1;
  }
};

template <class Sum>
Band<Sum> band(const ResampleAxis& axis, ResampleWay way, Workspace& workspace) {
  const bool forward = way == ResampleWay::forward;
  const std::int64_t most = longest_run(axis, ResampleWay::forward);
  const Band<Sum> all{forward ? axis.size : axis.out,
                      forward ? axis.out : axis.size,
                      most,
                      way,
                      workspace.take<ResampleRun>(axis.out),
                      workspace.take<Sum>(axis.out * most),
                      workspace.take<double>(axis.out),
                      forward ? nullptr : workspace.take<ResampleRun>(axis.size)};
  each(kOp, axis.out + (forward ? 0 : axis.size), [=] __device__(std::int64_t at) {
    if (at >= axis.out) {
      all.outputs[at - axis.out] = resample_outputs(axis, at - axis.out);
      return;
    }
    const ResampleRun run = resample_inputs(axis, at);
    all.inputs[at] = run;
    all.divisors[at] = resample_divisor(axis, at);
    const double share = forward ? 1 : all.divisors[at];
    for (std::int64_t i = run.begin; i < run.end; ++i)
      all.weights[at * most + i - run.begin] =
          static_cast<Sum>(resample_weight(axis, at, i) / share);
  });
  return all;
}

// kCount neighbouring channels of a place by each thread.
template <int kCount, class Sum, class T>
void apply_bands(const Band<Sum>& rows, const Band<Sum>& columns, std::int64_t n, std::int64_t c,
                 const T* from, T* to) {
  const std::int64_t blocks = c / kCount;
  each(kOp, n * rows.to * columns.to * blocks, [=] __device__(std::int64_t at) {
    const std::int64_t first = at % blocks * kCount, place = at / blocks;
    const std::int64_t q = place % columns.to, p = place / columns.to % rows.to;
    const std::int64_t image = place / columns.to / rows.to;
    const T* const map = from + image * rows.from * columns.from * c + first;
    const ResampleRun row = rows.run(p), column = columns.run(q);
    Sum sum[kCount] = {};
    for (std::int64_t i = row.begin; i < row.end; ++i) {
      Sum of_row[kCount] = {};
      for (std::int64_t j = column.begin; j < column.end; ++j) {
        const Vector<T, kCount> pixel = load<kCount>(map + (i * columns.from + j) * c);
        const Sum weight = columns.weight(q, j);
        for (int k = 0; k < kCount; ++k) of_row[k] += weight * static_cast<Sum>(pixel.value[k]);
      }
      const Sum weight = rows.weight(p, i);
      for (int k = 0; k < kCount; ++k) sum[k] += weight * of_row[k];
    }
    const auto divisor = static_cast<Sum>(rows.divisor(p) * columns.divisor(q));
    Vector<T, kCount> result;
    for (int k = 0; k < kCount; ++k) result.value[k] = static_cast<T>(sum[k] / divisor);
    store(result, to + place * c + first);
  });
}

template <class Sum, class T>
void resample(const ResampleGeometry& g, ResampleWay way, const T* from, T* to,
              Workspace& workspace) {
  const Band<Sum> rows = band<Sum>(g.rows, way, workspace);
  const Band<Sum> columns = band<Sum>(g.columns, way, workspace);
  if (are_vectors<T>(g.c, from, to))
    apply_bands<kVector<T>>(rows, columns, g.n, g.c, from, to);
  else
    apply_bands<1>(rows, columns, g.n, g.c, from, to);
}

template <class T>
void resample_by_length(const ResampleGeometry& g, ResampleWay way, const T* from, T* to,
                        Workspace& workspace) {
  if (sums_are_short(g, way))
    resample<T>(g, way, from, to, workspace);
  else
    resample<double>(g, way, from, to, workspace);
}

}  // namespace

constinit FloatKernel<Resample> cuda::resample{resample_by_length, resample_by_length};

}  // namespace pliant
