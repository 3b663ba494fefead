// Deformable convolution on the CPU: forward and weight gradient. Samples are gathered into columns
// tile by tile, in cache; a product with the weights follows at once.
#include <pliant/core/kernels/deform_conv.h>

#include <algorithm>

#include <pliant/core/gemm.h>
#include <pliant/core/kernels/deform_conv_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kMaxPartials = 16;

template <class T>
DeformSource<T> source_of(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                          Workspace& workspace) {
  T* const zeros = workspace.take<T>(g.conv.c);
  std::fill_n(zeros, g.conv.c, T(0));
  return {g, x, offset, mask, zeros};
}

// y [rows][k] = columns [rows][taps][c] times one group's weights after the other.
template <class T>
void multiply_groups(const Conv2dGeometry& g, std::int64_t rows, const T* columns, const T* weight,
                     const T* bias, T* y) {
  const std::int64_t taps = g.r * g.s, in = g.c / g.groups, out = g.k / g.groups;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t k = 0; k < g.k; ++k) y[row * g.k + k] = bias == nullptr ? T(0) : bias[k];
  for (std::int64_t group = 0; group < g.groups; ++group)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      gemm(rows, out, in, MatrixView<T>{columns + tap * g.c + group * in, taps * g.c},
           MatrixView<T>{weight + (group * out * taps + tap) * in, taps * in, Transpose::yes},
           y + group * out, g.k, Accumulate::yes);
}

// The same for one channel per group; by_tap [taps][c] are the weights.
template <class T>
void multiply_channels(const Conv2dGeometry& g, std::int64_t rows, const T* columns,
                       const T* by_tap, const T* bias, T* y) {
  const std::int64_t taps = g.r * g.s;
  for (std::int64_t row = 0; row < rows; ++row) {
    T* const out = y + row * g.c;
    for (std::int64_t c = 0; c < g.c; ++c) out[c] = bias == nullptr ? T(0) : bias[c];
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const T* const from = columns + (row * taps + tap) * g.c;
      for (std::int64_t c = 0; c < g.c; ++c) out[c] += from[c] * by_tap[tap * g.c + c];
    }
  }
}

template <class T>
void forward(const DeformGeometry& g, const T* x, const T* offset, const T* mask, const T* weight,
             const T* bias, T* y, Workspace& workspace) {
  const Conv2dGeometry& conv = g.conv;
  const DeformSource<T> source = source_of(g, x, offset, mask, workspace);
  const std::int64_t taps = source.taps(), width = taps * conv.c;
  if (source.rows() == 0) return;
  const ConvForm form = conv_form(conv);
  PackedMatrix<T> packed{};
  if (form == ConvForm::dense)
    packed = pack(width, conv.k, MatrixView<T>{weight, width, Transpose::yes},
                  workspace.take<T>(packed_size<T>(width, conv.k)));
  T* const by_tap = form == ConvForm::depthwise ? workspace.take<T>(width) : nullptr;
  if (by_tap != nullptr)
    for (std::int64_t i = 0; i < width; ++i) by_tap[i % taps * conv.c + i / taps] = weight[i];

  const std::int64_t tile = deform_tile_rows(width * static_cast<std::int64_t>(sizeof(T)));
  T* const scratch = workspace.take<T>(thread_count() * tile * width);
  parallel_blocks(source.rows(), tile, [&](std::int64_t begin, std::int64_t end) {
    T* const columns = scratch + thread_index() * tile * width;  // [tile][taps][c]
    T* const out = y + begin * conv.k;
    gather_columns(source, {begin, end}, {0, taps}, columns);
    if (form == ConvForm::dense)
      gemm(end - begin, columns, width, packed, out, conv.k, bias);
    else if (form == ConvForm::depthwise)
      multiply_channels(conv, end - begin, columns, by_tap, bias, out);
    else
      multiply_groups(conv, end - begin, columns, weight, bias, out);
  });
}

// How a weight gradient is cut: task (chunk, stripe) sums the rows of its chunk, in order, into the
// taps of its stripe, which no other task of that chunk touches.
struct GradientCut {
  std::int64_t tile, chunk_rows, chunks, stripe_taps, stripes;
};

GradientCut cut_gradient(const Conv2dGeometry& g) {
  constexpr std::int64_t kTile = 128, kStripe = 1 << 17, kTasks = 32;
  const std::int64_t taps = g.r * g.s, rows = g.n * g.p * g.q;
  GradientCut cut{};
  cut.tile = kTile;
  cut.stripe_taps = std::clamp<std::int64_t>(kStripe / (g.k * (g.c / g.groups)), 1, taps);
  cut.stripes = (taps + cut.stripe_taps - 1) / cut.stripe_taps;
  const std::int64_t tiles = (rows + kTile - 1) / kTile;
  const std::int64_t wanted =
      std::min({(kTasks + cut.stripes - 1) / cut.stripes, kMaxPartials, tiles});
  cut.chunk_rows = (tiles + wanted - 1) / wanted * kTile;
  cut.chunks = (rows + cut.chunk_rows - 1) / cut.chunk_rows;
  return cut;
}

// to [k][taps][c/groups] += dy [rows][k] transposed, times columns [rows][stripe][c]. For one
// channel per group, `to` is [taps][c] instead.
template <class T>
void add_weight_gradient(const Conv2dGeometry& g, std::int64_t rows, Range stripe, const T* dy,
                         const T* columns, T* to) {
  const std::int64_t taps = g.r * g.s, in = g.c / g.groups, out = g.k / g.groups;
  const std::int64_t width = stripe.size() * g.c;
  switch (conv_form(g)) {
    case ConvForm::dense:
      gemm_transposed(g.k, width, rows, dy, g.k, columns, width, to + stripe.begin * g.c,
                      taps * g.c);
      return;
    case ConvForm::depthwise:
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t tap = 0; tap < stripe.size(); ++tap)
          for (std::int64_t c = 0; c < g.c; ++c)
            to[(stripe.begin + tap) * g.c + c] +=
                dy[row * g.k + c] * columns[row * width + tap * g.c + c];
      return;
    case ConvForm::grouped:
      for (std::int64_t group = 0; group < g.groups; ++group)
        for (std::int64_t tap = stripe.begin; tap < stripe.end; ++tap)
          gemm_transposed(out, in, rows, dy + group * out, g.k,
                          columns + (tap - stripe.begin) * g.c + group * in, width,
                          to + (group * out * taps + tap) * in, taps * in);
  }
}

template <class T>
void weight_gradient(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                     const T* dy, T* dweight, Workspace& workspace) {
  const Conv2dGeometry& conv = g.conv;
  const DeformSource<T> source = source_of(g, x, offset, mask, workspace);
  const std::int64_t taps = source.taps(), size = conv.k * taps * (conv.c / conv.groups);
  if (source.rows() == 0) {
    std::fill_n(dweight, size, T(0));
    return;
  }
  const GradientCut cut = cut_gradient(conv);
  T* const partials = workspace.take<T>(cut.chunks * size);
  const std::int64_t tile_size = cut.tile * cut.stripe_taps * conv.c;
  T* const scratch = workspace.take<T>(thread_count() * tile_size);
  parallel_blocks(cut.chunks * size, std::int64_t{1} << 16,
                  [&](std::int64_t begin, std::int64_t end) {
                    std::fill(partials + begin, partials + end, T(0));
                  });
  parallel_for(cut.chunks * cut.stripes, [&](std::int64_t task) {
    const std::int64_t chunk = task / cut.stripes, stripe = task % cut.stripes;
    const Range own{stripe * cut.stripe_taps, std::min(taps, (stripe + 1) * cut.stripe_taps)};
    const std::int64_t last = std::min(source.rows(), (chunk + 1) * cut.chunk_rows);
    T* const columns = scratch + thread_index() * tile_size;
    for (std::int64_t row = chunk * cut.chunk_rows; row < last; row += cut.tile) {
      const Range rows{row, std::min(last, row + cut.tile)};
      gather_columns(source, rows, own, columns);
      add_weight_gradient(conv, rows.size(), own, dy + row * conv.k, columns,
                          partials + chunk * size);
    }
  });
  const bool by_tap = conv_form(conv) == ConvForm::depthwise;
  parallel_blocks(size, std::int64_t{1} << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* const from = partials + (by_tap ? i % taps * conv.c + i / taps : i);
      T sum = from[0];
      for (std::int64_t chunk = 1; chunk < cut.chunks; ++chunk) sum += from[chunk * size];
      dweight[i] = sum;
    }
  });
}

}  // namespace

void cpu::deform_conv_forward(const DeformGeometry& g, const float* x, const float* offset,
                              const float* mask, const float* weight, const float* bias, float* y,
                              Workspace& workspace) {
  forward(g, x, offset, mask, weight, bias, y, workspace);
}

void cpu::deform_conv_forward(const DeformGeometry& g, const double* x, const double* offset,
                              const double* mask, const double* weight, const double* bias,
                              double* y, Workspace& workspace) {
  forward(g, x, offset, mask, weight, bias, y, workspace);
}

void cpu::deform_conv_weight_gradient(const DeformGeometry& g, const float* x, const float* offset,
                                      const float* mask, const float* dy, float* dweight,
                                      Workspace& workspace) {
  weight_gradient(g, x, offset, mask, dy, dweight, workspace);
}

void cpu::deform_conv_weight_gradient(const DeformGeometry& g, const double* x,
                                      const double* offset, const double* mask, const double* dy,
                                      double* dweight, Workspace& workspace) {
  weight_gradient(g, x, offset, mask, dy, dweight, workspace);
}

}  // namespace pliant
