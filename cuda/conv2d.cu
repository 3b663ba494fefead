#include <pliant/core/kernels/conv2d.h>

#include <pliant/core/gpu_options.h>
#include <pliant/cuda/columns.h>
#include <pliant/cuda/conv2d_cudnn.h>
#include <pliant/cuda/depthwise.h>
#include <pliant/cuda/launch.cuh>
#include <pliant/cuda/vectors.cuh>
#include <pliant/cuda/widening.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "conv2d";

// One thread per element of the slice's columns: zeros where a tap lies outside the map.
template <class T>
void gather_columns(const Conv2dGeometry& g, const ColumnsGeometry& cut, Slice slice, const T* x,
                    T* columns) {
  each(kOp, slice.rows() * cut.taps * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, tap = i / g.c % cut.taps, row = i / g.c / cut.taps;
    const std::int64_t location = slice.begin + row;
    const std::int64_t q = location % g.q, p = location / g.q % g.p, n = location / g.q / g.p;
    const std::int64_t h = g.row(p, tap / g.s), w = g.column(q, tap % g.s);
    const bool inside = h >= 0 && h < g.h && w >= 0 && w < g.w;
    columns[row * cut.width + cut.at(tap, c)] =
        inside ? x[((n * g.h + h) * g.w + w) * g.c + c] : T(Wide<T>(0));
  });
}

// Adds to dx what the slice's locations give back: each pixel looks for the locations that read it.
template <class T>
void add_columns(const Conv2dGeometry& g, const ColumnsGeometry& cut, Slice slice, const T* columns,
                 Wide<T>* dx) {
  const std::int64_t locations = g.p * g.q, map = g.h * g.w * g.c;
  const std::int64_t first = slice.begin / locations, last = (slice.end - 1) / locations;
  each(kOp, (last - first + 1) * map, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, w = i / g.c % g.w, h = i / g.c / g.w % g.h;
    const std::int64_t n = first + i / map;
    Wide<T> sum = 0;
    for (std::int64_t tap = 0; tap < cut.taps; ++tap) {
      const std::int64_t down = h - g.row(0, tap / g.s), right = w - g.column(0, tap % g.s);
      if (down < 0 || down % g.stride_h != 0 || right < 0 || right % g.stride_w != 0) continue;
      const std::int64_t p = down / g.stride_h, q = right / g.stride_w;
      const std::int64_t location = (n * g.p + p) * g.q + q;
      if (p >= g.p || q >= g.q || location < slice.begin || location >= slice.end) continue;
      sum += columns[(location - slice.begin) * cut.width + cut.at(tap, c)];
    }
    dx[first * map + i] += sum;
  });
}

// ---- depthwise ----

// One group of channels is as well served by a product.
bool is_depthwise(const Conv2dGeometry& g) { return g.groups > 1 && g.groups == g.c; }

template <class T>
void depthwise_gradient(const Conv2dGeometry& g, const T* x, const T* dy, T* dweight,
                        Workspace& workspace) {
  T* const by_tap = workspace.take<T>(g.r * g.s * g.k);
  depthwise_weight_gradient(kOp, g, Sharing::shared, x, dy, by_tap, workspace);
  swap_axes(kOp, g.r * g.s, g.k, by_tap, dweight);
}

// ---- by cuDNN ----

// Whether cuDNN has computed the pass.
template <class T>
bool by_cudnn(ConvPass pass, const Conv2dGeometry& g, const ConvArrays& arrays,
              Workspace& workspace) {
  const ConvPath path = gpu_options().convolution;
  require(kHasCudnn || path != ConvPath::cudnn, kOp, ": this build has no cuDNN");
  const bool is_empty = g.n * g.h * g.w * g.c * g.p * g.q * g.k * g.r * g.s == 0;
  if constexpr (kHasCudnn)
    return path != ConvPath::columns && !is_empty && cudnn_conv2d<T>(pass, g, arrays, workspace);
  return false;
}

// Adds the bias to every location of y, kCount neighbouring channels by each thread.
template <int kCount, class T>
void add_bias(const Conv2dGeometry& g, const T* bias, T* y) {
  const std::int64_t blocks = g.k / kCount;
  each(kOp, g.n * g.p * g.q * blocks, [=] __device__(std::int64_t i) {
    Vector<Wide<T>, kCount> sum = load<kCount>(y + i * kCount);
    add_scaled(Wide<T>(1), load<kCount>(bias + i % blocks * kCount), sum);
    store(sum, y + i * kCount);
  });
}
// bias may be null.
template <class T>
void add_bias(const Conv2dGeometry& g, const T* bias, T* y) {
  if (bias == nullptr) return;
  if (are_vectors<T>(g.k, bias, y))
    add_bias<kVector<T>>(g, bias, y);
  else
    add_bias<1>(g, bias, y);
}

// ---- pointwise ----

// Whether a location reads the pixel beneath it and no other: then x itself is the columns.
bool is_pointwise(const Conv2dGeometry& g) {
  return g.r == 1 && g.s == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_top == 0 &&
         g.pad_left == 0 && g.p == g.h && g.q == g.w;
}

// ---- the three passes ----

template <class T>
void forward(const Conv2dGeometry& g, const T* x, const T* weight, const T* bias, T* y,
             Workspace& workspace) {
  if (is_depthwise(g)) {
    if constexpr (std::is_same_v<T, BFloat16>)
      return Widening::conv2d_forward<forward<float>>(g, x, weight, bias, y, workspace);
    else
      return depthwise_forward<T>(kOp, g, Sharing::shared, x,
                                  filters_by_tap(kOp, g, weight, workspace), bias, y);
  }
  const auto cut = ColumnsGeometry::of<T>(g);
  if (is_pointwise(g)) return multiply_columns(kOp, cut, cut.all(), x, weight, bias, y);
  if (by_cudnn<T>(ConvPass::forward, g, {x, weight, y}, workspace)) return add_bias(g, bias, y);
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  each_slice(cut, [&](Slice slice) {
    gather_columns(g, cut, slice, x, columns);
    multiply_columns<T>(kOp, cut, slice, columns, weight, bias, y);
  });
}

template <class T>
void data_gradient(const Conv2dGeometry& g, const T* dy, const T* weight, T* dx,
                   Workspace& workspace) {
  if (is_depthwise(g)) {
    if constexpr (std::is_same_v<T, BFloat16>)
      return Widening::conv2d_data_gradient<data_gradient<float>>(g, dy, weight, dx, workspace);
    else
      return depthwise_data_gradient<T>(kOp, g, Sharing::shared, dy,
                                        filters_by_tap(kOp, g, weight, workspace), dx);
  }
  const auto cut = ColumnsGeometry::of<T>(g);
  if (is_pointwise(g)) return columns_gradient(kOp, cut, cut.all(), dy, weight, dx);
  if (by_cudnn<T>(ConvPass::data_gradient, g, {dx, weight, dy}, workspace)) return;
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  add_up(kOp, dx, g.n * g.h * g.w * g.c, workspace, [&](Wide<T>* sums) {
    each_slice(cut, [&](Slice slice) {
      columns_gradient<T>(kOp, cut, slice, dy, weight, columns);
      add_columns<T>(g, cut, slice, columns, sums);
    });
  });
}

template <class T>
void weight_gradient(const Conv2dGeometry& g, const T* x, const T* dy, T* dweight,
                     Workspace& workspace) {
  if (is_depthwise(g)) {
    if constexpr (std::is_same_v<T, BFloat16>)
      return Widening::conv2d_weight_gradient<weight_gradient<float>>(g, x, dy, dweight, workspace);
    else
      return depthwise_gradient(g, x, dy, dweight, workspace);
  }
  const auto cut = ColumnsGeometry::of<T>(g);
  if (!is_pointwise(g) && by_cudnn<T>(ConvPass::weight_gradient, g, {x, dweight, dy}, workspace))
    return;
  add_up(kOp, dweight, g.k * cut.taps * cut.in, workspace, [&](Wide<T>* sums) {
    if (is_pointwise(g)) return add_weight_gradient<T>(kOp, cut, cut.all(), dy, x, sums);
    T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
    each_slice(cut, [&](Slice slice) {
      gather_columns(g, cut, slice, x, columns);
      add_weight_gradient<T>(kOp, cut, slice, dy, columns, sums);
    });
  });
}

}  // namespace

std::vector<ConvPlan> cuda::conv_plans() {
  if constexpr (kHasCudnn) return cudnn_conv_plans();
  return {};
}

constinit FloatingKernel<Conv2dForward> cuda::conv2d_forward{forward, forward, forward};
constinit FloatingKernel<Conv2dDataGradient> cuda::conv2d_data_gradient{
    data_gradient, data_gradient, data_gradient};
constinit FloatingKernel<Conv2dWeightGradient> cuda::conv2d_weight_gradient{
    weight_gradient, weight_gradient, weight_gradient};

}  // namespace pliant
