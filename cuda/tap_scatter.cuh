// Gradients of bilinear samples, which the deformable operators share: by the map that they have
// read, and by where they have read it.
#pragma once

#include <limits>

#include <pliant/core/gpu_options.h>
#include <pliant/cuda/tap_lists.h>
#include <pliant/cuda/collectives.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant::cuda {

// A tap, and what its sample is multiplied by.
template <class T>
struct ScaledTap {
  BilinearTap<T> tap;
  T scale;
};

// Output locations begin .. end-1, each of which reads `taps` samples of each of `groups` groups of
// the c channels of its image's map [h w c]. Sample number (row * groups + group) * taps + tap, row
// counting from `begin`.
struct TapRows {
  std::int64_t begin, end;
  std::int64_t locations;  // of an image
  std::int64_t groups, taps;
  std::int64_t h, w, c;

  PLIANT_HD std::int64_t rows() const { return end - begin; }
  PLIANT_HD std::int64_t samples() const { return rows() * groups * taps; }
  PLIANT_HD std::int64_t group_channels() const { return c / groups; }
  PLIANT_HD std::int64_t first_image() const { return begin / locations; }
  PLIANT_HD std::int64_t images() const { return (end - 1) / locations + 1 - first_image(); }
  // First element of the map of the image that a row lies in.
  PLIANT_HD std::int64_t map(std::int64_t row) const {
    return (begin + row) / locations * h * w * c;
  }
};

// Rows whose lists take 256 MiB, when a row has so many samples.
inline std::int64_t rows_of_lists(std::int64_t samples_of_row) {
  constexpr std::int64_t kBytes = 64, kMost = std::int64_t{256} << 20;  // of a sample, at most
  return std::max<std::int64_t>(kMost / kBytes / std::max<std::int64_t>(samples_of_row, 1), 1);
}

// Calls f(rows) for slices of all rows of n images, as long as the lists allow.
template <class F>
void each_tap_rows(std::int64_t n, TapRows all, F f) {
  const std::int64_t most = rows_of_lists(all.groups * all.taps), count = n * all.locations;
  for (all.begin = 0; all.begin < count; all.begin = all.end) {
    all.end = std::min(count, all.begin + most);
    f(all);
  }
}

// In what follows tap_of(location, group, tap) is the ScaledTap of a sample, and
// slopes.load<kCount>(row, tap, c) are the gradients, by what channels c .. c+kCount-1 of a tap's
// scaled sample have given, of rows counted from rows.begin.

// The slopes of samples that went into y [locations c] as they are.
template <class T>
struct OutputSlopes {
  const T* dy;
  std::int64_t begin, c;

  template <int kCount>
  __device__ Vector<T, kCount> load(std::int64_t row, std::int64_t, std::int64_t channel) const {
    return cuda::load<kCount>(dy + (begin + row) * c + channel);
  }
};

// dx += as the samples come.
template <int kCount, class T, class TapOf, class Slopes>
void scatter_atomically(const char* op, const TapRows& rows, TapOf tap_of, Slopes slopes, T* dx) {
  const std::int64_t blocks = rows.c / kCount;
  each(op, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    const std::int64_t group = c / rows.group_channels();
    T* const map = dx + rows.map(row) + c;
    for (std::int64_t t = 0; t < rows.taps; ++t) {
      const ScaledTap<T> sample = tap_of(rows.begin + row, group, t);
      const Vector<T, kCount> slope = slopes.template load<kCount>(row, t, c);
      for (int k = 0; k < 4; ++k) {
        if (sample.tap.pixel[k] < 0) continue;
        Vector<T, kCount> part{};
        add_scaled(sample.scale * sample.tap.weight[k], slope, part);
        add_atomically(part, map + std::int64_t{sample.tap.pixel[k]} * rows.c);
      }
    }
  });
}

// dx += from each pixel's lists, in the order of the samples: first those whose corner 0 it is.
// weights [samples 4].
template <int kCount, class T, class Slopes>
void gather_lists(const char* op, const TapRows& rows, const CellGeometry& cells,
                  const TapLists& lists, const T* weights, Slopes slopes, T* dx) {
  const std::int64_t blocks = rows.c / kCount, first_pixel = rows.first_image() * rows.h * rows.w;
  const auto taps = static_cast<std::int32_t>(rows.taps);
  const auto of_row = static_cast<std::int32_t>(rows.groups * rows.taps);
  each(op, cells.images * cells.h * cells.w * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % blocks * kCount, pixel = i / blocks;
    const std::int64_t w = pixel % cells.w, h = pixel / cells.w % cells.h;
    const std::int64_t image = pixel / cells.w / cells.h, group = c / rows.group_channels();
    LongSums<T, kCount> sum;
    bool is_read = false;
    for (int k = 0; k < 4; ++k) {
      const CellRange range = lists.cells[cells.at(image, h + 1 - k / 2, w + 1 - k % 2, group)];
      is_read = is_read || range.begin < range.end;
      for (std::int32_t at = range.begin; at < range.end; ++at) {
        const std::int32_t sample = lists.samples[at];
        const T weight = weights[std::int64_t{sample} * 4 + k];
        if (weight == T(0)) continue;  // nearest reads one pixel of the four
        add_scaled(weight, slopes.template load<kCount>(sample / of_row, sample % taps, c),
                   sum.next());
      }
    }
    if (!is_read) return;
    T* const to = dx + (first_pixel + pixel) * rows.c + c;
    Vector<T, kCount> held = load<kCount>(to);
    add_scaled(T(1), sum.total(), held);
    store(held, to);
  });
}

template <int kCount, class T, class TapOf, class Slopes>
void scatter_in_order(const char* op, const TapRows& rows, TapOf tap_of, Slopes slopes, T* dx,
                      Workspace& workspace) {
  const CellGeometry cells{rows.images(), rows.h, rows.w, rows.groups};
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  require(cells.count() < kMost && rows.samples() < kMost, op,
          ": the ordered gradient by a map has room for 2^31 pixels and samples, and these are ",
          cells.count(), " and ", rows.samples(),
          "; set_gpu_options({.scatter = Scatter::atomic}) has none of it");
  std::int32_t* const cell_of = workspace.take<std::int32_t>(rows.samples());
  T* const weights = workspace.take<T>(4 * rows.samples());
  each(op, rows.samples(), [=] __device__(std::int64_t i) {
    const std::int64_t t = i % rows.taps, group = i / rows.taps % rows.groups;
    const std::int64_t location = rows.begin + i / rows.taps / rows.groups;
    const ScaledTap<T> sample = tap_of(location, group, t);
    cell_of[i] = static_cast<std::int32_t>(
        cells.of(sample.tap, location / rows.locations - rows.first_image(), group));
    Vector<T, 4> scaled{};
    for (int k = 0; k < 4; ++k) scaled.value[k] = sample.scale * sample.tap.weight[k];
    store(scaled, weights + 4 * i);
  });
  const TapLists lists = list_taps(op, cells, rows.samples(), cell_of, workspace);
  gather_lists<kCount>(op, rows, cells, lists, weights, slopes, dx);
}

// dx += what the rows' samples give back, dx being of all images; kCount channels of a group lie
// together for both dx and the slopes.
template <int kCount, class T, class TapOf, class Slopes>
void add_to_map(const char* op, const TapRows& rows, TapOf tap_of, Slopes slopes, T* dx) {
  if (rows.samples() == 0) return;
  if (gpu_options().scatter == Scatter::atomic)
    return scatter_atomically<kCount>(op, rows, tap_of, slopes, dx);
  Workspace workspace(Device::cuda());  // of this slice alone
  scatter_in_order<kCount>(op, rows, tap_of, slopes, dx, workspace);
}

// For every sample finish(location, group, tap, dots), where dots.value[k] is the sum over the
// group's channels of slope times pixel k of the sample's tap, and 0 for one that is not there.
template <int kCount, class T, class TapOf, class Slopes, class Finish>
void each_dots(const char* op, const TapRows& rows, TapOf tap_of, Slopes slopes, const T* x,
               Finish finish) {
  constexpr int kTeam = 8;  // of float32, 128 neighbouring bytes
  const std::int64_t blocks = rows.group_channels() / kCount;
  const int team = team_of(blocks, kTeam);
  each_team<Sums<Wide<T>, 4>>(
      op, rows.samples(), team,
      [=] __device__(std::int64_t i, int lane) {
        const std::int64_t t = i % rows.taps, group = i / rows.taps % rows.groups;
        const std::int64_t row = i / rows.taps / rows.groups;
        const BilinearTap<Wide<T>> tap = tap_of(rows.begin + row, group, t).tap;
        const T* const map = x + rows.map(row);
        Sums<Wide<T>, 4> dots{};
        for (std::int64_t block = lane; block < blocks; block += team) {
          const std::int64_t c = group * rows.group_channels() + block * kCount;
          const Vector<Wide<T>, kCount> slope = slopes.template load<kCount>(row, t, c);
          for (int k = 0; k < 4; ++k)
            if (tap.pixel[k] >= 0)
              add_dot(slope, load<kCount>(map + std::int64_t{tap.pixel[k]} * rows.c + c),
                      dots.value[k]);
        }
        return dots;
      },
      [=] __device__(std::int64_t i, const Sums<Wide<T>, 4>& dots) {
        finish(rows.begin + i / rows.taps / rows.groups, i / rows.taps % rows.groups, i % rows.taps,
               dots);
      });
}

// The sample of kCount channels, of which `map` points to the first at pixel 0.
template <int kCount, class T>
__device__ Vector<Wide<T>, kCount> read_tap(const BilinearTap<Wide<T>>& tap, const T* map,
                                            std::int64_t c) {
  Vector<Wide<T>, kCount> sum{};
  for (int k = 0; k < 4; ++k)
    if (tap.pixel[k] >= 0)
      add_scaled(tap.weight[k], load<kCount>(map + std::int64_t{tap.pixel[k]} * c), sum);
  return sum;
}

// The other way round, for a thread that owns what `map` points to.
template <int kCount, class T>
__device__ void add_to_tap(const BilinearTap<T>& tap, const Vector<T, kCount>& slope, T* map,
                           std::int64_t c) {
  for (int k = 0; k < 4; ++k) {
    if (tap.pixel[k] < 0) continue;
    T* const at = map + std::int64_t{tap.pixel[k]} * c;
    Vector<T, kCount> held = load<kCount>(at);
    add_scaled(tap.weight[k], slope, held);
    store(held, at);
  }
}

}  // namespace pliant::cuda
