#include <pliant/core/kernels/recurrent.h>

#include <pliant/cuda/gemm.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

// products [n gates h] = states [n h] weight^T
template <class T>
void multiply_states(const char* op, const RecurrentGeometry& g, std::int64_t gates,
                     const T* states, const T* weight, T* products) {
  multiply<T, T>(op, {g.n, gates * g.h, g.h}, Matrices<const T>{states, g.h},
                 Matrices<const T>{weight, g.h, 0, Transpose::yes},
                 Matrices<T>{products, gates * g.h}, Accumulate::no);
}

// to [n h] += dproducts weight
template <class T>
void add_by_products(const char* op, const RecurrentGeometry& g, std::int64_t gates,
                     const T* dproducts, const T* weight, T* to) {
  multiply<T, T>(op, {g.n, g.h, gates * g.h}, Matrices<const T>{dproducts, gates * g.h},
                 Matrices<const T>{weight, g.h}, Matrices<T>{to, g.h}, Accumulate::yes);
}

template <class T>
void copy(const char* op, std::int64_t n, const T* from, T* to) {
  each(op, n, [=] __device__(std::int64_t i) { to[i] = from[i]; });
}
template <class T>
void clear(const char* op, std::int64_t n, T* to) {
  each(op, n, [=] __device__(std::int64_t i) { to[i] = T(0); });
}

// A thread owns a unit of a row.
template <class T>
void lstm_step(const RecurrentGeometry& g, std::int64_t t, const T* x, const T* products, T* states,
               T* gates) {
  T* const cells = states + (g.steps + 1) * g.state();
  each("lstm", g.state(), [=] __device__(std::int64_t i) {
    const std::int64_t at = i / g.h * 4 * g.h + i % g.h, in = t * 4 * g.state() + at;
    const auto all = LstmGates<T>::of(x[in] + products[at], x[in + g.h] + products[at + g.h],
                                      x[in + 2 * g.h] + products[at + 2 * g.h],
                                      x[in + 3 * g.h] + products[at + 3 * g.h]);
    const T cell = all.cell(cells[t * g.state() + i]);
    cells[(t + 1) * g.state() + i] = cell;
    states[(t + 1) * g.state() + i] = all.hidden(cell);
    if (gates == nullptr) return;
    gates[in] = all.i;
    gates[in + g.h] = all.f;
    gates[in + 2 * g.h] = all.g;
    gates[in + 3 * g.h] = all.o;
  });
}

template <class T>
void lstm_forward(const RecurrentGeometry& g, const T* x, const T* hidden, const T* cell,
                  const T* weight, T* states, T* gates, Workspace& workspace) {
  T* const products = workspace.take<T>(4 * g.state());
  copy("lstm", g.state(), hidden, states);
  copy("lstm", g.state(), cell, states + (g.steps + 1) * g.state());
  for (std::int64_t t = 0; t < g.steps; ++t) {
    multiply_states("lstm", g, 4, states + t * g.state(), weight, products);
    lstm_step(g, t, x, products, states, gates);
  }
}

// dhidden holds what comes by the products; cells are summed up in dcell.
template <class T>
void lstm_step_gradient(const RecurrentGeometry& g, std::int64_t t, const T* states, const T* gates,
                        const T* dstates, T* dx, const T* dhidden, T* dcell) {
  const std::int64_t cells = (g.steps + 1) * g.state();
  each("lstm", g.state(), [=] __device__(std::int64_t i) {
    const std::int64_t at = t * 4 * g.state() + i / g.h * 4 * g.h + i % g.h;
    const std::int64_t before = t * g.state() + i, after = before + g.state();
    const auto slopes = LstmSlopes<T>::of(
        {gates[at], gates[at + g.h], gates[at + 2 * g.h], gates[at + 3 * g.h]},
        states[cells + before], states[cells + after], dhidden[i] + dstates[after], dcell[i]);
    dx[at] = slopes.i;
    dx[at + g.h] = slopes.f;
    dx[at + 2 * g.h] = slopes.g;
    dx[at + 3 * g.h] = slopes.o;
    dcell[i] = slopes.before + dstates[cells + before];
  });
}

template <class T>
void lstm_gradient(const RecurrentGeometry& g, const T* weight, const T* states, const T* gates,
                   const T* dstates, T* dx, T* dhidden, T* dcell, Workspace&) {
  const std::int64_t last = g.steps * g.state(), cells = last + g.state();
  copy("lstm", g.state(), dstates + cells + last, dcell);
  for (std::int64_t t = g.steps - 1; t >= 0; --t) {
    clear("lstm", g.state(), dhidden);
    if (t + 1 < g.steps)
      add_by_products("lstm", g, 4, dx + (t + 1) * 4 * g.state(), weight, dhidden);
    lstm_step_gradient(g, t, states, gates, dstates, dx, dhidden, dcell);
  }
  copy("lstm", g.state(), dstates, dhidden);
  if (g.steps > 0) add_by_products("lstm", g, 4, dx, weight, dhidden);
}

template <class T>
void gru_step(const RecurrentGeometry& g, std::int64_t t, const T* x, const T* products,
              const T* bias, T* states, T* gates) {
  each("gru", g.state(), [=] __device__(std::int64_t i) {
    const std::int64_t row = i / g.h, u = i % g.h, at = row * 3 * g.h + u,
                       in = t * 3 * g.state() + at;
    const auto shift = [=](std::int64_t gate) {
      return bias == nullptr ? T(0) : bias[gate * g.h + u];
    };
    const auto all = GruGates<T>::of(x[in] + (products[at] + shift(0)),
                                     x[in + g.h] + (products[at + g.h] + shift(1)), x[in + 2 * g.h],
                                     products[at + 2 * g.h] + shift(2));
    states[(t + 1) * g.state() + i] = all.hidden(states[t * g.state() + i]);
    if (gates == nullptr) return;
    T* const kept = gates + (t * g.n + row) * 4 * g.h + u;
    kept[0] = all.r;
    kept[g.h] = all.z;
    kept[2 * g.h] = all.n;
    kept[3 * g.h] = all.p;
  });
}

template <class T>
void gru_forward(const RecurrentGeometry& g, const T* x, const T* hidden, const T* weight,
                 const T* bias, T* states, T* gates, Workspace& workspace) {
  T* const products = workspace.take<T>(3 * g.state());
  copy("gru", g.state(), hidden, states);
  for (std::int64_t t = 0; t < g.steps; ++t) {
    multiply_states("gru", g, 3, states + t * g.state(), weight, products);
    gru_step(g, t, x, products, bias, states, gates);
  }
}

// dhidden: what reaches state t + 1, and after that what passes the products on to state t.
template <class T>
void gru_step_gradient(const RecurrentGeometry& g, std::int64_t t, const T* states, const T* gates,
                       const T* dstates, T* dx, T* dproducts, T* dhidden) {
  each("gru", g.state(), [=] __device__(std::int64_t i) {
    const std::int64_t row = i / g.h, u = i % g.h;
    const std::int64_t at = (t * g.n + row) * 3 * g.h + u, before = t * g.state() + i;
    const T* const kept = gates + (t * g.n + row) * 4 * g.h + u;
    const auto slopes = GruSlopes<T>::of({kept[0], kept[g.h], kept[2 * g.h], kept[3 * g.h]},
                                         states[before], dhidden[i]);
    dx[at] = dproducts[at] = slopes.r;
    dx[at + g.h] = dproducts[at + g.h] = slopes.z;
    dx[at + 2 * g.h] = slopes.n;
    dproducts[at + 2 * g.h] = slopes.p;
    dhidden[i] = slopes.before + dstates[before];
  });
}

template <class T>
void gru_gradient(const RecurrentGeometry& g, const T* weight, const T* states, const T* gates,
                  const T* dstates, T* dx, T* dproducts, T* dhidden, Workspace&) {
  copy("gru", g.state(), dstates + g.steps * g.state(), dhidden);
  for (std::int64_t t = g.steps - 1; t >= 0; --t) {
    gru_step_gradient(g, t, states, gates, dstates, dx, dproducts, dhidden);
    add_by_products("gru", g, 3, dproducts + t * 3 * g.state(), weight, dhidden);
  }
}

}  // namespace

constinit FloatKernel<LstmForward> cuda::lstm_forward{pliant::lstm_forward, pliant::lstm_forward};
constinit FloatKernel<LstmGradient> cuda::lstm_gradient{pliant::lstm_gradient,
                                                        pliant::lstm_gradient};
constinit FloatKernel<GruForward> cuda::gru_forward{pliant::gru_forward, pliant::gru_forward};
constinit FloatKernel<GruGradient> cuda::gru_gradient{pliant::gru_gradient, pliant::gru_gradient};

}  // namespace pliant
