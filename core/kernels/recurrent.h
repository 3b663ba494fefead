// Recurrent layers, step by step: geometry, formulas of one unit and signatures. What depends on
// the input alone is given for all steps, x[t] = input[t] weight_ih^T + bias_ih; p[t] is
// h[t-1] weight^T (+ bias) of the states.
//
// LSTM (Hochreiter and Schmidhuber 1997), gates i, f, g, o:
//   i, f, o = sigmoid(x + p), g = tanh(x + p)
//   c[t] = f c[t-1] + i g,  h[t] = o tanh(c[t])
// GRU (Cho et al. 2014, the reset gate behind the product), gates r, z, n:
//   r, z = sigmoid(x + p), n = tanh(x + r p)
//   h[t] = (1 - z) n + z h[t-1]
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/unary.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct RecurrentGeometry {
  std::int64_t steps, n, h;

  PLIANT_HD std::int64_t state() const { return n * h; }  // elements of one
};

PLIANT_HD inline double gate_tanh(double x) { return std::tanh(x); }
// To two units in the last place, without a branch: a loop over it becomes vectors. The polynomial
// is that of Cephes' tanhf.
PLIANT_HD inline float gate_tanh(float x) {
  const float size = std::fabs(x), square = x * x;
  float p = -5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  const float small = x + x * square * p;
  const float far = std::copysign(1.0f - 2.0f / (exponential(2.0f * size) + 1.0f), x);
  return size < 0.625f ? small : far;
}
template <class T>
PLIANT_HD T gate_sigmoid(T x) {
  return unary::Sigmoid<T>().value(x);
}

// ---- LSTM ----

template <class T>
struct LstmGates {
  T i, f, g, o;

  PLIANT_HD static LstmGates of(T i, T f, T g, T o) {
    return {gate_sigmoid(i), gate_sigmoid(f), gate_tanh(g), gate_sigmoid(o)};
  }
  PLIANT_HD T cell(T before) const { return f * before + i * g; }
  PLIANT_HD T hidden(T cell) const { return o * gate_tanh(cell); }
};

// Gradients by the gates' arguments, and by the cell before.
template <class T>
struct LstmSlopes {
  T i, f, g, o, before;

  PLIANT_HD static LstmSlopes of(const LstmGates<T>& gates, T before, T cell, T dhidden, T dcell) {
    const T shown = gate_tanh(cell);
    const T slope = dcell + dhidden * gates.o * (T(1) - shown) * (T(1) + shown);
    return {slope * gates.g * gates.i * (T(1) - gates.i),
            slope * before * gates.f * (T(1) - gates.f),
            slope * gates.i * (T(1) - gates.g) * (T(1) + gates.g),
            dhidden * shown * gates.o * (T(1) - gates.o), slope * gates.f};
  }
};

// x and gates [steps n 4 h], weight [4h h]; states [2 steps+1 n h]: all hidden ones and all cells,
// after the first, which are given [n h]. gates, which the gradient needs, may be null.
template <class T>
using LstmForward = void(const RecurrentGeometry&, const T* x, const T* hidden, const T* cell,
                         const T* weight, T* states, T* gates, Workspace&);
// dstates is of the shape of states; dhidden and dcell [n h] are by the first states.
template <class T>
using LstmGradient = void(const RecurrentGeometry&, const T* weight, const T* states,
                          const T* gates, const T* dstates, T* dx, T* dhidden, T* dcell,
                          Workspace&);

// ---- GRU ----

template <class T>
struct GruGates {
  T r, z, n, p;  // p: the product of n

  PLIANT_HD static GruGates of(T r, T z, T n, T p) {
    const T reset = gate_sigmoid(r);
    return {reset, gate_sigmoid(z), gate_tanh(n + reset * p), p};
  }
  PLIANT_HD T hidden(T before) const { return n + z * (before - n); }
};

// Gradients by the arguments of the gates, by the product of n, and by the state before past them.
template <class T>
struct GruSlopes {
  T r, z, n, p, before;

  PLIANT_HD static GruSlopes of(const GruGates<T>& gates, T before, T dhidden) {
    const T n = dhidden * (T(1) - gates.z) * (T(1) - gates.n) * (T(1) + gates.n);
    return {n * gates.p * gates.r * (T(1) - gates.r),
            dhidden * (before - gates.n) * gates.z * (T(1) - gates.z), n, n * gates.r,
            dhidden * gates.z};
  }
};

// x [steps n 3 h], weight [3h h], bias [3h] or null; states [steps+1 n h], after the first, which is
// given [n h]; gates [steps n 4 h], r, z, n and the product of n, may be null.
template <class T>
using GruForward = void(const RecurrentGeometry&, const T* x, const T* hidden, const T* weight,
                        const T* bias, T* states, T* gates, Workspace&);
// dx and dproducts [steps n 3 h]: by x, and by the products with the states.
template <class T>
using GruGradient = void(const RecurrentGeometry&, const T* weight, const T* states, const T* gates,
                         const T* dstates, T* dx, T* dproducts, T* dhidden, Workspace&);

namespace cpu {
extern FloatKernel<LstmForward> lstm_forward;
extern FloatKernel<LstmGradient> lstm_gradient;
extern FloatKernel<GruForward> gru_forward;
extern FloatKernel<GruGradient> gru_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<LstmForward> lstm_forward;
extern FloatKernel<LstmGradient> lstm_gradient;
extern FloatKernel<GruForward> gru_forward;
extern FloatKernel<GruGradient> gru_gradient;
}  // namespace cuda

}  // namespace pliant
