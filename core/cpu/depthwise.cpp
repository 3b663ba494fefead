#include <pliant/core/cpu/depthwise.h>

#include <pliant/core/cpu/depthwise_line.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/cpu/per_thread.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {
namespace {

constexpr std::int64_t kTasksWanted = 64;
constexpr std::int64_t kWindowArea = 4096;          // elements of dY: they stay in the first cache
constexpr std::int64_t kWindowColumnsAtLeast = 16;  // of dY: fewer do not pay for adding up
constexpr std::int64_t kPixelRun = 128;  // of dY: as many are summed in T, their sums in double

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Calls f(first, last) for lines that together are all of them, in order within a task.
template <class F>
void for_each_block_of_lines(std::int64_t lines, F&& f) {
  parallel_blocks(lines, std::max<std::int64_t>(1, ceil_divide(lines, kTasksWanted)), f);
}

// Elements from one image's weights to the next's.
std::int64_t image_step(const Conv2dGeometry& g, Sharing weights) {
  return weights == Sharing::shared ? 0 : g.r * g.s * g.k;
}

// x with every channel repeated for each of its k / c filters: [n h w k].
template <class T>
const T* repeated(const Conv2dGeometry& g, const T* x, Workspace& workspace) {
  if (g.k == g.c) return x;
  const std::int64_t times = g.k / g.c, line = g.w * g.c;
  T* const all = workspace.take<T>(g.n * g.h * line * times);
  parallel_for(g.n * g.h, [&](std::int64_t i) {
    const T* const from = x + i * line;
    T* const to = all + i * line * times;
    for (std::int64_t j = 0; j < line; ++j) std::fill_n(to + j * times, times, from[j]);
  });
  return all;
}

// dx [n h w c] = the sums over each channel's filters.
template <class T>
void sum_filters(const Conv2dGeometry& g, const T* all, T* dx) {
  const std::int64_t times = g.k / g.c, line = g.w * g.c;
  parallel_for(g.n * g.h, [&](std::int64_t i) {
    const T* const from = all + i * line * times;
    T* const to = dx + i * line;
    for (std::int64_t j = 0; j < line; ++j) {
      auto sum = static_cast<double>(from[j * times]);
      for (std::int64_t filter = 1; filter < times; ++filter)
        sum += static_cast<double>(from[j * times + filter]);
      to[j] = static_cast<T>(sum);
    }
  });
}

// The gradient by x as if it had k channels: every stride-th column, a phase, is a walk over dY
// with stride 1.
template <class T>
class DataGradient {
 public:
  DataGradient(const Conv2dGeometry& g, Sharing weights, const T* dy, const T* weight)
      : g_(g), dy_(dy), weight_(weight), image_step_(image_step(g, weights)) {
    for (std::int64_t phase = 0; phase < std::min(g.stride_w, g.w); ++phase)
      columns_.push_back(phase_taps(phase, g.s, g.stride_w, g.pad_left, g.dilation_w));
  }

  void line(std::int64_t image, std::int64_t row, T* dx) const {
    LineTaps<T> taps, few;
    const auto rows = phase_taps(row, g_.r, g_.stride_h, g_.pad_top, g_.dilation_h);
    for (std::size_t phase = 0; phase < columns_.size(); ++phase) {
      const auto first = static_cast<std::int64_t>(phase);
      taps.clear();
      for (const PhaseTap& r : rows) {
        if (r.offset < 0 || r.offset >= g_.p) continue;
        for (const PhaseTap& s : columns_[phase])
          taps.push_back({dy_ + (image * g_.p + r.offset) * g_.q * g_.k,
                          weight_ + image * image_step_ + (r.tap * g_.s + s.tap) * g_.k, s.offset});
      }
      const std::int64_t count = ceil_divide(g_.w - first, g_.stride_w);
      tap_line<T>({dx + first * g_.k, count, g_.stride_w * g_.k, g_.q, 1, g_.k, nullptr}, taps,
                  few);
    }
  }

 private:
  const Conv2dGeometry& g_;
  const T* dy_;
  const T* weight_;
  std::int64_t image_step_;
  std::vector<std::vector<PhaseTap>> columns_;  // by phase
};

// sum [r s k] = what lines [first, last) of dY, counted through the images, add to the gradient.
// `held` has room for as much, which few lines do not need.
template <class T>
void add_lines(const Conv2dGeometry& g, const T* x, const T* dy, std::int64_t first,
               std::int64_t last, T* sum, double* held) {
  const std::int64_t width = std::clamp(kWindowArea / g.k, kWindowColumnsAtLeast, kPixelRun);
  const std::int64_t size = g.r * g.s * g.k;
  std::fill_n(sum, size, T(0));
  std::int64_t pixels = 0, left = (last - first) * g.q;  // in the run; to come
  bool is_held = false;
  const auto end_run = [&] {
    for (std::int64_t i = 0; i < size; ++i) {
      held[i] = (is_held ? held[i] : 0.0) + static_cast<double>(sum[i]);
      sum[i] = T(0);
    }
    is_held = true;
    pixels = 0;
  };
  for (std::int64_t line = first; line < last; ++line)
    for (std::int64_t q = 0; q < g.q; q += width) {
      for (std::int64_t r = 0; r < g.r; ++r) {
        const std::int64_t row = g.row(line % g.p, r);
        if (row < 0 || row >= g.h) continue;
        const PairLine<T> pair{x + (line / g.p * g.h + row) * g.w * g.k,
                               dy + line * g.q * g.k,
                               g.w,
                               g.stride_w,
                               g.column(0, 0),
                               g.dilation_w,
                               g.k};
        pair_line(pair, g.s, {q, std::min(g.q, q + width)}, sum + r * g.s * g.k);
      }
      pixels += std::min(width, g.q - q);
      left -= std::min(width, g.q - q);
      if (pixels >= kPixelRun && left >= kPixelRun / 2) end_run();
    }
  if (!is_held) return;
  for (std::int64_t i = 0; i < size; ++i)
    sum[i] = static_cast<T>(held[i] + static_cast<double>(sum[i]));
}

}  // namespace

template <class T>
void depthwise_forward(const Conv2dGeometry& g, Sharing weights, const T* x, const T* weight,
                       const T* bias, T* y, Workspace& workspace) {
  const T* const source = repeated(g, x, workspace);
  for_each_block_of_lines(g.n * g.p, [&](std::int64_t line, std::int64_t last) {
    LineTaps<T> taps, few;
    for (; line < last; ++line) {
      const std::int64_t image = line / g.p;
      taps.clear();
      for (std::int64_t r = 0; r < g.r; ++r) {
        const std::int64_t row = g.row(line % g.p, r);
        if (row < 0 || row >= g.h) continue;
        for (std::int64_t s = 0; s < g.s; ++s)
          taps.push_back({source + (image * g.h + row) * g.w * g.k,
                          weight + image * image_step(g, weights) + (r * g.s + s) * g.k,
                          g.column(0, s)});
      }
      tap_line<T>({y + line * g.q * g.k, g.q, g.k, g.w, g.stride_w, g.k, bias}, taps, few);
    }
  });
}

template <class T>
void depthwise_data_gradient(const Conv2dGeometry& g, Sharing weights, const T* dy, const T* weight,
                             T* dx, Workspace& workspace) {
  const std::int64_t lines = g.n * g.h, length = g.w * g.k;
  T* const all = g.k == g.c ? dx : workspace.take<T>(lines * length);
  const DataGradient<T> gradient(g, weights, dy, weight);
  for_each_block_of_lines(lines, [&](std::int64_t line, std::int64_t last) {
    for (; line < last; ++line) gradient.line(line / g.h, line % g.h, all + line * length);
  });
  if (all != dx) sum_filters(g, all, dx);
}

template <class T>
void depthwise_weight_gradient(const Conv2dGeometry& g, Sharing weights, const T* x, const T* dy,
                               T* dweight, Workspace& workspace) {
  const std::int64_t size = g.r * g.s * g.k;
  const std::int64_t sets = weights == Sharing::shared ? 1 : g.n;
  const std::int64_t lines = weights == Sharing::shared ? g.n * g.p : g.p;  // of a set
  if (sets == 0 || size == 0) return;
  const T* const source = repeated(g, x, workspace);
  const std::int64_t parts =
      std::clamp<std::int64_t>(std::min(kTasksWanted / sets, lines), 1, kMostPartials);
  T* const sums = parts == 1 ? dweight : workspace.take<T>(sets * parts * size);
  const PerThread<double> held(size, workspace);
  parallel_for(sets * parts, [&](std::int64_t task) {
    const std::int64_t set = task / parts, part = task % parts;
    add_lines(g, source, dy, set * lines + lines * part / parts,
              set * lines + lines * (part + 1) / parts, sums + task * size, held.of());
  });
  if (parts == 1) return;
  parallel_for(sets, [&](std::int64_t set) {
    sum_partials(parts, size, sums + set * parts * size, dweight + set * size);
  });
}

template void depthwise_forward(const Conv2dGeometry&, Sharing, const float*, const float*,
                                const float*, float*, Workspace&);
template void depthwise_forward(const Conv2dGeometry&, Sharing, const double*, const double*,
                                const double*, double*, Workspace&);
template void depthwise_data_gradient(const Conv2dGeometry&, Sharing, const float*, const float*,
                                      float*, Workspace&);
template void depthwise_data_gradient(const Conv2dGeometry&, Sharing, const double*, const double*,
                                      double*, Workspace&);
template void depthwise_weight_gradient(const Conv2dGeometry&, Sharing, const float*, const float*,
                                        float*, Workspace&);
template void depthwise_weight_gradient(const Conv2dGeometry&, Sharing, const double*,
                                        const double*, double*, Workspace&);

}  // namespace pliant::cpu
