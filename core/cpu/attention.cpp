#include <pliant/core/kernels/attention.h>

#include <algorithm>

#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/cpu/per_thread.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kRows = 8 * kTileRows;             // queries of a block
constexpr std::int64_t kPanels = 4;                       // of keys, a block
constexpr std::int64_t kKeys = kPanels * kMaxPanelWidth;  // at most
constexpr std::int64_t kFlush = 32;  // blocks that are added up in T, before float64 holds them
constexpr std::int64_t kTasksWanted = 32;

// A panel as if it were the whole of its matrix.
Panel alone(const Panel& panel) { return {0, panel.columns, panel.width}; }

template <class T>
T largest(std::int64_t n, const T* x) {
  constexpr int kLanes = 16;
  T lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<T>::infinity());
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int j = 0; j < kLanes; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  for (; i < n; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  return *std::max_element(lanes, lanes + kLanes);
}

// A block of the weights: some rows of one matrix by some keys.
struct Block {
  std::int64_t batch, row, key;  // the first of each
  std::int64_t rows, keys;
  std::int64_t step;  // from row to row in memory
};

// Products to scores.
template <class T>
void finish_scores(const AttentionGeometry& g, const Block& block, const T* bias, T* scores) {
  const T scale = static_cast<T>(g.scale);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const std::int64_t i = block.row + r;
    T* const to = scores + r * block.step;
    if (bias == nullptr) {
      for (std::int64_t j = 0; j < block.keys; ++j) to[j] *= scale;
    } else {
      const T* const from =
          bias + g.bias.start(block.batch) + i * g.bias.row + block.key * g.bias.column;
      if (g.bias.column == 1)
        for (std::int64_t j = 0; j < block.keys; ++j) to[j] = to[j] * scale + from[j];
      else
        for (std::int64_t j = 0; j < block.keys; ++j) to[j] = to[j] * scale + from[0];
    }
    const std::int64_t seen = std::clamp<std::int64_t>(g.keys_of(i) - block.key, 0, block.keys);
    std::fill(to + seen, to + block.keys, -std::numeric_limits<T>::infinity());
  }
}

// Weights, or their gradients, with those dropped that are: from == to is allowed.
template <class T>
void drop(const AttentionGeometry& g, const Block& block, const Rng& key, const T* from, T* to) {
  const std::uint64_t threshold = g.dropout.threshold();
  const T scale = static_cast<T>(g.dropout.scale());
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const std::int64_t first = (block.batch * g.l + block.row + r) * g.s + block.key;
    for (std::int64_t j = 0; j < block.keys; ++j)
      to[r * block.step + j] = pliant::dropout(
          from[r * block.step + j],
          key.bits(static_cast<std::uint64_t>(g.dropout.first + first + j)), threshold, scale);
  }
}

// The maximum and the sum of a row's scores so far. Of many keys the sum is long.
template <class T>
struct HeldRow {
  T max = -std::numeric_limits<T>::infinity();
  double sum = 0;
};

// Scores to exp(score - max) with the maximum of all blocks so far; what was summed before under a
// smaller one, `y` and what is held of it among it, shrinks.
template <class T>
void take_powers(const AttentionGeometry& g, const Block& block, T* scores, HeldRow<T>* rows, T* y,
                 double* held_y) {
  for (std::int64_t r = 0; r < block.rows; ++r) {
    T* const row = scores + r * block.step;
    HeldRow<T>& held = rows[r];
    const T top = largest(block.keys, row), max = top > held.max ? top : held.max;
    const T base = ScoreSum<T>::base(max);
    for (std::int64_t j = 0; j < block.keys; ++j) row[j] = exponential(row[j] - base);
    const T sum = sum_in_lanes<T>(block.keys, [=](std::int64_t j) { return row[j]; });
    const T shrunk = ScoreSum<T>{held.max}.shrunk(max);
    held = {max, held.sum * static_cast<double>(shrunk) + static_cast<double>(sum)};
    if (shrunk == T(1) || block.key == 0) continue;
    for (std::int64_t j = 0; j < g.v; ++j) y[r * g.v + j] *= shrunk;
    for (std::int64_t j = 0; j < g.v && held_y != nullptr; ++j)
      held_y[r * g.v + j] *= static_cast<double>(shrunk);
  }
}

// A task owns some rows of a result. Keys and values are packed once for all of them.
template <class T>
void forward(const AttentionGeometry& g, const AttentionForwardArgs<T>& args,
             Workspace& workspace) {
  const Panels<T> keys(g.s), columns(g.v);
  const std::int64_t keys_size = g.e * keys.width(), values_size = g.s * columns.width();
  T* const packed_keys = workspace.take<T>(g.batch * keys_size);
  T* const packed_values = workspace.take<T>(g.batch * values_size);
  const std::int64_t panels = keys.count() + columns.count();
  parallel_for(g.batch * panels, [&](std::int64_t task) {
    const std::int64_t b = task / panels, p = task % panels;
    if (p < keys.count()) {
      pack_panel(keys[p], g.e, {args.key + b * g.s * g.e, g.e, Transpose::yes},
                 packed_keys + b * keys_size + g.e * keys[p].first);
    } else {
      const Panel panel = columns[p - keys.count()];
      pack_panel(panel, g.s, {args.value + b * g.s * g.v, g.v},
                 packed_values + b * values_size + g.s * panel.first);
    }
  });
  const Rng key = g.dropout.key_of_step();
  const PerThread<T> memory(kRows * kKeys, workspace);
  const bool holds = keys.count() > kFlush * kPanels;
  const PerThread<double> held_memory(holds ? kRows * g.v : 0, workspace);
  const std::int64_t tiles = (g.l + kRows - 1) / kRows;
  parallel_for(g.batch * tiles, [&](std::int64_t task) {
    const std::int64_t b = task / tiles, first = task % tiles * kRows,
                       rows = std::min(kRows, g.l - first);
    T* const scores = memory.of();
    T* const y = args.y + (b * g.l + first) * g.v;
    HeldRow<T> held[kRows];
    double* const held_y = holds ? held_memory.of() : nullptr;
    if (holds) std::fill_n(held_y, rows * g.v, 0.0);
    bool is_fresh = true;  // nothing in y yet, or all of it is held
    const std::int64_t seen = g.keys_of(first + rows - 1);
    if (seen == 0) std::fill_n(y, rows * g.v, T(0));
    for (std::int64_t p = 0; p < keys.count() && keys[p].first < seen; p += kPanels) {
      const std::int64_t end = std::min(keys.count(), p + kPanels), from = keys[p].first;
      const Block block{b,    first, from, rows, keys[end - 1].first + keys[end - 1].columns - from,
                        kKeys};
      for (std::int64_t q = p; q < end; ++q)
        gemm_panel<T>(rows, g.e, args.query + (b * g.l + first) * g.e, g.e, alone(keys[q]),
                      packed_keys + b * keys_size + g.e * keys[q].first,
                      scores + keys[q].first - from, kKeys, nullptr);
      finish_scores(g, block, args.bias, scores);
      take_powers(g, block, scores, held, y, held_y);
      if (g.dropout.n > 0) drop(g, block, key, scores, scores);
      for (std::int64_t c = 0; c < columns.count(); ++c)
        gemm_panel<T>(
            rows, block.keys, scores, kKeys, columns[c],
            packed_values + b * values_size + g.s * columns[c].first + from * columns[c].width, y,
            g.v, nullptr, is_fresh ? Accumulate::no : Accumulate::yes);
      is_fresh = holds && p / kPanels % kFlush == kFlush - 1;
      for (std::int64_t j = 0; j < rows * g.v && is_fresh; ++j)
        held_y[j] += static_cast<double>(std::exchange(y[j], T(0)));
    }
    for (std::int64_t j = 0; j < rows * g.v && holds; ++j)
      y[j] = static_cast<T>(held_y[j] + static_cast<double>(y[j]));
    for (std::int64_t r = 0; r < rows; ++r) {
      const AttentionRow<T> row = AttentionRow<T>::of({held[r].max, static_cast<T>(held[r].sum)});
      args.rows[b * g.l + first + r] = row;
      for (std::int64_t j = 0; j < g.v; ++j) y[r * g.v + j] *= row.inverse;
    }
  });
}

// What a thread works with in the gradient.
template <class T>
struct GradientRoom {
  T *weights, *dropped, *slopes;       // of a block
  T *keys, *keys_transposed, *values;  // of a panel, packed

  static constexpr std::int64_t kBlock = kRows * kMaxPanelWidth;
  static std::int64_t size(const AttentionGeometry& g) {
    return 3 * kBlock + kMaxPanelWidth * (Panels<T>(g.e).width() + g.e + g.v);
  }
  GradientRoom(const AttentionGeometry& g, T* memory)
      : weights(memory),
        dropped(weights + kBlock),
        slopes(dropped + kBlock),
        keys(slopes + kBlock),
        keys_transposed(keys + kMaxPanelWidth * Panels<T>(g.e).width()),
        values(keys_transposed + kMaxPanelWidth * g.e) {}
};

// The gradient's share of the rows `block` and the keys of a panel. dquery is of this matrix.
template <class T>
void add_gradients(const AttentionGeometry& g, const AttentionGradientArgs<T>& args,
                   const Block& block, const Panel& panel, const T* along, const Rng& key,
                   const GradientRoom<T>& room, T* dquery) {
  const std::int64_t at = block.batch * g.l + block.row, from = block.batch * g.s + block.key;
  const T *const query = args.query + at * g.e, *const dy = args.dy + at * g.v;
  gemm_panel<T>(block.rows, g.e, query, g.e, alone(panel), room.keys_transposed, room.weights,
                block.step, nullptr);
  finish_scores(g, block, args.bias, room.weights);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const AttentionRow<T> row = args.rows[at + r];
    T* const to = room.weights + r * block.step;
    for (std::int64_t j = 0; j < block.keys; ++j) to[j] = row.weight(to[j]);
  }
  const T* used = room.weights;
  if (g.dropout.n > 0) {
    drop(g, block, key, room.weights, room.dropped);
    used = room.dropped;
  }
  if (args.dvalue != nullptr)
    gemm_transposed<T>(block.keys, g.v, block.rows, used, block.step, dy, g.v,
                       args.dvalue + from * g.v, g.v);
  if (dquery == nullptr && args.dkey == nullptr && args.dbias == nullptr) return;
  gemm_panel<T>(block.rows, g.v, dy, g.v, alone(panel), room.values, room.slopes, block.step,
                nullptr);
  if (g.dropout.n > 0) drop(g, block, key, room.slopes, room.slopes);
  const T scale = static_cast<T>(g.scale);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const T *const weight = room.weights + r * block.step, rest = along[at + r];
    T* const slope = room.slopes + r * block.step;
    for (std::int64_t j = 0; j < block.keys; ++j)
      slope[j] = score_gradient(weight[j], slope[j], rest);
    if (args.dbias != nullptr)
      std::copy_n(slope, block.keys, args.dbias + (at + r) * g.s + block.key);
    for (std::int64_t j = 0; j < block.keys; ++j) slope[j] *= scale;
  }
  const Panels<T> columns(g.e);
  for (std::int64_t c = 0; c < columns.count() && dquery != nullptr; ++c)
    gemm_panel<T>(block.rows, block.keys, room.slopes, block.step, columns[c],
                  room.keys + block.keys * columns[c].first, dquery + block.row * g.e, g.e, nullptr,
                  Accumulate::yes);
  if (args.dkey != nullptr)
    gemm_transposed<T>(block.keys, g.e, block.rows, room.slopes, block.step, query, g.e,
                       args.dkey + from * g.e, g.e);
}

// A task owns some keys of a matrix, and adds up its share of the gradient by the queries.
template <class T>
void gradient(const AttentionGeometry& g, const AttentionGradientArgs<T>& args,
              Workspace& workspace) {
  T* const along = workspace.take<T>(g.batch * g.l);
  parallel_blocks(g.batch * g.l, kRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T *const y = args.y + i * g.v, *const dy = args.dy + i * g.v;
      along[i] = sum_in_lanes<T>(g.v, [=](std::int64_t j) { return y[j] * dy[j]; });
    }
  });
  const Panels<T> keys(g.s), columns(g.e);
  const std::int64_t parts = std::clamp<std::int64_t>(
      std::min(keys.count(), kTasksWanted / std::max<std::int64_t>(g.batch, 1)), 1, kMostPartials);
  const std::int64_t queries = g.batch * g.l * g.e;
  T* const partial =
      args.dquery == nullptr || parts == 1 ? args.dquery : workspace.take<T>(parts * queries);
  const PerThread<T> memory(GradientRoom<T>::size(g), workspace);
  const Rng key = g.dropout.key_of_step();
  parallel_for(g.batch * parts, [&](std::int64_t task) {
    const std::int64_t b = task / parts, part = task % parts;
    const GradientRoom<T> room(g, memory.of());
    T* const dquery = partial == nullptr ? nullptr : partial + part * queries + b * g.l * g.e;
    if (dquery != nullptr) std::fill_n(dquery, g.l * g.e, T(0));
    for (std::int64_t p = keys.count() * part / parts; p < keys.count() * (part + 1) / parts; ++p) {
      const Panel panel = keys[p];
      const std::int64_t at = b * g.s + panel.first;
      if (args.dkey != nullptr) std::fill_n(args.dkey + at * g.e, panel.columns * g.e, T(0));
      if (args.dvalue != nullptr) std::fill_n(args.dvalue + at * g.v, panel.columns * g.v, T(0));
      pack_panel(panel, g.e, {args.key + b * g.s * g.e, g.e, Transpose::yes}, room.keys_transposed);
      pack_panel(panel, g.v, {args.value + b * g.s * g.v, g.v, Transpose::yes}, room.values);
      for (std::int64_t c = 0; c < columns.count(); ++c)
        pack_panel(columns[c], panel.columns, {args.key + at * g.e, g.e},
                   room.keys + panel.columns * columns[c].first);
      // Rows before the first key of a causal panel see none of it, but have a gradient: 0.
      const std::int64_t first =
          g.is_causal && args.dbias == nullptr ? panel.first / kRows * kRows : 0;
      for (std::int64_t row = first; row < g.l; row += kRows)
        add_gradients(
            g, args,
            Block{b, row, panel.first, std::min(kRows, g.l - row), panel.columns, kMaxPanelWidth},
            panel, along, key, room, dquery);
    }
  });
  if (partial != args.dquery) sum_partials(parts, queries, partial, args.dquery);
}

}  // namespace

constinit FloatKernel<AttentionForward> cpu::attention_forward{forward, forward};
constinit FloatKernel<AttentionGradient> cpu::attention_gradient{gradient, gradient};

}  // namespace pliant
