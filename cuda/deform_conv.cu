#include <pliant/core/kernels/deform_conv.h>

#include <pliant/cuda/columns.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "deform_conv2d";

// Where the samples of a deformable convolution lie; mask may be null. Passed by value.
template <class T>
struct Samples {
  DeformGeometry g;
  const T* offset;
  const T* mask;

  // Channels of an offset group.
  __device__ std::int64_t group_channels() const { return g.conv.c / g.offset_groups; }
  // First element of x of the image that a location lies in.
  __device__ std::int64_t image(std::int64_t location) const {
    return location / (g.conv.p * g.conv.q) * g.conv.h * g.conv.w * g.conv.c;
  }
  __device__ BilinearTap<T> tap_of(std::int64_t location, std::int64_t tap,
                                   std::int64_t pair) const {
    const Conv2dGeometry& conv = g.conv;
    return deform_tap(g, location / conv.q % conv.p, location % conv.q, tap / conv.s, tap % conv.s,
                      offset[2 * pair], offset[2 * pair + 1]);
  }
  __device__ T mask_of(std::int64_t pair) const { return mask == nullptr ? T(1) : mask[pair]; }
};

// Four channels of a tap's thread, unless a group ends within them.
std::int64_t channels_per_thread(const DeformGeometry& g) {
  const std::int64_t in = g.conv.c / g.conv.groups, per = g.conv.c / g.offset_groups;
  return in % 4 == 0 && per % 4 == 0 ? 4 : 1;
}

// One thread per (location, tap, few channels).
template <class T>
void gather_columns(const Samples<T>& samples, const ColumnsGeometry& cut, Slice slice, const T* x,
                    T* columns) {
  const std::int64_t count = channels_per_thread(samples.g), blocks = samples.g.conv.c / count;
  each(kOp, slice.rows() * cut.taps * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t first = i % blocks * count, tap = i / blocks % cut.taps;
    const std::int64_t row = i / blocks / cut.taps, location = slice.begin + row;
    const std::int64_t c = samples.g.conv.c;
    const std::int64_t pair =
        deform_pair(samples.g, location, first / samples.group_channels(), tap);
    const BilinearTap<T> at = samples.tap_of(location, tap, pair);
    const T mask = samples.mask_of(pair);
    const T* const image = x + samples.image(location) + first;
    T* const to = columns + row * cut.width + cut.at(tap, first);
    for (std::int64_t j = 0; j < count; ++j) {
      T value[4];
      for (int k = 0; k < 4; ++k)
        value[k] = at.pixel[k] < 0 ? T(0) : image[std::int64_t{at.pixel[k]} * c + j];
      to[j] = mask * apply(at.weight, value);
    }
  });
}

// One thread per (location, offset group, tap) adds up over the group's channels; q, the columns'
// gradient, does not have the mask in it. doffset and dmask may be null.
template <class T>
void offset_gradient(const Samples<T>& samples, const ColumnsGeometry& cut, Slice slice, const T* x,
                     const T* q, T* doffset, T* dmask) {
  const std::int64_t groups = samples.g.offset_groups;
  each(kOp, slice.rows() * groups * cut.taps, [=] __device__(std::int64_t i) {
    const std::int64_t tap = i % cut.taps, group = i / cut.taps % groups;
    const std::int64_t row = i / cut.taps / groups, location = slice.begin + row;
    const std::int64_t pair = deform_pair(samples.g, location, group, tap);
    const BilinearTap<T> at = samples.tap_of(location, tap, pair);
    const std::int64_t c = samples.g.conv.c, count = samples.group_channels();
    const T* const image = x + samples.image(location);
    T dots[4] = {};
    for (std::int64_t j = group * count; j < (group + 1) * count; ++j) {
      const T slope = q[row * cut.width + cut.at(tap, j)];
      for (int k = 0; k < 4; ++k)
        if (at.pixel[k] >= 0) dots[k] += slope * image[std::int64_t{at.pixel[k]} * c + j];
    }
    if (dmask != nullptr) dmask[pair] = apply(at.weight, dots);
    if (doffset == nullptr) return;
    const T mask = samples.mask_of(pair);
    doffset[2 * pair] = mask * apply(at.d_row, dots);
    doffset[2 * pair + 1] = mask * apply(at.d_column, dots);
  });
}

// Adds the slice's part to dx. Any location may reach any pixel, so one thread owns a channel of an
// image and walks the locations in order: deterministic, but with few threads, which work out every
// tap again. A list of contributions per pixel, made from the offsets, is the way to more.
template <class T>
void add_data_gradient(const Samples<T>& samples, const ColumnsGeometry& cut, Slice slice,
                       const T* q, T* dx) {
  const Conv2dGeometry& conv = samples.g.conv;
  const std::int64_t locations = conv.p * conv.q, c = conv.c;
  const std::int64_t first = slice.begin / locations, last = (slice.end - 1) / locations;
  each(kOp, (last - first + 1) * c, [=] __device__(std::int64_t i) {
    const std::int64_t channel = i % c, image = first + i / c;
    const std::int64_t group = channel / samples.group_channels();
    const std::int64_t begin = std::max(slice.begin, image * locations);
    const std::int64_t end = std::min(slice.end, (image + 1) * locations);
    T* const to = dx + image * samples.g.conv.h * samples.g.conv.w * c + channel;
    for (std::int64_t location = begin; location < end; ++location)
      for (std::int64_t tap = 0; tap < cut.taps; ++tap) {
        const std::int64_t pair = deform_pair(samples.g, location, group, tap);
        const BilinearTap<T> at = samples.tap_of(location, tap, pair);
        const T slope =
            samples.mask_of(pair) * q[(location - slice.begin) * cut.width + cut.at(tap, channel)];
        for (int k = 0; k < 4; ++k)
          if (at.pixel[k] >= 0) to[std::int64_t{at.pixel[k]} * c] += slope * at.weight[k];
      }
  });
}

template <class T>
void forward(const DeformGeometry& g, const T* x, const T* offset, const T* mask, const T* weight,
             const T* bias, T* y, Workspace& workspace) {
  const auto cut = ColumnsGeometry::of<T>(g.conv);
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  each_slice(cut, [&](Slice slice) {
    gather_columns(Samples<T>{g, offset, mask}, cut, slice, x, columns);
    multiply_columns<T>(kOp, cut, slice, columns, weight, bias, y);
  });
}

template <class T>
void input_gradient(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                    const T* weight, const T* dy, T* dx, T* doffset, T* dmask,
                    Workspace& workspace) {
  const auto cut = ColumnsGeometry::of<T>(g.conv);
  const Samples<T> samples{g, offset, mask};
  T* const q = workspace.take<T>(cut.slice_rows * cut.width);
  if (dx != nullptr) set_to_zero(kOp, dx, g.conv.n * g.conv.h * g.conv.w * g.conv.c);
  each_slice(cut, [&](Slice slice) {
    columns_gradient<T>(kOp, cut, slice, dy, weight, q);
    if (doffset != nullptr || dmask != nullptr)
      offset_gradient<T>(samples, cut, slice, x, q, doffset, dmask);
    if (dx != nullptr) add_data_gradient<T>(samples, cut, slice, q, dx);
  });
}

template <class T>
void weight_gradient(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                     const T* dy, T* dweight, Workspace& workspace) {
  const auto cut = ColumnsGeometry::of<T>(g.conv);
  T* const columns = workspace.take<T>(cut.slice_rows * cut.width);
  set_to_zero(kOp, dweight, g.conv.k * cut.taps * cut.in);
  each_slice(cut, [&](Slice slice) {
    gather_columns(Samples<T>{g, offset, mask}, cut, slice, x, columns);
    add_weight_gradient<T>(kOp, cut, slice, dy, columns, dweight);
  });
}

template <class T>
void gradient(const DeformGeometry& g, const T* x, const T* offset, const T* mask, const T* weight,
              const T* dy, T* dx, T* doffset, T* dmask, T* dweight, Workspace& workspace) {
  if (dx != nullptr || doffset != nullptr || dmask != nullptr)
    input_gradient(g, x, offset, mask, weight, dy, dx, doffset, dmask, workspace);
  if (dweight != nullptr) weight_gradient(g, x, offset, mask, dy, dweight, workspace);
}

}  // namespace

void cuda::deform_conv_forward(const DeformGeometry& g, const float* x, const float* offset,
                               const float* mask, const float* weight, const float* bias, float* y,
                               Workspace& workspace) {
  forward(g, x, offset, mask, weight, bias, y, workspace);
}

void cuda::deform_conv_forward(const DeformGeometry& g, const double* x, const double* offset,
                               const double* mask, const double* weight, const double* bias,
                               double* y, Workspace& workspace) {
  forward(g, x, offset, mask, weight, bias, y, workspace);
}

void cuda::deform_conv_gradient(const DeformGeometry& g, const float* x, const float* offset,
                                const float* mask, const float* weight, const float* dy, float* dx,
                                float* doffset, float* dmask, float* dweight,
                                Workspace& workspace) {
  gradient(g, x, offset, mask, weight, dy, dx, doffset, dmask, dweight, workspace);
}

void cuda::deform_conv_gradient(const DeformGeometry& g, const double* x, const double* offset,
                                const double* mask, const double* weight, const double* dy,
                                double* dx, double* doffset, double* dmask, double* dweight,
                                Workspace& workspace) {
  gradient(g, x, offset, mask, weight, dy, dx, doffset, dmask, dweight, workspace);
}

}  // namespace pliant
