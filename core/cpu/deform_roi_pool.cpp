#include <pliant/core/kernels/deform_roi_pool.h>

#include <algorithm>

#include <pliant/core/cpu/roi_windows.h>

namespace pliant {
namespace {

constexpr std::int64_t kRowsOfBins = 4;  // of a task

// What one class of one bin reads.
template <class Axis, class T>
struct BinOf {
  Axis rows, columns;

  T scale() const {
    const double count = rows.count * columns.count;
    return count > 0 ? static_cast<T>(1 / count) : T(0);
  }
};
template <class T>
using BinWindow = BinOf<cpu::AxisWindow<T>, T>;
template <class T>
using BinView = BinOf<cpu::AxisView<T>, T>;

template <class T>
struct Regions {
  const DeformRoIPoolGeometry& g;
  const T* rois;
  const T* trans;  // may be null
  const T* mask;   // may be null

  std::int64_t image(std::int64_t r) const { return static_cast<std::int64_t>(rois[5 * r]); }
  std::int64_t bin(std::int64_t r, std::int64_t i, std::int64_t j) const {
    return (r * g.region.p + i) * g.region.q + j;
  }
  T mask_of(std::int64_t of_bin) const { return mask == nullptr ? T(1) : mask[of_bin]; }

  void fill_rows(cpu::AxisWindow<T>& rows, std::int64_t r, std::int64_t i, std::int64_t j,
                 std::int64_t of_class) const {
    const T* const t = trans == nullptr ? nullptr : trans + g.trans_at(r, i, j, of_class) + 1;
    fill(rows, rois + 5 * r + 2, t, i, g.region.p, g.region.h);
  }
  void fill_columns(cpu::AxisWindow<T>& columns, std::int64_t r, std::int64_t i, std::int64_t j,
                    std::int64_t of_class) const {
    const T* const t = trans == nullptr ? nullptr : trans + g.trans_at(r, i, j, of_class);
    fill(columns, rois + 5 * r + 1, t, j, g.region.q, g.region.w);
  }
  // Side lengths times trans_std: derivatives of the places of a bin by its trans.
  double pull(std::int64_t r, int axis) const {
    const T* const roi = rois + 5 * r + axis;
    return g.trans_std * g.side(static_cast<double>(roi[0]), static_cast<double>(roi[2]));
  }

 private:
  void fill(cpu::AxisWindow<T>& window, const T* corner, const T* t, std::int64_t of_bin,
            std::int64_t bins, std::int64_t size) const {
    window.clear();
    const double moved = t == nullptr ? 0.0 : static_cast<double>(*t);
    const BinSamples samples =
        deform_roi_samples(g, static_cast<double>(corner[0]), static_cast<double>(corner[2]), moved,
                           of_bin, bins, size);
    window.add(samples, [&](double at) { return deform_roi_tap<T>(g, at, size); });
    if (g.roi_align) window.count = samples.count;  // those outside the map too
  }
};

template <class T>
void forward(const DeformRoIPoolGeometry& g, const T* x, const T* rois, const T* trans,
             const T* mask, T* y, Workspace& workspace) {
  const Regions<T> regions{g, rois, trans, mask};
  const RoIGeometry& region = g.region;
  const cpu::GroupedMap<T> map(region, x, workspace);
  const std::int64_t channels = g.class_channels();
  parallel_blocks(region.r * region.p, kRowsOfBins, [&](std::int64_t begin, std::int64_t end) {
    BinWindow<T> window;
    for (std::int64_t at = begin; at < end; ++at)
      for (std::int64_t j = 0; j < region.q; ++j)
        for (std::int64_t k = 0; k < g.classes; ++k) {
          const std::int64_t r = at / region.p, i = at % region.p, bin = at * region.q + j;
          regions.fill_rows(window.rows, r, i, j, k);
          regions.fill_columns(window.columns, r, i, j, k);
          cpu::MapView<const T> view = map.view(regions.image(r), region.group(i, j));
          view.base += k * channels * view.channel;
          cpu::pool_window(view, window.rows, window.columns, regions.mask_of(bin), channels,
                           y + bin * region.k + k * channels);
        }
  });
}

// The windows of all bins and classes. The gradient by x and that of the branch read each more than
// once, and making one costs as much as pooling some hundred channels by it.
template <class T>
class AllWindows {
 public:
  AllWindows(const Regions<T>& regions, Workspace& workspace)
      : limit_(std::max(regions.g.region.h, regions.g.region.w)), classes_(regions.g.classes) {
    const RoIGeometry& region = regions.g.region;
    if (regions.g.samples > 0) limit_ = std::min(limit_, 2 * regions.g.samples);
    const std::int64_t windows = region.r * region.p * region.q * classes_;
    pixels_ = workspace.take<Pixel>(2 * windows * limit_);
    sizes_ = workspace.take<Size>(2 * windows);
    parallel_blocks(region.r * region.p, kRowsOfBins, [&](std::int64_t begin, std::int64_t end) {
      cpu::AxisWindow<T> window;
      for (std::int64_t at = begin; at < end; ++at)
        for (std::int64_t j = 0; j < region.q; ++j)
          for (std::int64_t k = 0; k < classes_; ++k) {
            const std::int64_t first = 2 * ((at * region.q + j) * classes_ + k);
            regions.fill_rows(window, at / region.p, at % region.p, j, k);
            keep(window, first);
            regions.fill_columns(window, at / region.p, at % region.p, j, k);
            keep(window, first + 1);
          }
    });
  }

  BinView<T> of(std::int64_t bin, std::int64_t of_class) const {
    const std::int64_t first = 2 * (bin * classes_ + of_class);
    return {axis(first), axis(first + 1)};
  }

 private:
  using Pixel = typename cpu::AxisWindow<T>::Pixel;
  struct Size {
    std::size_t pixels;
    double count;
  };

  void keep(const cpu::AxisWindow<T>& window, std::int64_t index) {
    std::copy(window.pixels.begin(), window.pixels.end(), pixels_ + index * limit_);
    sizes_[index] = {window.pixels.size(), window.count};
  }
  cpu::AxisView<T> axis(std::int64_t index) const {
    return {{pixels_ + index * limit_, sizes_[index].pixels}, sizes_[index].count};
  }

  std::int64_t limit_;  // of pixels: two for each sample, each of the map's once
  std::int64_t classes_;
  Pixel* pixels_;
  Size* sizes_;
};

// Gradients by trans and mask of one bin.
template <class T>
void bin_gradient(const Regions<T>& regions, const AllWindows<T>& windows,
                  const cpu::GroupedMap<T>& map, std::int64_t r, std::int64_t i, std::int64_t j,
                  const T* dy, T* dtrans, T* dmask) {
  const DeformRoIPoolGeometry& g = regions.g;
  const std::int64_t bin = regions.bin(r, i, j), channels = g.class_channels();
  T by_mask = 0;
  for (std::int64_t k = 0; k < g.classes; ++k) {
    const BinView<T> window = windows.of(bin, k);
    cpu::MapView<const T> view = map.view(regions.image(r), g.region.group(i, j));
    view.base += k * channels * view.channel;
    T dots[3];
    cpu::dot_window(view, window.rows, window.columns, channels,
                    dy + bin * g.region.k + k * channels, dots);
    const T scale = window.scale();
    by_mask += scale * dots[0];
    if (dtrans == nullptr) continue;
    T* const to = dtrans + g.trans_at(r, i, j, k);
    const T factor = scale * regions.mask_of(bin);
    to[0] += static_cast<T>(regions.pull(r, 1)) * factor * dots[2];
    to[1] += static_cast<T>(regions.pull(r, 2)) * factor * dots[1];
  }
  if (dmask != nullptr) dmask[bin] = by_mask;
}

// A task owns a region.
template <class T>
void branch_gradient(const Regions<T>& regions, const AllWindows<T>& windows, const T* x,
                     const T* dy, T* dtrans, T* dmask, Workspace& workspace) {
  const DeformRoIPoolGeometry& g = regions.g;
  const cpu::GroupedMap<T> map(g.region, x, workspace);
  parallel_for(g.region.r, [&](std::int64_t r) {
    const std::int64_t size = g.part * g.part * g.classes * 2;
    if (dtrans != nullptr) std::fill_n(dtrans + r * size, size, T(0));
    for (std::int64_t i = 0; i < g.region.p; ++i)
      for (std::int64_t j = 0; j < g.region.q; ++j)
        bin_gradient(regions, windows, map, r, i, j, dy, dtrans, dmask);
  });
}

template <class T>
void map_gradient(const Regions<T>& regions, const AllWindows<T>& windows, const T* dy, T* dx,
                  Workspace& workspace) {
  const DeformRoIPoolGeometry& g = regions.g;
  const std::int64_t channels = g.class_channels();
  const auto add = [&](std::int64_t image, std::int64_t group, PixelRange rows,
                       const cpu::MapView<T>& map, cpu::HeldSums<T>& held) {
    const auto spread = [&](std::int64_t r, std::int64_t i, std::int64_t j) {
      const std::int64_t bin = regions.bin(r, i, j);
      for (std::int64_t k = 0; k < g.classes; ++k) {
        const BinView<T> window = windows.of(bin, k);
        if (!cpu::overlap(window.rows.range(), rows)) continue;
        cpu::MapView<T> view = map;
        view.base += k * channels;
        cpu::count_window(held, view, window.rows, window.columns, rows, g.classes, k);
        cpu::spread_window(view, window.rows, window.columns, rows,
                           window.scale() * regions.mask_of(bin), channels,
                           dy + bin * g.region.k + k * channels);
      }
    };
    cpu::each_bin_of(g.region, regions.rois, image, group, spread);
  };
  cpu::own_rows(g.region, g.classes, dx, workspace, add);
}

template <class T>
void gradient(const DeformRoIPoolGeometry& g, const DeformRoIPoolGradientArgs<T>& args,
              Workspace& workspace) {
  const Regions<T> regions{g, args.rois, args.trans, args.mask};
  const AllWindows<T> windows(regions, workspace);
  if (args.dtrans != nullptr || args.dmask != nullptr)
    branch_gradient(regions, windows, args.x, args.dy, args.dtrans, args.dmask, workspace);
  if (args.dx != nullptr) map_gradient(regions, windows, args.dy, args.dx, workspace);
}

}  // namespace

constinit FloatKernel<DeformRoIPoolForward> cpu::deform_roi_pool_forward{forward, forward};
constinit FloatKernel<DeformRoIPoolGradient> cpu::deform_roi_pool_gradient{gradient, gradient};

}  // namespace pliant
