// Deformable kernels on the GPU: a convolution by the whole scope, whose columns are what the taps
// have read, spread over the scope positions that their rotations lie between.
#include <pliant/core/kernels/deform_kernel.h>

#include <pliant/cuda/deform_samples.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "deform_kernel";

// What one thread knows of its place; offset may be null. Passed by value.
template <class T>
struct Kernels {
  DeformKernelGeometry g;
  const T* offset;
  const T* rotation;

  // The samples of locations begin .. end-1.
  TapRows rows(std::int64_t begin, std::int64_t end) const {
    const Conv2dGeometry& conv = g.conv;
    return {begin, end, conv.p * conv.q, 1, g.taps(), conv.h, conv.w, conv.c};
  }
  // Where channel c of a tap is found in the scope.
  __device__ BilinearTap<T> scope(std::int64_t location, std::int64_t c, std::int64_t t) const {
    const T* const pair = rotation + 2 * rotation_pair(g, location, c % g.rotation_groups, t);
    return scope_tap(g, t / g.conv.s, t % g.conv.s, pair[0], pair[1]);
  }
  // What a tap reads of x: without offsets one pixel, as a tap that lies on it.
  __device__ ScaledTap<T> operator()(std::int64_t location, std::int64_t, std::int64_t t) const {
    const DeformGeometry deformed{g.conv, 1, Boundary::zero_pad};
    const std::int64_t pair = 2 * deform_pair(deformed, location, 0, t);
    return {deform_tap(deformed, location / g.conv.q % g.conv.p, location % g.conv.q, t / g.conv.s,
                       t % g.conv.s, offset == nullptr ? T(0) : offset[pair],
                       offset == nullptr ? T(0) : offset[pair + 1]),
            T(1)};
  }
};

// kCount neighbouring channels of a location by each thread, which adds its taps to its own part of
// the columns one after another. cut is of the scope.
template <int kCount, class T>
void spread_columns(const Kernels<T>& kernels, const ColumnsGeometry& cut, Slice slice, const T* x,
                    T* columns) {
  const TapRows rows = kernels.rows(slice.begin, slice.end);
  const std::int64_t blocks = rows.c / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    T* const to = columns + row * cut.width + cut.at(0, c);
    for (std::int64_t u = 0; u < cut.taps; ++u) store(Vector<T, kCount>{}, to + u * cut.in);
    for (std::int64_t t = 0; t < rows.taps; ++t) {
      const BilinearTap<T> scope = kernels.scope(rows.begin + row, c, t);
      const Vector<T, kCount> sample =
          read_tap<kCount>(kernels(rows.begin + row, 0, t).tap, x + rows.map(row) + c, rows.c);
      for (int k = 0; k < 4; ++k) {
        if (scope.pixel[k] < 0) continue;
        T* const at = to + scope.pixel[k] * cut.in;
        Vector<T, kCount> held = load<kCount>(at);
        add_scaled(scope.weight[k], sample, held);
        store(held, at);
      }
    }
  });
}

// The slopes of the samples, in columns of the taps (cut `by_tap`), from those of the scope.
template <int kCount, class T>
void collect_slopes(const Kernels<T>& kernels, const ColumnsGeometry& cut,
                    const ColumnsGeometry& by_tap, Slice slice, const T* columns, T* slopes) {
  const TapRows rows = kernels.rows(slice.begin, slice.end);
  const std::int64_t blocks = rows.c / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    const T* const from = columns + row * cut.width + cut.at(0, c);
    T* const to = slopes + row * by_tap.width + by_tap.at(0, c);
    for (std::int64_t t = 0; t < rows.taps; ++t)
      store(read_tap<kCount>(kernels.scope(rows.begin + row, c, t), from, cut.in), to + t * cut.in);
  });
}

// A team per (location, rotation group, tap): over the group's channels, which lie `groups` apart,
// the sums of sample times slope at the four positions of the scope.
template <int kCount, class T>
void rotation_gradient(const Kernels<T>& kernels, const ColumnsGeometry& cut, Slice slice,
                       const T* x, const T* columns, T* drotation) {
  constexpr int kTeam = 8;
  const TapRows rows = kernels.rows(slice.begin, slice.end);
  const std::int64_t groups = kernels.g.rotation_groups, step = groups * kCount;
  const int team = team_of(rows.c / step, kTeam);
  each_team<Sums<T, 4>>(
      kOp, rows.rows() * groups * rows.taps, team,
      [=] __device__(std::int64_t i, int lane) {
        const std::int64_t t = i % rows.taps, group = i / rows.taps % groups;
        const std::int64_t row = i / rows.taps / groups;
        const BilinearTap<T> scope = kernels.scope(rows.begin + row, group, t);
        const BilinearTap<T> tap = kernels(rows.begin + row, 0, t).tap;
        Sums<T, 4> dots{};
        for (std::int64_t c = group + lane * step; c < rows.c; c += team * step) {
          const Vector<T, kCount> sample = read_tap<kCount>(tap, x + rows.map(row) + c, rows.c);
          for (int k = 0; k < 4; ++k)
            if (scope.pixel[k] >= 0)
              add_dot(sample, load<kCount>(columns + row * cut.width + cut.at(scope.pixel[k], c)),
                      dots.value[k]);
        }
        return dots;
      },
      [=] __device__(std::int64_t i, const Sums<T, 4>& dots) {
        const std::int64_t t = i % rows.taps, group = i / rows.taps % groups;
        const std::int64_t location = rows.begin + i / rows.taps / groups;
        const BilinearTap<T> scope = kernels.scope(location, group, t);
        T* const to = drotation + 2 * rotation_pair(kernels.g, location, group, t);
        to[0] = apply(scope.d_row, dots.value);
        to[1] = apply(scope.d_column, dots.value);
      });
}

template <int kCount, class T>
void offset_gradient(const Kernels<T>& kernels, const TapRows& rows, const T* x,
                     const ColumnSlopes<T>& slopes, T* doffset) {
  each_dots<kCount>(
      kOp, rows, kernels, slopes, x,
      [=] __device__(std::int64_t location, std::int64_t, std::int64_t t, const Sums<T, 4>& dots) {
        const BilinearTap<T> tap = kernels(location, 0, t).tap;
        T* const to = doffset + 2 * (location * rows.taps + t);
        to[0] = apply(tap.d_row, dots.value);
        to[1] = apply(tap.d_column, dots.value);
      });
}

template <int kCount, class T>
void forward(const Kernels<T>& kernels, const T* x, const T* weight, const T* bias, T* y,
             Workspace& workspace) {
  const auto cut = ColumnsGeometry::of<T>(kernels.g.scope());
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  each_slice(cut, [&](Slice slice) {
    spread_columns<kCount>(kernels, cut, slice, x, columns);
    multiply_columns<T>(kOp, cut, slice, columns, weight, bias, y);
  });
}

template <int kCount, class T>
void input_gradient(const Kernels<T>& kernels, const ColumnsGeometry& cut, const T* x,
                    const T* weight, const T* dy, T* dx, T* doffset, T* drotation, T* columns,
                    Workspace& workspace) {
  const Conv2dGeometry& conv = kernels.g.conv;
  const auto by_tap = ColumnsGeometry::of<T>(conv);
  const bool by_samples = dx != nullptr || doffset != nullptr;
  T* const slopes = by_samples ? workspace.take<T>(cut.slice_rows * by_tap.width) : nullptr;
  const ColumnSlopes<T> of_samples{by_tap, slopes};
  if (dx != nullptr) set_to_zero(kOp, dx, conv.n * conv.h * conv.w * conv.c);
  each_slice(cut, [&](Slice slice) {
    const TapRows rows = kernels.rows(slice.begin, slice.end);
    columns_gradient<T>(kOp, cut, slice, dy, weight, columns);
    if (drotation != nullptr) rotation_gradient<kCount>(kernels, cut, slice, x, columns, drotation);
    if (by_samples) collect_slopes<kCount>(kernels, cut, by_tap, slice, columns, slopes);
    if (doffset != nullptr) offset_gradient<kCount>(kernels, rows, x, of_samples, doffset);
    if (dx != nullptr) add_to_map<kCount>(kOp, rows, kernels, of_samples, dx);
  });
}

template <int kCount, class T>
void gradient(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy, T* dx,
              T* doffset, T* drotation, T* dweight, Workspace& workspace) {
  auto cut = ColumnsGeometry::of<T>(kernels.g.scope());
  cut.slice_rows = std::min(cut.slice_rows, rows_of_lists(kernels.g.taps()));
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  if (dx != nullptr || doffset != nullptr || drotation != nullptr)
    input_gradient<kCount>(kernels, cut, x, weight, dy, dx, doffset, drotation, columns, workspace);
  if (dweight == nullptr) return;
  set_to_zero(kOp, dweight, kernels.g.conv.k * cut.taps * cut.in);
  each_slice(cut, [&](Slice slice) {
    spread_columns<kCount>(kernels, cut, slice, x, columns);
    add_weight_gradient<T>(kOp, cut, slice, dy, columns, dweight);
  });
}

// Whether threads may take vectors: these lie in one group of weights and turn together.
template <class T, class... Pointers>
bool in_vectors(const DeformKernelGeometry& g, const Pointers*... maps) {
  return g.rotation_groups == 1 && are_vectors<T>(g.conv.c / g.conv.groups, maps...);
}

template <class T>
void forward(const DeformKernelGeometry& g, const T* x, const T* offset, const T* rotation,
             const T* weight, const T* bias, T* y, Workspace& workspace) {
  const Kernels<T> kernels{g, offset, rotation};
  if (in_vectors<T>(g, x))
    forward<kVector<T>>(kernels, x, weight, bias, y, workspace);
  else
    forward<1>(kernels, x, weight, bias, y, workspace);
}

template <class T>
void gradient(const DeformKernelGeometry& g, const T* x, const T* offset, const T* rotation,
              const T* weight, const T* dy, T* dx, T* doffset, T* drotation, T* dweight,
              Workspace& workspace) {
  const Kernels<T> kernels{g, offset, rotation};
  if (in_vectors<T>(g, x, dx))
    gradient<kVector<T>>(kernels, x, weight, dy, dx, doffset, drotation, dweight, workspace);
  else
    gradient<1>(kernels, x, weight, dy, dx, doffset, drotation, dweight, workspace);
}

}  // namespace

void cuda::deform_kernel_forward(const DeformKernelGeometry& g, const float* x, const float* offset,
                                 const float* rotation, const float* weight, const float* bias,
                                 float* y, Workspace& workspace) {
  forward(g, x, offset, rotation, weight, bias, y, workspace);
}

void cuda::deform_kernel_forward(const DeformKernelGeometry& g, const double* x,
                                 const double* offset, const double* rotation, const double* weight,
                                 const double* bias, double* y, Workspace& workspace) {
  forward(g, x, offset, rotation, weight, bias, y, workspace);
}

void cuda::deform_kernel_gradient(const DeformKernelGeometry& g, const float* x,
                                  const float* offset, const float* rotation, const float* weight,
                                  const float* dy, float* dx, float* doffset, float* drotation,
                                  float* dweight, Workspace& workspace) {
  gradient(g, x, offset, rotation, weight, dy, dx, doffset, drotation, dweight, workspace);
}

void cuda::deform_kernel_gradient(const DeformKernelGeometry& g, const double* x,
                                  const double* offset, const double* rotation,
                                  const double* weight, const double* dy, double* dx,
                                  double* doffset, double* drotation, double* dweight,
                                  Workspace& workspace) {
  gradient(g, x, offset, rotation, weight, dy, dx, doffset, drotation, dweight, workspace);
}

}  // namespace pliant
