#include <pliant/core/kernels/deform_conv2d.h>

#include <pliant/cuda/deform_depthwise.h>
#include <pliant/cuda/deform_samples.cuh>
#include <pliant/cuda/widening.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "deform_conv2d";

bool is_depthwise(const DeformGeometry& g) {
  return g.conv.groups > 1 && g.conv.groups == g.conv.c;
}

// kCount neighbouring channels of a location by each thread, through all taps, straight to where
// the product wants them.
template <int kCount, class T>
void gather_columns(const DeformSamples<Wide<T>>& samples, const ColumnsGeometry& cut, Slice slice,
                    const T* x, T* columns) {
  const TapRows rows = samples.rows(slice.begin, slice.end);
  const std::int64_t blocks = rows.c / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    const std::int64_t group = c / rows.group_channels();
    const T* const map = x + rows.map(row) + c;
    T* const to = columns + row * cut.width + cut.at(0, c);
    samples.each_tap(rows.begin + row, group, [&](std::int64_t t, const ScaledTap<Wide<T>>& at) {
      Vector<Wide<T>, kCount> scaled{};
      add_scaled(at.scale, read_tap<kCount>(at.tap, map, rows.c), scaled);
      store(scaled, to + t * cut.in);
    });
  });
}

template <int kCount, class T>
void forward(const DeformSamples<Wide<T>>& samples, const T* x, const T* weight, const T* bias,
             T* y, Workspace& workspace) {
  const auto cut = ColumnsGeometry::of<T>(samples.g.conv);
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  each_slice(cut, [&](Slice slice) {
    gather_columns<kCount, T>(samples, cut, slice, x, columns);
    multiply_columns<T>(kOp, cut, slice, columns, weight, bias, y);
  });
}

template <int kCount, class T>
void input_gradient(const DeformSamples<Wide<T>>& samples, const ColumnsGeometry& cut, const T* x,
                    const T* weight, const T* dy, Wide<T>* dx, Wide<T>* doffset, Wide<T>* dmask,
                    T* columns) {
  const ColumnSlopes<T> slopes{cut, columns};
  each_slice(cut, [&](Slice slice) {
    const TapRows rows = samples.rows(slice.begin, slice.end);
    columns_gradient<T>(kOp, cut, slice, dy, weight, columns);
    if (doffset != nullptr || dmask != nullptr)
      deform_offset_gradient<kCount>(kOp, samples, rows, x, slopes, doffset, dmask);
    if (dx != nullptr) add_to_map<kCount>(kOp, rows, samples, slopes, dx);
  });
}

template <int kCount, class T>
void gradient(const DeformSamples<Wide<T>>& samples, const T* x, const T* weight, const T* dy,
              T* dx, Wide<T>* doffset, Wide<T>* dmask, T* dweight, Workspace& workspace) {
  const Conv2dGeometry& conv = samples.g.conv;
  auto cut = ColumnsGeometry::of<T>(conv);
  cut.slice_rows = std::min(cut.slice_rows, rows_of_lists(samples.g.offset_groups * cut.taps));
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  if (dx != nullptr || doffset != nullptr || dmask != nullptr)
    add_up(kOp, dx, conv.n * conv.h * conv.w * conv.c, workspace, [&](Wide<T>* sums) {
      input_gradient<kCount, T>(samples, cut, x, weight, dy, sums, doffset, dmask, columns);
    });
  if (dweight == nullptr) return;
  add_up(kOp, dweight, conv.k * cut.taps * cut.in, workspace, [&](Wide<T>* sums) {
    each_slice(cut, [&](Slice slice) {
      gather_columns<kCount, T>(samples, cut, slice, x, columns);
      add_weight_gradient<T>(kOp, cut, slice, dy, columns, sums);
    });
  });
}

// Whether threads may take vectors: these neither cross an offset group nor, in the columns, a
// group of weights.
template <class T, class... Pointers>
bool in_vectors(const DeformGeometry& g, const Pointers*... maps) {
  return are_vectors<T>(g.conv.c / g.offset_groups, maps...) &&
         are_vectors<T>(g.conv.c / g.conv.groups);
}

template <class T>
void forward(const DeformGeometry& g, const T* x, const Wide<T>* offset, const Wide<T>* mask,
             const T* weight, const T* bias, T* y, Workspace& workspace) {
  const DeformSamples<Wide<T>> samples{g, offset, mask};
  if (in_vectors<T>(g, x))
    forward<kVector<T>, T>(samples, x, weight, bias, y, workspace);
  else
    forward<1, T>(samples, x, weight, bias, y, workspace);
}

template <class T>
void gradient(const DeformGeometry& g, const T* x, const Wide<T>* offset, const Wide<T>* mask,
              const T* weight, const T* dy, T* dx, Wide<T>* doffset, Wide<T>* dmask, T* dweight,
              Workspace& workspace) {
  const DeformSamples<Wide<T>> samples{g, offset, mask};
  if (in_vectors<T>(g, x, dx))
    gradient<kVector<T>, T>(samples, x, weight, dy, dx, doffset, dmask, dweight, workspace);
  else
    gradient<1, T>(samples, x, weight, dy, dx, doffset, dmask, dweight, workspace);
}

template <class T>
void forward_of(const DeformGeometry& g, const DeformConvForwardArgs<T>& args,
                Workspace& workspace) {
  if (is_depthwise(g)) {
    if constexpr (std::is_same_v<T, BFloat16>)
      return Widening::deform_conv_forward<forward_of<float>>(g, args, workspace);
    else
      return deform_depthwise_forward(kOp, g, args.x, args.offset, args.mask, args.weight,
                                      args.bias, args.y, workspace);
  }
  forward(g, args.x, args.offset, args.mask, args.weight, args.bias, args.y, workspace);
}

template <class T>
void gradient_of(const DeformGeometry& g, const DeformConvGradientArgs<T>& args,
                 Workspace& workspace) {
  if (is_depthwise(g)) {
    if constexpr (std::is_same_v<T, BFloat16>)
      return Widening::deform_conv_gradient<gradient_of<float>>(g, args, workspace);
    else
      return deform_depthwise_gradient(kOp, g, args.x, args.offset, args.mask, args.weight, args.dy,
                                       args.dx, args.doffset, args.dmask, args.dweight, workspace);
  }
  gradient(g, args.x, args.offset, args.mask, args.weight, args.dy, args.dx, args.doffset,
           args.dmask, args.dweight, workspace);
}

}  // namespace

constinit FloatingKernel<DeformConvForward> cuda::deform_conv_forward{forward_of, forward_of,
                                                                      forward_of};
constinit FloatingKernel<DeformConvGradient> cuda::deform_conv_gradient{gradient_of, gradient_of,
                                                                        gradient_of};

}  // namespace pliant
