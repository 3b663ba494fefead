// The axes of reductions; for the .cpp files of such ops.
#pragma once

#include <numeric>
#include <vector>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernels/reduce.h>

namespace pliant {

inline std::vector<int> all_axes(const Var& x) {
  if (!x.defined()) return {};  // which the op says
  std::vector<int> axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Which axes are reduced; one named twice is an Error.
inline std::vector<bool> reduced_axes(const char* op, const Shape& shape,
                                      const std::vector<int>& axes) {
  std::vector<bool> reduced(static_cast<std::size_t>(shape.rank()), false);
  for (const int axis : axes) {
    const auto at = static_cast<std::size_t>(shape.axis(axis, op));
    require(!reduced[at], op, ": axis ", axis, " is named twice");
    reduced[at] = true;
  }
  return reduced;
}

// The axes first .. last-1 as the middle of three.
inline ReduceGeometry geometry_of(const Shape& shape, int first, int last) {
  ReduceGeometry g;
  for (int i = 0; i < first; ++i) g.outer *= shape[i];
  for (int i = first; i < last; ++i) g.reduced *= shape[i];
  for (int i = last; i < shape.rank(); ++i) g.inner *= shape[i];
  return g;
}

// Axes begin .. end-1.
struct AxisRun {
  int begin, end;
};

// The runs of neighbouring axes that are reduced, the last run first.
inline std::vector<AxisRun> runs_of(const std::vector<bool>& reduced) {
  std::vector<AxisRun> runs;
  for (int end = static_cast<int>(reduced.size()); end > 0; --end) {
    if (!reduced[static_cast<std::size_t>(end - 1)]) continue;
    int begin = end - 1;
    while (begin > 0 && reduced[static_cast<std::size_t>(begin - 1)]) --begin;
    runs.push_back({begin, end});
    end = begin + 1;
  }
  return runs;
}

inline Shape kept_shape(Shape shape, const AxisRun& run) {
  for (int i = run.begin; i < run.end; ++i) shape[i] = 1;
  return shape;
}

inline Shape without(const Shape& shape, const std::vector<bool>& reduced, KeepDim keep) {
  Shape out;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!reduced[static_cast<std::size_t>(i)])
      out.push_back(shape[i]);
    else if (keep == KeepDim::yes)
      out.push_back(1);
  }
  return out;
}

inline double count_of(const Shape& shape, const std::vector<bool>& reduced) {
  double count = 1;
  for (int i = 0; i < shape.rank(); ++i)
    if (reduced[static_cast<std::size_t>(i)]) count *= static_cast<double>(shape[i]);
  return count;
}

}  // namespace pliant
