// Forward and data gradient of conv2d: both are walks over a grid of locations (conv2d_taps.h), or
// over lines where every filter reads one channel (depthwise.h).
// The weight gradient is conv2d_weight.cpp.
#include <pliant/core/kernels/conv2d.h>

#include <algorithm>

#include <pliant/core/cpu/conv2d_taps.h>
#include <pliant/core/cpu/depthwise.h>
#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/winograd.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// The weight of a depthwise convolution by tap, [r s k].
template <class T>
T* by_tap(const Conv2dGeometry& g, const T* weight, Workspace& workspace) {
  const std::int64_t taps = g.r * g.s;
  T* const turned = workspace.take<T>(taps * g.k);
  for (std::int64_t k = 0; k < g.k; ++k)
    for (std::int64_t tap = 0; tap < taps; ++tap) turned[tap * g.k + k] = weight[k * taps + tap];
  return turned;
}

// One image of a batch.
Conv2dGeometry alone(Conv2dGeometry g) {
  g.n = 1;
  return g;
}

template <class T>
void dense_forward(const Conv2dGeometry& g, const T* x, const T* weight, const T* bias, T* y,
                   Workspace& workspace) {
  const std::int64_t channels = g.c / g.groups, filters = g.k / g.groups;
  const std::int64_t sum_length = g.r * g.s * channels;
  const std::int64_t packed = packed_size<T>(sum_length, filters);
  T* const memory = workspace.take<T>(g.groups * packed);
  const TappedMap<T> source = tapped_input(g, x, workspace);
  std::vector<Walk<T>> walks;
  walks.reserve(static_cast<std::size_t>(g.groups));
  for (std::int64_t group = 0; group < g.groups; ++group) {
    const MatrixView<T> filter{weight + group * filters * sum_length, sum_length, Transpose::yes};
    Walk<T> walk{source,
                 {y + group * filters, g.n, g.p, g.q, {g.p * g.q * g.k, g.q * g.k, g.k}},
                 pack(sum_length, filters, filter, memory + group * packed),
                 bias == nullptr ? nullptr : bias + group * filters};
    walk.source.data += group * channels;
    walks.push_back(std::move(walk));
  }
  run(walks, take_zeros<T>(source.depth, workspace), workspace);
}

template <class T>
void forward(const Conv2dGeometry& g, const T* x, const T* weight, const T* bias, T* y,
             Workspace& workspace) {
  if (is_depthwise(g))
    return depthwise_forward<T>(g, Sharing::shared, x, by_tap(g, weight, workspace), bias, y,
                                workspace);
  if constexpr (std::is_same_v<T, float>)
    if (has_winograd(g)) {
      for (const std::int64_t image : winograd_forward(g, x, weight, bias, y, workspace))
        dense_forward(alone(g), x + image * g.h * g.w * g.c, weight, bias,
                      y + image * g.p * g.q * g.k, workspace);
      return;
    }
  dense_forward(g, x, weight, bias, y, workspace);
}

// One tap's part of a transposed filter, packed: filters [K/groups, C/groups] of tap `tap`.
template <class T>
struct PackJob {
  Panel panel;
  MatrixView<T> filter;
  T* to;
};

// The data gradient's walks, one per group and stride phase, and what is to be packed for them.
template <class T>
class DataGradient {
 public:
  DataGradient(const Conv2dGeometry& g, const T* dy, const T* weight, T* dx, Workspace& workspace)
      : g_(g), dy_(dy), weight_(weight), dx_(dx) {
    // Every tap belongs to one phase, so the phases together pack the weight once.
    memory_ = workspace.take<T>(g.groups * packed_size<T>(g.r * g.s * filters_, channels_));
    for (std::int64_t group = 0; group < g.groups; ++group)
      for (std::int64_t a = 0; a < std::min(g.stride_h, g.h); ++a)
        for (std::int64_t b = 0; b < std::min(g.stride_w, g.w); ++b) add_phase(group, a, b);
  }

  void run(const T* zeros, Workspace& workspace) const {
    parallel_for(static_cast<std::int64_t>(jobs_.size()), [&](std::int64_t i) {
      const PackJob<T>& job = jobs_[static_cast<std::size_t>(i)];
      pack_panel(job.panel, filters_, job.filter, job.to);
    });
    cpu::run(walks_, zeros, workspace);
  }

 private:
  void add_phase(std::int64_t group, std::int64_t a, std::int64_t b) {
    const auto rows = phase_taps(a, g_.r, g_.stride_h, g_.pad_top, g_.dilation_h);
    const auto columns = phase_taps(b, g_.s, g_.stride_w, g_.pad_left, g_.dilation_w);
    const auto taps = static_cast<std::int64_t>(rows.size() * columns.size());
    Walk<T> walk{{dy_ + group * filters_,
                  g_.p,
                  g_.q,
                  {g_.p * g_.q * g_.k, g_.q * g_.k, g_.k},
                  1,
                  1,
                  {},
                  filters_},
                 {dx_ + (a * g_.w + b) * g_.c + group * channels_,
                  g_.n,
                  (g_.h - a + g_.stride_h - 1) / g_.stride_h,
                  (g_.w - b + g_.stride_w - 1) / g_.stride_w,
                  {g_.h * g_.w * g_.c, g_.stride_h * g_.w * g_.c, g_.stride_w * g_.c}},
                 {memory_, taps * filters_, channels_},
                 nullptr};
    for (const PhaseTap& row : rows)
      for (const PhaseTap& column : columns) {
        pack_tap(group, row.tap * g_.s + column.tap, walk);
        walk.source.taps.push_back({row.offset, column.offset});
      }
    memory_ += packed_size<T>(walk.weight.k, channels_);
    walks_.push_back(std::move(walk));
  }

  void pack_tap(std::int64_t group, std::int64_t tap, const Walk<T>& walk) {
    const std::int64_t stride = g_.r * g_.s * channels_;
    const MatrixView<T> filter{weight_ + group * filters_ * stride + tap * channels_, stride};
    const auto position = static_cast<std::int64_t>(walk.source.taps.size());
    const Panels<T> panels(channels_);
    for (std::int64_t p = 0; p < panels.count(); ++p)
      jobs_.push_back(
          {panels[p], filter,
           memory_ + walk.weight.k * panels[p].first + position * filters_ * panels[p].width});
  }

  const Conv2dGeometry& g_;
  const T* dy_;
  const T* weight_;
  T* dx_;
  T* memory_;
  std::int64_t channels_ = g_.c / g_.groups, filters_ = g_.k / g_.groups;
  std::vector<Walk<T>> walks_;
  std::vector<PackJob<T>> jobs_;
};

template <class T>
void data_gradient(const Conv2dGeometry& g, const T* dy, const T* weight, T* dx,
                   Workspace& workspace) {
  if (is_depthwise(g))
    return depthwise_data_gradient<T>(g, Sharing::shared, dy, by_tap(g, weight, workspace), dx,
                                      workspace);
  const auto dense = [&](const Conv2dGeometry& some, const T* from, T* to) {
    DataGradient<T>(some, from, weight, to, workspace)
        .run(take_zeros<T>(g.k, workspace), workspace);
  };
  if constexpr (std::is_same_v<T, float>)
    if (has_winograd(g)) {
      for (const std::int64_t image : winograd_data_gradient(g, dy, weight, dx, workspace))
        dense(alone(g), dy + image * g.p * g.q * g.k, dx + image * g.h * g.w * g.c);
      return;
    }
  dense(g, dy, dx);
}

}  // namespace

constinit FloatingKernel<Conv2dForward> cpu::conv2d_forward{forward, forward,
                                                            Widening::conv2d_forward<forward>};
constinit FloatingKernel<Conv2dDataGradient> cpu::conv2d_data_gradient{
    data_gradient, data_gradient, Widening::conv2d_data_gradient<data_gradient>};

}  // namespace pliant
