// Deformable kernels on the GPU: a convolution by the whole scope, whose columns are what the taps
// have read, spread over the scope positions that their rotations lie between. Where every filter
// reads one channel, straight sums instead.
#include <pliant/core/kernels/deform_kernel.h>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/depthwise.h>
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
  // Slopes of samples lie as if all channels were one group's.
  ColumnsGeometry columns_of_samples() const {
    Conv2dGeometry whole = g.conv;
    whole.groups = 1;
    return ColumnsGeometry::of<T>(whole);
  }
  // Where channel c of a tap is found in the scope.
  __device__ BilinearTap<T> scope(std::int64_t location, std::int64_t c, std::int64_t t) const {
    const T* const pair = rotation + 2 * rotation_pair(g, location, c % g.rotation_groups, t);
    return scope_tap(g, t / g.conv.s, t % g.conv.s, pair[0], pair[1]);
  }
  // What a tap reads of x: without offsets one pixel, as a tap that lies on it.
  __device__ ScaledTap<T> operator()(std::int64_t location, std::int64_t, std::int64_t t) const {
    const DeformGeometry deformed{g.conv, 1, Border::zeros};
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
      add_to_tap(scope, sample, to, cut.in);
    }
  });
}

// The slopes of the samples, in columns [rows taps c], from those of the scope's positions.
template <int kCount, class T, class Slopes>
void collect_slopes(const Kernels<T>& kernels, const TapRows& rows, Slopes by_position,
                    T* by_sample) {
  const std::int64_t blocks = rows.c / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    for (std::int64_t t = 0; t < rows.taps; ++t) {
      const BilinearTap<T> scope = kernels.scope(rows.begin + row, c, t);
      Vector<T, kCount> sum{};
      for (int k = 0; k < 4; ++k)
        if (scope.pixel[k] >= 0)
          add_scaled(scope.weight[k], by_position.template load<kCount>(row, scope.pixel[k], c),
                     sum);
      store(sum, by_sample + (row * rows.taps + t) * rows.c + c);
    }
  });
}

// A team per (location, rotation group, tap): over the group's channels, which lie `groups` apart,
// the sums of sample times slope at the four positions of the scope.
template <int kCount, class T, class Slopes>
void rotation_gradient(const Kernels<T>& kernels, const TapRows& rows, const T* x,
                       Slopes by_position, T* drotation) {
  constexpr int kTeam = 8;
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
              add_dot(sample, by_position.template load<kCount>(row, scope.pixel[k], c),
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

// Of a slice: dx is added to; by_sample has room for slopes [rows taps c].
template <int kCount, class T, class Slopes>
void input_gradient(const Kernels<T>& kernels, const TapRows& rows, const T* x, Slopes by_position,
                    T* dx, T* doffset, T* drotation, T* by_sample) {
  if (drotation != nullptr) rotation_gradient<kCount>(kernels, rows, x, by_position, drotation);
  if (dx == nullptr && doffset == nullptr) return;
  collect_slopes<kCount>(kernels, rows, by_position, by_sample);
  const ColumnSlopes<T> slopes{kernels.columns_of_samples(), by_sample};
  if (doffset != nullptr) offset_gradient<kCount>(kernels, rows, x, slopes, doffset);
  if (dx != nullptr) add_to_map<kCount>(kOp, rows, kernels, slopes, dx);
}

template <int kCount, class T>
void gradient(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy, T* dx,
              T* doffset, T* drotation, T* dweight, Workspace& workspace) {
  auto cut = ColumnsGeometry::of<T>(kernels.g.scope());
  cut.slice_rows = std::min(cut.slice_rows, rows_of_lists(kernels.g.taps()));
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  if (dx != nullptr || doffset != nullptr || drotation != nullptr) {
    T* const by_sample = workspace.take<T>(cut.slice_rows * kernels.columns_of_samples().width);
    each_slice(cut, [&](Slice slice) {
      columns_gradient<T>(kOp, cut, slice, dy, weight, columns);
      input_gradient<kCount>(kernels, kernels.rows(slice.begin, slice.end), x,
                             ColumnSlopes<T>{cut, columns}, dx, doffset, drotation, by_sample);
    });
  }
  if (dweight == nullptr) return;
  set_to_zero(kOp, dweight, kernels.g.conv.k * cut.taps * cut.in);
  each_slice(cut, [&](Slice slice) {
    spread_columns<kCount>(kernels, cut, slice, x, columns);
    add_weight_gradient<T>(kOp, cut, slice, dy, columns, dweight);
  });
}

// ---- depthwise ----

bool is_depthwise(const DeformKernelGeometry& g) {
  return g.conv.groups > 1 && g.conv.groups == g.conv.c;
}

// kCount neighbouring filters of a location by each thread; filters [positions k].
template <int kCount, class T>
void depthwise_forward(const Kernels<T>& kernels, const T* x, const T* filters, const T* bias,
                       T* y) {
  const Conv2dGeometry conv = kernels.g.conv;
  const TapRows rows = kernels.rows(0, conv.n * conv.p * conv.q);
  const std::int64_t blocks = conv.k / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, k = i % blocks * kCount, c = k / (conv.k / conv.c);
    const T* const map = x + rows.map(row) + c;
    Vector<T, kCount> sum{};
    if (bias != nullptr) sum = load<kCount>(bias + k);
    for (std::int64_t t = 0; t < rows.taps; ++t)
      add_products(read_tap<kCount>(kernels(row, 0, t).tap, map, rows.c),
                   read_tap<kCount>(kernels.scope(row, c, t), filters + k, conv.k), sum);
    store(sum, y + row * conv.k + k);
  });
}

// The sums of runs of locations, partial [runs positions k]; a thread owns its filters' part.
template <int kCount, class T>
void gradient_of_runs(const Kernels<T>& kernels, std::int64_t run, std::int64_t runs, const T* x,
                      const T* dy, T* partial) {
  const Conv2dGeometry conv = kernels.g.conv;
  const TapRows rows = kernels.rows(0, conv.n * conv.p * conv.q);
  const std::int64_t blocks = conv.k / kCount;
  const std::int64_t positions = kernels.g.scope_h * kernels.g.scope_w;
  each(kOp, runs * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t k = i % blocks * kCount, c = k / (conv.k / conv.c);
    const std::int64_t begin = i / blocks * run, end = std::min(rows.rows(), begin + run);
    T* const to = partial + i / blocks * positions * conv.k + k;
    for (std::int64_t u = 0; u < positions; ++u) store(Vector<T, kCount>{}, to + u * conv.k);
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t t = 0; t < rows.taps; ++t) {
        Vector<T, kCount> slope{};
        add_products(read_tap<kCount>(kernels(row, 0, t).tap, x + rows.map(row) + c, rows.c),
                     load<kCount>(dy + row * conv.k + k), slope);
        add_to_tap(kernels.scope(row, c, t), slope, to, conv.k);
      }
  });
}

template <int kCount, class T>
void depthwise_weight_gradient(const Kernels<T>& kernels, const T* x, const T* dy, T* dweight,
                               Workspace& workspace) {
  constexpr std::int64_t kRun = 32;
  const Conv2dGeometry& conv = kernels.g.conv;
  const std::int64_t positions = kernels.g.scope_h * kernels.g.scope_w;
  const std::int64_t runs = (conv.n * conv.p * conv.q + kRun - 1) / kRun;
  T* const partial = workspace.take<T>(runs * positions * conv.k);
  T* const by_position = workspace.take<T>(positions * conv.k);
  gradient_of_runs<kCount>(kernels, kRun, runs, x, dy, partial);
  sum_forward(ReduceGeometry{1, runs, positions * conv.k}, partial, by_position, workspace);
  swap_axes(kOp, positions, conv.k, by_position, dweight);
}

template <int kCount, class T>
void depthwise_gradient(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy, T* dx,
                        T* doffset, T* drotation, T* dweight, Workspace& workspace) {
  const Conv2dGeometry& conv = kernels.g.conv;
  if (dx != nullptr || doffset != nullptr || drotation != nullptr) {
    const T* const filters = filters_by_tap(kOp, kernels.g.scope(), weight, workspace);
    auto cut = kernels.columns_of_samples();
    cut.slice_rows = std::min(cut.slice_rows, rows_of_lists(kernels.g.taps()));
    T* const by_sample = workspace.take<T>(cut.slice_rows * cut.width);
    each_slice(cut, [&](Slice slice) {
      const FilterSlopes<T> by_position{dy, filters, slice.begin, conv.k, conv.k / conv.c};
      input_gradient<kCount>(kernels, kernels.rows(slice.begin, slice.end), x, by_position, dx,
                             doffset, drotation, by_sample);
    });
  }
  if (dweight != nullptr) depthwise_weight_gradient<kCount>(kernels, x, dy, dweight, workspace);
}

// ---- which of these ----

// Whether threads may take vectors: these lie in one group of weights, or are as many filters, and
// turn together.
template <class T, class... Pointers>
bool in_vectors(const DeformKernelGeometry& g, const Pointers*... maps) {
  if (g.rotation_groups != 1) return false;
  return is_depthwise(g) ? g.conv.k == g.conv.c && are_vectors<T>(g.conv.c, maps...)
                         : are_vectors<T>(g.conv.c / g.conv.groups, maps...);
}

template <int kCount, class T>
void forward_by(const Kernels<T>& kernels, const T* x, const T* weight, const T* bias, T* y,
                Workspace& workspace) {
  if (is_depthwise(kernels.g))
    depthwise_forward<kCount>(kernels, x, filters_by_tap(kOp, kernels.g.scope(), weight, workspace),
                              bias, y);
  else
    forward<kCount>(kernels, x, weight, bias, y, workspace);
}

template <int kCount, class T>
void gradient_by(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy, T* dx,
                 T* doffset, T* drotation, T* dweight, Workspace& workspace) {
  const Conv2dGeometry& conv = kernels.g.conv;
  if (dx != nullptr) set_to_zero(kOp, dx, conv.n * conv.h * conv.w * conv.c);
  if (is_depthwise(kernels.g))
    depthwise_gradient<kCount>(kernels, x, weight, dy, dx, doffset, drotation, dweight, workspace);
  else
    gradient<kCount>(kernels, x, weight, dy, dx, doffset, drotation, dweight, workspace);
}

template <class T>
void forward(const DeformKernelGeometry& g, const DeformKernelForwardArgs<T>& args,
             Workspace& workspace) {
  const Kernels<T> kernels{g, args.offset, args.rotation};
  if (in_vectors<T>(g, args.x, args.bias, args.y))
    forward_by<kVector<T>>(kernels, args.x, args.weight, args.bias, args.y, workspace);
  else
    forward_by<1>(kernels, args.x, args.weight, args.bias, args.y, workspace);
}

template <class T>
void gradient(const DeformKernelGeometry& g, const DeformKernelGradientArgs<T>& args,
              Workspace& workspace) {
  const Kernels<T> kernels{g, args.offset, args.rotation};
  if (in_vectors<T>(g, args.x, args.dy, args.dx))
    gradient_by<kVector<T>>(kernels, args.x, args.weight, args.dy, args.dx, args.doffset,
                            args.drotation, args.dweight, workspace);
  else
    gradient_by<1>(kernels, args.x, args.weight, args.dy, args.dx, args.doffset, args.drotation,
                   args.dweight, workspace);
}

}  // namespace

constinit FloatKernel<DeformKernelForward> cuda::deform_kernel_forward{forward, forward};
constinit FloatKernel<DeformKernelGradient> cuda::deform_kernel_gradient{gradient, gradient};

}  // namespace pliant
