#include <pliant/autograd/internal/resample.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

// Either way's gradient is the other way.
Var resampled(const char* op, const Var& x, const ResampleGeometry& g, ResampleWay way) {
  const bool forward = way == ResampleWay::forward;
  Tensor y = Tensor::empty(
      {g.n, forward ? g.rows.out : g.rows.size, forward ? g.columns.out : g.columns.size, g.c},
      x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_floating(op, x.dtype(), [&]<class T>() {
      kernel<Resample<T>, cpu::resample, cuda::resample>(op, x.device())(
          g, way, x.value().data<T>(), y.mutable_data<T>(), workspace);
    });
  return record(
      op, std::move(y), {x}, {},
      [op, g, forward](const NodeView& node) -> Vars {
        return {resampled(op, node.cotangent(), g,
                          forward ? ResampleWay::transposed : ResampleWay::forward)};
      },
      Derivatives::all);
}

}  // namespace

Var apply_resample(const char* op, const Var& x, const ResampleAxis& rows,
                   const ResampleAxis& columns) {
  const ErrorOp here(op);
  if (is_bfloat16(x)) return in_float32(op, apply_resample, op, x, rows, columns);
  require_map_fits(op, rows.size, columns.size);
  require_map_fits(op, rows.out, columns.out);
  const ResampleGeometry g{x.dim(0), x.dim(3), rows, columns};
  if (x.size() == 0) return resampled(op, x, g, ResampleWay::forward);
  // A window reads no more than the map has, and each axis is walked for itself.
  const std::int64_t row_taps = std::min(rows.kernel, rows.size),
                     column_taps = std::min(columns.kernel, columns.size);
  require_operations(op, "images, output rows, columns, rows of a window, channels",
                     {x.dim(0), rows.out, columns.size, row_taps, x.dim(3)});
  require_operations(op, "images, output rows, output columns, columns of a window, channels",
                     {x.dim(0), rows.out, columns.out, column_taps, x.dim(3)});
  return resampled(op, x, g, ResampleWay::forward);
}

}  // namespace pliant
