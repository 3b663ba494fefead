#include <pliant/core/kernels/recurrent.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>

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

// Calls f(first, n) with n units at a time, most often a constant number of them.
template <class F>
void each_lanes(std::int64_t units, F f) {
  std::int64_t u = 0;
  for (; u + kUnits <= units; u += kUnits) f(u, std::integral_constant<std::int64_t, kUnits>());
  if (u < units) f(u, units - u);
}

// Results of some units, which no pointer of a loop's other side can point to: so it is compiled
// into vectors.
template <class T, std::size_t rows>
struct Lanes {
  T value[rows][kUnits];

  // Row `row` to where it belongs; of null nowhere.
  void put(int row, std::int64_t n, T* to) const {
    if (to != nullptr) std::copy_n(value[row], n, to);
  }
};

template <class T>
void lstm_forward(const RecurrentGeometry& g, const T* x, const T* hidden, const T* cell,
                  const T* weight, T* states, T* gates, Workspace& workspace) {
  const GateWeights<T> weights(g, 4, weight, workspace);
  const PerThread<T> memory(kRows * 4 * kUnits, workspace);
  const std::int64_t h = g.h;
  T* const cells = states + (g.steps + 1) * g.state();
  std::copy_n(hidden, g.state(), states);
  std::copy_n(cell, g.state(), cells);
  for (std::int64_t t = 0; t < g.steps; ++t)
    each_part(g, kUnits, 4, [&](const Part& part) {
      T* const products = memory.of();
      weights.multiply(part, states + t * g.state(), products);
      for (std::int64_t r = 0; r < part.rows; ++r) {
        const std::int64_t row = part.row + r, units = part.units;
        const std::int64_t at = t * g.state() + row * h + part.unit;
        const std::int64_t first = (t * g.n + row) * 4 * h + part.unit;
        const T *const p = products + r * 4 * units, *const in = x + first;
        const T* const before = cells + at;
        Lanes<T, 6> all;
        each_lanes(units, [&](std::int64_t, auto n) {
          for (std::int64_t u = 0; u < n; ++u) {
            const auto one = LstmGates<T>::of(in[u] + p[u], in[h + u] + p[units + u],
                                              in[2 * h + u] + p[2 * units + u],
                                              in[3 * h + u] + p[3 * units + u]);
            all.value[0][u] = one.i;
            all.value[1][u] = one.f;
            all.value[2][u] = one.g;
            all.value[3][u] = one.o;
            all.value[4][u] = one.cell(before[u]);
            all.value[5][u] = one.hidden(all.value[4][u]);
          }
        });
        for (int gate = 0; gate < 4; ++gate)
          all.put(gate, units, gates == nullptr ? nullptr : gates + first + gate * h);
        all.put(4, units, cells + at + g.state());
        all.put(5, units, states + at + g.state());
      }
    });
}

template <class T>
void gru_forward(const RecurrentGeometry& g, const T* x, const T* hidden, const T* weight,
                 const T* bias, T* states, T* gates, Workspace& workspace) {
  const GateWeights<T> weights(g, 3, weight, workspace);
  const PerThread<T> memory(kRows * 3 * kUnits, workspace);
  const std::int64_t h = g.h;
  T* const zeros = workspace.take<T>(3 * h);
  std::fill_n(zeros, 3 * h, T(0));
  const T* const shift = bias == nullptr ? zeros : bias;
  std::copy_n(hidden, g.state(), states);
  for (std::int64_t t = 0; t < g.steps; ++t)
    each_part(g, kUnits, 3, [&](const Part& part) {
      T* const products = memory.of();
      weights.multiply(part, states + t * g.state(), products);
      const T* const b = shift + part.unit;
      for (std::int64_t r = 0; r < part.rows; ++r) {
        const std::int64_t row = part.row + r, units = part.units;
        const std::int64_t at = t * g.state() + row * h + part.unit;
        const T *const p = products + r * 3 * units, *const in =
                                                         x + (t * g.n + row) * 3 * h + part.unit;
        const T* const before = states + at;
        Lanes<T, 5> all;
        each_lanes(units, [&](std::int64_t, auto n) {
          for (std::int64_t u = 0; u < n; ++u) {
            const auto one =
                GruGates<T>::of(in[u] + (p[u] + b[u]), in[h + u] + (p[units + u] + b[h + u]),
                                in[2 * h + u], p[2 * units + u] + b[2 * h + u]);
            all.value[0][u] = one.r;
            all.value[1][u] = one.z;
            all.value[2][u] = one.n;
            all.value[3][u] = one.p;
            all.value[4][u] = one.hidden(before[u]);
          }
        });
        T* const kept = gates == nullptr ? nullptr : gates + (t * g.n + row) * 4 * h + part.unit;
        for (int gate = 0; gate < 4; ++gate)
          all.put(gate, units, kept == nullptr ? nullptr : kept + gate * h);
        all.put(4, units, states + at + g.state());
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
  const std::int64_t step = 4 * g.state(), all = (g.steps + 1) * g.state(), h = g.h;
  const T *const cells = states + all, *const dcells = dstates + all;
  std::copy_n(dcells + g.steps * g.state(), g.state(), dcell);
  const auto unit_gradients = [&](std::int64_t t, std::int64_t row, std::int64_t unit,
                                  std::int64_t units, const T* y) {
    each_lanes(units, [&](std::int64_t from, auto n) {
      const std::int64_t at = row * h + unit + from, before = t * g.state() + at;
      const std::int64_t first = t * step + row * 4 * h + unit + from;
      const T *const kept = gates + first, *const by_products = y + from;
      const T *const cell = cells + before, *const dh = dstates + before + g.state();
      const T *const dc = dcells + before, *const carried = dcell + at;
      Lanes<T, 5> lanes;
      for (std::int64_t u = 0; u < n; ++u) {
        const auto slopes =
            LstmSlopes<T>::of({kept[u], kept[h + u], kept[2 * h + u], kept[3 * h + u]}, cell[u],
                              cell[g.state() + u], by_products[u] + dh[u], carried[u]);
        lanes.value[0][u] = slopes.i;
        lanes.value[1][u] = slopes.f;
        lanes.value[2][u] = slopes.g;
        lanes.value[3][u] = slopes.o;
        lanes.value[4][u] = slopes.before + dc[u];
      }
      for (int gate = 0; gate < 4; ++gate) lanes.put(gate, n, dx + first + gate * h);
      lanes.put(4, n, dcell + at);
    });
  };
  for (std::int64_t t = g.steps - 1; t >= 0; --t)
    weights.each(g, t + 1 < g.steps ? dx + (t + 1) * step : nullptr, memory,
                 [&](const Part& part, const T* y) {
                   for (std::int64_t r = 0; r < part.rows; ++r)
                     unit_gradients(t, part.row + r, part.unit, part.units, y + r * part.units);
                 });
  weights.each(g, g.steps > 0 ? dx : nullptr, memory,
               [&](const Part& part, const T* y) { put(g, part, y, dstates, dhidden); });
}

template <class T>
void gru_gradient(const RecurrentGeometry& g, const T* weight, const T* states, const T* gates,
                  const T* dstates, T* dx, T* dproducts, T* dhidden, Workspace& workspace) {
  const StateWeights<T> weights(g, 3, weight, workspace);
  const PerThread<T> memory(kRows * kMaxPanelWidth, workspace);
  const std::int64_t step = 3 * g.state(), h = g.h;
  // What reaches a state past the products: from the loss, and through the gate z.
  std::copy_n(dstates + g.steps * g.state(), g.state(), dhidden);
  const auto unit_gradients = [&](std::int64_t t, std::int64_t row, std::int64_t unit,
                                  std::int64_t units, const T* y) {
    each_lanes(units, [&](std::int64_t from, auto n) {
      const std::int64_t at = row * h + unit + from, before = t * g.state() + at;
      const std::int64_t first = t * step + row * 3 * h + unit + from;
      const T *const kept = gates + (t * g.n + row) * 4 * h + unit + from, *const by_products =
                                                                               y + from;
      const T *const state = states + before, *const dh = dstates + before,
                     *const carried = dhidden + at;
      Lanes<T, 5> lanes;
      for (std::int64_t u = 0; u < n; ++u) {
        const auto slopes =
            GruSlopes<T>::of({kept[u], kept[h + u], kept[2 * h + u], kept[3 * h + u]}, state[u],
                             by_products[u] + carried[u]);
        lanes.value[0][u] = slopes.r;
        lanes.value[1][u] = slopes.z;
        lanes.value[2][u] = slopes.n;
        lanes.value[3][u] = slopes.p;
        lanes.value[4][u] = slopes.before + dh[u];
      }
      for (int gate = 0; gate < 3; ++gate) {
        lanes.put(gate, n, dx + first + gate * h);
        lanes.put(gate < 2 ? gate : 3, n, dproducts + first + gate * h);
      }
      lanes.put(4, n, dhidden + at);
    });
  };
  for (std::int64_t t = g.steps - 1; t >= 0; --t)
    weights.each(g, t + 1 < g.steps ? dproducts + (t + 1) * step : nullptr, memory,
                 [&](const Part& part, const T* y) {
                   for (std::int64_t r = 0; r < part.rows; ++r)
                     unit_gradients(t, part.row + r, part.unit, part.units, y + r * part.units);
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
