#include <pliant/core/kernels/recurrent.h>

#include <algorithm>

#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/per_thread.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kRows = 16 * kTileRows;  // of a batch, a task
constexpr std::int64_t kUnits = 16;  // of a layer, a task: those of all gates are a panel
constexpr std::int64_t kWork = std::int64_t{1} << 17;  // products worth a second thread

// Rows and units of one step that a task owns.
struct Part {
  std::int64_t row, rows, unit, units;
};

// Calls run(part, task) for all parts of a step; on other threads where that pays.
template <class F>
void each_part(const RecurrentGeometry& g, std::int64_t units, std::int64_t gates, F run) {
  const std::int64_t blocks = (g.h + units - 1) / units, tiles = (g.n + kRows - 1) / kRows;
  const auto part = [&](std::int64_t task) {
    const std::int64_t unit = task % blocks * units, row = task / blocks * kRows;
    run(Part{row, std::min(kRows, g.n - row), unit, std::min(units, g.h - unit)});
  };
  if (g.state() * g.h * gates >= kWork) return parallel_for(blocks * tiles, part);
  for (std::int64_t task = 0; task < blocks * tiles; ++task) part(task);
}

// ---- forward ----

// weight [gates h, h], packed so that the columns of kUnits units' gates stand side by side.
template <class T>
class GateWeights {
 public:
  GateWeights(const RecurrentGeometry& g, std::int64_t gates, const T* weight, Workspace& workspace)
      : h_(g.h), gates_(gates) {
    const std::int64_t blocks = (g.h + kUnits - 1) / kUnits;
    block_ = g.h * Panels<T>(gates * kUnits).width();
    packed_ = workspace.take<T>(blocks * block_);
    T* const rows = workspace.take<T>(blocks * kUnits * gates * g.h);
    parallel_for(blocks, [&](std::int64_t block) {
      const std::int64_t first = block * kUnits, units = std::min(kUnits, g.h - first);
      T* const to = rows + first * gates * g.h;
      for (std::int64_t gate = 0; gate < gates; ++gate)
        std::copy_n(weight + (gate * g.h + first) * g.h, units * g.h, to + gate * units * g.h);
      const Panels<T> panels(gates * units);
      for (std::int64_t p = 0; p < panels.count(); ++p)
        pack_panel(panels[p], g.h, {to, g.h, Transpose::yes},
                   packed_ + block * block_ + g.h * panels[p].first);
    });
  }

  // The products of a part with `states` [n h]: y [rows gates units].
  void multiply(const Part& part, const T* states, T* y) const {
    const Panels<T> panels(gates_ * part.units);
    for (std::int64_t p = 0; p < panels.count(); ++p)
      gemm_panel<T>(part.rows, h_, states + part.row * h_, h_, panels[p],
                    packed_ + part.unit / kUnits * block_ + h_ * panels[p].first, y,
                    gates_ * part.units, nullptr);
  }

 private:
  std::int64_t h_, gates_, block_ = 0;
  T* packed_ = nullptr;
};

template <class T>
void lstm_forward(const RecurrentGeometry& g, const T* x, const T* hidden, const T* cell,
                  const T* weight, T* states, T* gates, Workspace& workspace) {
  const GateWeights<T> weights(g, 4, weight, workspace);
  const PerThread<T> memory(kRows * 4 * kUnits, workspace);
  T* const cells = states + (g.steps + 1) * g.state();
  std::copy_n(hidden, g.state(), states);
  std::copy_n(cell, g.state(), cells);
  for (std::int64_t t = 0; t < g.steps; ++t)
    each_part(g, kUnits, 4, [&](const Part& part) {
      T* const products = memory.of();
      weights.multiply(part, states + t * g.state(), products);
      for (std::int64_t r = 0; r < part.rows; ++r) {
        const std::int64_t row = part.row + r, at = row * g.h + part.unit, units = part.units;
        const T *const p = products + r * 4 * units, *const in =
                                                         x + (t * g.n + row) * 4 * g.h + part.unit;
        const T* const before = cells + t * g.state() + at;
        T* const next_cell = cells + (t + 1) * g.state() + at;
        T* const next = states + (t + 1) * g.state() + at;
        T* const kept = gates == nullptr ? nullptr : gates + (t * g.n + row) * 4 * g.h + part.unit;
        LstmGates<T> all[kUnits];
        for (std::int64_t u = 0; u < units; ++u) {
          all[u] = LstmGates<T>::of(in[u] + p[u], in[g.h + u] + p[units + u],
                                    in[2 * g.h + u] + p[2 * units + u],
                                    in[3 * g.h + u] + p[3 * units + u]);
          next_cell[u] = all[u].cell(before[u]);
          next[u] = all[u].hidden(next_cell[u]);
        }
        if (kept == nullptr) continue;
        for (std::int64_t u = 0; u < units; ++u) {
          kept[u] = all[u].i;
          kept[g.h + u] = all[u].f;
          kept[2 * g.h + u] = all[u].g;
          kept[3 * g.h + u] = all[u].o;
        }
      }
    });
}

template <class T>
void gru_forward(const RecurrentGeometry& g, const T* x, const T* hidden, const T* weight,
                 const T* bias, T* states, T* gates, Workspace& workspace) {
  const GateWeights<T> weights(g, 3, weight, workspace);
  const PerThread<T> memory(kRows * 3 * kUnits, workspace);
  T* const zeros = workspace.take<T>(3 * g.h);
  std::fill_n(zeros, 3 * g.h, T(0));
  const T* const shift = bias == nullptr ? zeros : bias;
  std::copy_n(hidden, g.state(), states);
  for (std::int64_t t = 0; t < g.steps; ++t)
    each_part(g, kUnits, 3, [&](const Part& part) {
      T* const products = memory.of();
      weights.multiply(part, states + t * g.state(), products);
      const T* const b = shift + part.unit;
      for (std::int64_t r = 0; r < part.rows; ++r) {
        const std::int64_t row = part.row + r, at = row * g.h + part.unit, units = part.units;
        const T *const p = products + r * 3 * units, *const in =
                                                         x + (t * g.n + row) * 3 * g.h + part.unit;
        const T* const before = states + t * g.state() + at;
        T* const next = states + (t + 1) * g.state() + at;
        T* const kept = gates == nullptr ? nullptr : gates + (t * g.n + row) * 4 * g.h + part.unit;
        GruGates<T> all[kUnits];
        for (std::int64_t u = 0; u < units; ++u) {
          all[u] = GruGates<T>::of(in[u] + (p[u] + b[u]), in[g.h + u] + (p[units + u] + b[g.h + u]),
                                   in[2 * g.h + u], p[2 * units + u] + b[2 * g.h + u]);
          next[u] = all[u].hidden(before[u]);
        }
        if (kept == nullptr) continue;
        for (std::int64_t u = 0; u < units; ++u) {
          kept[u] = all[u].r;
          kept[g.h + u] = all[u].z;
          kept[2 * g.h + u] = all[u].n;
          kept[3 * g.h + u] = all[u].p;
        }
      }
    });
}

// ---- gradient ----

// weight [gates h, h], packed as the right factor of gradients by the products.
template <class T>
class StateWeights {
 public:
  StateWeights(const RecurrentGeometry& g, std::int64_t gates, const T* weight,
               Workspace& workspace)
      : k_(gates * g.h), panels_(g.h), packed_(workspace.take<T>(packed_size<T>(k_, g.h))) {
    pack(k_, g.h, MatrixView<T>{weight, g.h}, packed_);
  }

  // Calls run(part, y) with the gradients [rows units] by a part of a state, from those by the
  // products that it went into, [n k], or null for none.
  template <class F>
  void each(const RecurrentGeometry& g, const T* dproducts, const PerThread<T>& memory,
            F run) const {
    const std::int64_t tiles = (g.n + kRows - 1) / kRows;
    const auto part = [&](std::int64_t task) {
      const Panel panel = panels_[task % panels_.count()];
      const std::int64_t row = task / panels_.count() * kRows;
      const Part own{row, std::min(kRows, g.n - row), panel.first, panel.columns};
      T* const y = memory.of();
      if (dproducts == nullptr)
        std::fill_n(y, own.rows * own.units, T(0));
      else
        gemm_panel<T>(own.rows, k_, dproducts + row * k_, k_, {0, panel.columns, panel.width},
                      packed_ + k_ * panel.first, y, own.units, nullptr);
      run(own, y);
    };
    if (g.state() * k_ >= kWork) return parallel_for(panels_.count() * tiles, part);
    for (std::int64_t task = 0; task < panels_.count() * tiles; ++task) part(task);
  }

 private:
  std::int64_t k_;
  Panels<T> panels_;
  T* packed_;
};

// to [n h] = y + more of a part.
template <class T>
void put(const RecurrentGeometry& g, const Part& part, const T* y, const T* more, T* to) {
  for (std::int64_t r = 0; r < part.rows; ++r) {
    const std::int64_t at = (part.row + r) * g.h + part.unit;
    for (std::int64_t u = 0; u < part.units; ++u) to[at + u] = y[r * part.units + u] + more[at + u];
  }
}

template <class T>
void lstm_gradient(const RecurrentGeometry& g, const T* weight, const T* states, const T* gates,
                   const T* dstates, T* dx, T* dhidden, T* dcell, Workspace& workspace) {
  const StateWeights<T> weights(g, 4, weight, workspace);
  const PerThread<T> memory(kRows * kMaxPanelWidth, workspace);
  const std::int64_t step = 4 * g.state(), all = (g.steps + 1) * g.state();
  const T *const cells = states + all, *const dcells = dstates + all;
  std::copy_n(dcells + g.steps * g.state(), g.state(), dcell);
  for (std::int64_t t = g.steps - 1; t >= 0; --t)
    weights.each(
        g, t + 1 < g.steps ? dx + (t + 1) * step : nullptr, memory,
        [&](const Part& part, const T* y) {
          for (std::int64_t r = 0; r < part.rows; ++r) {
            const std::int64_t at = (part.row + r) * g.h + part.unit;
            const std::int64_t first = t * step + (part.row + r) * 4 * g.h + part.unit;
            const T *const kept = gates + first, *const from = y + r * part.units;
            const T *const before = cells + t * g.state() + at, *const cell = before + g.state();
            const T *const dh = dstates + (t + 1) * g.state() + at, *const dc =
                                                                        dcells + t * g.state() + at;
            T *const to = dx + first, *const carried = dcell + at;
            for (std::int64_t u = 0; u < part.units; ++u) {
              const LstmSlopes<T> slopes =
                  LstmSlopes<T>::of({kept[u], kept[g.h + u], kept[2 * g.h + u], kept[3 * g.h + u]},
                                    before[u], cell[u], from[u] + dh[u], carried[u]);
              to[u] = slopes.i;
              to[g.h + u] = slopes.f;
              to[2 * g.h + u] = slopes.g;
              to[3 * g.h + u] = slopes.o;
              carried[u] = slopes.before + dc[u];
            }
          }
        });
  weights.each(g, g.steps > 0 ? dx : nullptr, memory,
               [&](const Part& part, const T* y) { put(g, part, y, dstates, dhidden); });
}

template <class T>
void gru_gradient(const RecurrentGeometry& g, const T* weight, const T* states, const T* gates,
                  const T* dstates, T* dx, T* dproducts, T* dhidden, Workspace& workspace) {
  const StateWeights<T> weights(g, 3, weight, workspace);
  const PerThread<T> memory(kRows * kMaxPanelWidth, workspace);
  const std::int64_t step = 3 * g.state();
  // What reaches a state past the products: from the loss, and through the gate z.
  std::copy_n(dstates + g.steps * g.state(), g.state(), dhidden);
  for (std::int64_t t = g.steps - 1; t >= 0; --t)
    weights.each(
        g, t + 1 < g.steps ? dproducts + (t + 1) * step : nullptr, memory,
        [&](const Part& part, const T* y) {
          for (std::int64_t r = 0; r < part.rows; ++r) {
            const std::int64_t row = part.row + r, at = row * g.h + part.unit;
            const std::int64_t first = t * step + row * 3 * g.h + part.unit;
            const T *const kept = gates + (t * g.n + row) * 4 * g.h + part.unit, *const from =
                                                                                     y +
                                                                                     r * part.units;
            const T *const before = states + t * g.state() + at, *const dh =
                                                                     dstates + t * g.state() + at;
            T *const to = dx + first, *const past = dproducts + first,
                     *const carried = dhidden + at;
            for (std::int64_t u = 0; u < part.units; ++u) {
              const GruSlopes<T> slopes =
                  GruSlopes<T>::of({kept[u], kept[g.h + u], kept[2 * g.h + u], kept[3 * g.h + u]},
                                   before[u], from[u] + carried[u]);
              to[u] = past[u] = slopes.r;
              to[g.h + u] = past[g.h + u] = slopes.z;
              to[2 * g.h + u] = slopes.n;
              past[2 * g.h + u] = slopes.p;
              carried[u] = slopes.before + dh[u];
            }
          }
        });
  weights.each(g, g.steps > 0 ? dproducts : nullptr, memory,
               [&](const Part& part, const T* y) { put(g, part, y, dhidden, dhidden); });
}

}  // namespace

constinit FloatKernel<LstmForward> cpu::lstm_forward{pliant::lstm_forward, pliant::lstm_forward};
constinit FloatKernel<LstmGradient> cpu::lstm_gradient{pliant::lstm_gradient,
                                                       pliant::lstm_gradient};
constinit FloatKernel<GruForward> cpu::gru_forward{pliant::gru_forward, pliant::gru_forward};
constinit FloatKernel<GruGradient> cpu::gru_gradient{pliant::gru_gradient, pliant::gru_gradient};

}  // namespace pliant
