#include <pliant/core/kernels/deform_roi_pool.h>

#include <limits>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/roi.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "deform_roi_pool";

// One bin of one region, for one class.
struct Bin {
  std::int64_t r, i, j, of_class;
};

// The samples of a bin along both axes.
struct Samples {
  BinSamples rows, columns;
};

// What one thread knows of its place; trans and mask may be null. Passed by value.
template <class T>
struct Regions {
  DeformRoIPoolGeometry g;
  const T* rois;
  const T* trans;
  const T* mask;

  __device__ std::int64_t image(std::int64_t r) const { return image_of(g.region, rois + 5 * r); }
  __device__ std::int64_t index(const Bin& bin) const {
    return (bin.r * g.region.p + bin.i) * g.region.q + bin.j;
  }
  __device__ T mask_of(const Bin& bin) const { return mask == nullptr ? T(1) : mask[index(bin)]; }

  __device__ Samples samples(const Bin& bin) const {
    const T* const t =
        trans == nullptr ? nullptr : trans + g.trans_at(bin.r, bin.i, bin.j, bin.of_class);
    return {axis(bin.r, 2, t == nullptr ? 0.0 : static_cast<double>(t[1]), bin.i, g.region.p,
                 g.region.h),
            axis(bin.r, 1, t == nullptr ? 0.0 : static_cast<double>(t[0]), bin.j, g.region.q,
                 g.region.w)};
  }
  __device__ AxisTap<T> row(const Samples& s, std::int64_t at) const {
    return deform_roi_tap<T>(g, s.rows.at(at), g.region.h);
  }
  __device__ AxisTap<T> column(const Samples& s, std::int64_t at) const {
    return deform_roi_tap<T>(g, s.columns.at(at), g.region.w);
  }
  // How many samples are averaged over: those that lie in the map, or all.
  __device__ double count(const Samples& s) const {
    if (g.roi_align) return s.rows.count * s.columns.count;
    double rows = 0, columns = 0;
    for (std::int64_t at = s.rows.begin; at < s.rows.end; ++at) rows += row(s, at).low >= 0;
    for (std::int64_t at = s.columns.begin; at < s.columns.end; ++at)
      columns += column(s, at).low >= 0;
    return rows * columns;
  }
  __device__ T scale(const Samples& s) const {
    const double samples = count(s);
    return samples > 0 ? static_cast<T>(1 / samples) : T(0);
  }
  // Side length times trans_std: derivative of the place of a bin by its trans. 1: x, 2: y.
  __device__ T pull(std::int64_t r, int corner) const {
    const T* const roi = rois + 5 * r + corner;
    return static_cast<T>(g.trans_std *
                          g.side(static_cast<double>(roi[0]), static_cast<double>(roi[2])));
  }

 private:
  __device__ BinSamples axis(std::int64_t r, int corner, double moved, std::int64_t bin,
                             std::int64_t bins, std::int64_t size) const {
    const T* const roi = rois + 5 * r + corner;
    return deform_roi_samples(g, static_cast<double>(roi[0]), static_cast<double>(roi[2]), moved,
                              bin, bins, size);
  }
};

// Sums over the samples of a bin in one channel, whose pixel 0 is map[0].
template <class T>
struct Sums {
  T weighted = 0, by_row = 0, by_column = 0;

  __device__ Sums(const Regions<T>& regions, const Samples& s, const T* map) {
    const RoIGeometry& g = regions.g.region;
    for (std::int64_t i = s.rows.begin; i < s.rows.end; ++i) {
      const AxisTap<T> row = regions.row(s, i);
      if (row.low < 0) continue;
      for (std::int64_t j = s.columns.begin; j < s.columns.end; ++j) {
        const AxisTap<T> column = regions.column(s, j);
        if (column.low < 0) continue;
        const auto line = [&](std::int32_t at, T low_weight, T high_weight) {
          const T* const from = map + at * g.w * g.c;
          return low_weight * from[column.low * g.c] +
                 (column.high < 0 ? T(0) : high_weight * from[column.high * g.c]);
        };
        const T low = line(row.low, column.low_weight, column.high_weight);
        const T high = row.high < 0 ? T(0) : line(row.high, column.low_weight, column.high_weight);
        weighted += row.low_weight * low + row.high_weight * high;
        by_row += row.slope * (high - low);
        by_column += row.low_weight * line(row.low, -column.slope, column.slope);
        if (row.high >= 0)
          by_column += row.high_weight * line(row.high, -column.slope, column.slope);
      }
    }
  }
};

// The bin and the class of output channel k, element `at` of y being one of it.
template <class T>
__device__ Bin bin_of(const Regions<T>& regions, std::int64_t at) {
  const RoIGeometry& g = regions.g.region;
  const std::int64_t bin = at / g.k;
  return {bin / g.q / g.p, bin / g.q % g.p, bin % g.q, at % g.k / regions.g.class_channels()};
}
// The channel of the map that it reads, at pixel 0 of its image.
template <class T>
__device__ const T* map_of(const RoIGeometry& g, const T* x, std::int64_t image, const Bin& bin,
                           std::int64_t at) {
  return x + image * g.h * g.w * g.c + at % g.k * g.groups() + g.group(bin.i, bin.j);
}

template <class T>
void forward(const DeformRoIPoolGeometry& g, const T* x, const T* rois, const T* trans,
             const T* mask, T* y, Workspace&) {
  const Regions<T> regions{g, rois, trans, mask};
  const RoIGeometry& region = g.region;
  each(kOp, region.r * region.p * region.q * region.k, [=] __device__(std::int64_t at) {
    const Bin bin = bin_of(regions, at);
    const std::int64_t image = regions.image(bin.r);
    if (image < 0) {
      y[at] = std::numeric_limits<T>::quiet_NaN();
      return;
    }
    const Samples samples = regions.samples(bin);
    const Sums<T> sums(regions, samples, map_of(regions.g.region, x, image, bin, at));
    const double count = regions.count(samples);
    y[at] = sums.weighted * regions.mask_of(bin) / (count > 0 ? static_cast<T>(count) : T(1));
  });
}

// ---- gradient by trans and mask ----

// Of the bins of some regions, dy times the three sums in each channel, terms [bins k 3].
template <class T>
void branch_terms(const Regions<T>& regions, std::int64_t first, std::int64_t count, const T* x,
                  const T* dy, T* terms) {
  const RoIGeometry& region = regions.g.region;
  const std::int64_t size = region.p * region.q * region.k;  // of a region
  each(kOp, count * size, [=] __device__(std::int64_t i) {
    const std::int64_t at = first * size + i;
    const Bin bin = bin_of(regions, at);
    const std::int64_t image = regions.image(bin.r);
    T* const to = terms + 3 * i;
    to[0] = to[1] = to[2] = 0;
    if (image < 0) return;
    const Sums<T> sums(regions, regions.samples(bin), map_of(regions.g.region, x, image, bin, at));
    to[0] = dy[at] * sums.weighted;
    to[1] = dy[at] * sums.by_row;
    to[2] = dy[at] * sums.by_column;
  });
}

// One thread per bin: the sum of its classes, dots [bins classes 3].
template <class T>
void mask_gradient(const Regions<T>& regions, std::int64_t first, std::int64_t count, const T* dots,
                   T* dmask) {
  const RoIGeometry& region = regions.g.region;
  const std::int64_t bins = region.p * region.q, classes = regions.g.classes;
  each(kOp, count * bins, [=] __device__(std::int64_t i) {
    Bin bin{first + i / bins, i % bins / regions.g.region.q, i % bins % regions.g.region.q, 0};
    T sum = 0;
    if (regions.image(bin.r) >= 0)
      for (; bin.of_class < classes; ++bin.of_class)
        sum += regions.scale(regions.samples(bin)) * dots[3 * (i * classes + bin.of_class)];
    dmask[first * bins + i] = sum;
  });
}

// One thread per pair of trans, which walks the bins that it moves.
template <class T>
void trans_gradient(const Regions<T>& regions, std::int64_t first, std::int64_t count,
                    const T* dots, T* dtrans) {
  const std::int64_t classes = regions.g.classes, part = regions.g.part;
  each(kOp, count * part * part * classes, [=] __device__(std::int64_t i) {
    const DeformRoIPoolGeometry& g = regions.g;
    const RoIGeometry& region = g.region;
    const std::int64_t r = i / classes / part / part, to = first * part * part * classes + i;
    Bin bin{first + r, 0, 0, i % classes};
    T along_x = 0, along_y = 0;
    for (std::int64_t at = 0; at < region.p * region.q && regions.image(bin.r) >= 0; ++at) {
      bin.i = at / region.q;
      bin.j = at % region.q;
      if (g.trans_at(bin.r, bin.i, bin.j, bin.of_class) != 2 * to) continue;
      const T factor = regions.scale(regions.samples(bin)) * regions.mask_of(bin);
      const T* const of_bin = dots + 3 * ((r * region.p * region.q + at) * classes + bin.of_class);
      along_x += regions.pull(bin.r, 1) * factor * of_bin[2];
      along_y += regions.pull(bin.r, 2) * factor * of_bin[1];
    }
    dtrans[2 * to] = along_x;
    dtrans[2 * to + 1] = along_y;
  });
}

template <class T>
void branch_gradient(const Regions<T>& regions, const T* x, const T* dy, T* dtrans, T* dmask,
                     Workspace& workspace) {
  const DeformRoIPoolGeometry& g = regions.g;
  const std::int64_t bins = g.region.p * g.region.q, terms_of_one = bins * g.region.k * 3;
  const std::int64_t dots_of_one = bins * g.classes * 3;
  T *terms = nullptr, *dots = nullptr;
  each_region_slice(g.region.r, terms_of_one * static_cast<std::int64_t>(sizeof(T)),
                    [&](std::int64_t first, std::int64_t count) {
                      if (first == 0) {
                        terms = workspace.take<T>(count * terms_of_one);
                        dots = workspace.take<T>(count * dots_of_one);
                      }
                      branch_terms(regions, first, count, x, dy, terms);
                      sum_forward(ReduceGeometry{count * bins * g.classes, g.class_channels(), 3},
                                  terms, dots, workspace);
                      if (dmask != nullptr) mask_gradient<T>(regions, first, count, dots, dmask);
                      if (dtrans != nullptr) trans_gradient<T>(regions, first, count, dots, dtrans);
                    });
}

// ---- gradient by the map ----

// What a bin reads for one class, and what its samples' weights are multiplied by.
template <class T>
struct Reach {
  PixelRange rows, columns;
  T factor;
};

template <class T, class TapOf>
__device__ PixelRange pixels_of(const BinSamples& samples, TapOf tap_of) {
  PixelRange range;
  for (std::int64_t at = samples.begin; at < samples.end; ++at) {
    const AxisTap<T> tap = tap_of(at);
    if (tap.low >= 0) widen(range, {tap.low, tap.low + 1});
    if (tap.high >= 0) widen(range, {tap.high, tap.high + 1});
  }
  return range;
}

// reaches [r p q classes] and, for all of a region's, boxes [r].
template <class T>
void find_reaches(const Regions<T>& regions, Reach<T>* reaches, RegionBox* boxes) {
  const RoIGeometry& region = regions.g.region;
  const std::int64_t classes = regions.g.classes, of_one = region.p * region.q * classes;
  each(kOp, region.r * of_one, [=] __device__(std::int64_t i) {
    const std::int64_t at = i / classes, q = regions.g.region.q, p = regions.g.region.p;
    const Bin bin{at / q / p, at / q % p, at % q, i % classes};
    reaches[i] = {};
    if (regions.image(bin.r) < 0) return;
    const Samples s = regions.samples(bin);
    const auto row = [&](std::int64_t k) { return regions.row(s, k); };
    const auto column = [&](std::int64_t k) { return regions.column(s, k); };
    reaches[i] = {pixels_of<T>(s.rows, row), pixels_of<T>(s.columns, column),
                  regions.scale(s) * regions.mask_of(bin)};
  });
  each(kOp, region.r, [=] __device__(std::int64_t r) {
    RegionBox box{regions.image(r), {}, {}};
    for (std::int64_t i = r * of_one; i < (r + 1) * of_one; ++i) {
      widen(box.rows, reaches[i].rows);
      widen(box.columns, reaches[i].columns);
    }
    boxes[r] = box;
  });
}

// The sum of the weights that the samples give to one pixel.
template <class T, class TapOf>
__device__ T weight_of(const BinSamples& samples, std::int64_t pixel, TapOf tap_of) {
  T sum = 0;
  for (std::int64_t at = samples.begin; at < samples.end; ++at) {
    const AxisTap<T> tap = tap_of(at);
    if (tap.low == pixel) sum += tap.low_weight;
    if (tap.high == pixel) sum += tap.high_weight;
  }
  return sum;
}

// Each element of the map looks for the bins that read it, in the order of the regions.
template <class T>
void map_gradient(const Regions<T>& regions, const T* dy, T* dx, Workspace& workspace) {
  const RoIGeometry& region = regions.g.region;
  auto* const reaches =
      workspace.take<Reach<T>>(region.r * region.p * region.q * regions.g.classes);
  auto* const boxes = workspace.take<RegionBox>(region.r);
  find_reaches(regions, reaches, boxes);
  const RowLists lists = list_rows(kOp, region.n, region.h, region.r, boxes, workspace);
  each(kOp, region.n * region.h * region.w * region.c, [=] __device__(std::int64_t at) {
    const RoIGeometry& g = regions.g.region;
    const std::int64_t w = at / g.c % g.w, h = at / g.c / g.w % g.h, image = at / g.c / g.w / g.h;
    const MapChannel of(g, at % g.c);
    const std::int64_t of_class = of.k / regions.g.class_channels();
    double sum = 0;
    lists.each(image, h, w, [&](std::int64_t r) {
      for (std::int64_t i = 0; i < g.p; ++i)
        for (std::int64_t j = 0; j < g.q; ++j) {
          const std::int64_t index = (r * g.p + i) * g.q + j;
          const Reach<T>& reach = reaches[index * regions.g.classes + of_class];
          if (!contains(reach.rows, h) || !contains(reach.columns, w)) continue;
          if (g.group(i, j) != of.group) continue;
          const Samples s = regions.samples({r, i, j, of_class});
          const T row = weight_of<T>(s.rows, h, [&](std::int64_t k) { return regions.row(s, k); });
          const T column =
              weight_of<T>(s.columns, w, [&](std::int64_t k) { return regions.column(s, k); });
          sum += static_cast<double>(row * column * reach.factor * dy[index * g.k + of.k]);
        }
    });
    dx[at] = static_cast<T>(sum);
  });
}

template <class T>
void gradient(const DeformRoIPoolGeometry& g, const DeformRoIPoolGradientArgs<T>& args,
              Workspace& workspace) {
  const Regions<T> regions{g, args.rois, args.trans, args.mask};
  if (args.dtrans != nullptr || args.dmask != nullptr)
    branch_gradient(regions, args.x, args.dy, args.dtrans, args.dmask, workspace);
  if (args.dx != nullptr) map_gradient(regions, args.dy, args.dx, workspace);
}

}  // namespace

constinit FloatKernel<DeformRoIPoolForward> cuda::deform_roi_pool_forward{forward, forward};
constinit FloatKernel<DeformRoIPoolGradient> cuda::deform_roi_pool_gradient{gradient, gradient};

}  // namespace pliant
