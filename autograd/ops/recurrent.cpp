#include <pliant/autograd/ops/recurrent.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/matmul.h>
#include <pliant/core/kernels/recurrent.h>

namespace pliant {
namespace {

// x [T N gates*H] and what goes with it.
RecurrentGeometry checked_geometry(const char* op, std::int64_t gates, const Var& x,
                                   const Var& hidden, const Var& weight) {
  require_rank(op, "x", x, 3, gates == 4 ? "[T N 4H]" : "[T N 3H]");
  require_rank(op, "the hidden state", hidden, 2, "[N H]");
  const std::int64_t h = hidden.dim(1);
  require(h >= 1 && x.dim(1) == hidden.dim(0) && x.dim(2) == checked_product(op, {gates, h}), op,
          ": x has shape ", x.shape(), " and the hidden state ", hidden.shape(), ", expected ",
          gates == 4 ? "[T N 4H]" : "[T N 3H]", " and [N H] with H of at least 1");
  require(weight.defined(), op, ": the weight is undefined");
  require_shape_if(op, "the weight", weight, {gates * h, h});
  return {x.dim(0), x.dim(1), h};
}

// The gradient by the weight: that by all products, with the states they were made from.
Tensor weight_gradient(const char* op, const RecurrentGeometry& g, std::int64_t gates,
                       const Tensor& dproducts, const Tensor& states) {
  Tensor dweight = Tensor::empty({gates * g.h, g.h}, states.dtype(), states.device());
  Workspace workspace(states.device());
  visit_floating(op, states.dtype(), [&]<class T>() {
    kernel<Matmul<T>, cpu::matmul, cuda::matmul>(op, states.device())(
        {.m = gates * g.h, .n = g.h, .k = g.steps * g.n, .transpose_a = Transpose::yes},
        dproducts.data<T>(), states.data<T>(), nullptr, dweight.mutable_data<T>(), workspace);
  });
  return dweight;
}

bool any_wants(std::initializer_list<const Var*> vars) {
  return std::any_of(vars.begin(), vars.end(), [](const Var* v) { return v->wants_gradient(); });
}

Tensor like(const Tensor& tensor, const Shape& shape) {
  return Tensor::empty(shape, tensor.dtype(), tensor.device());
}

// Step t of a sequence [T ..].
Var step_of(const Var& sequence, std::int64_t t) {
  return squeeze(slice_axis(sequence, 0, t, t + 1), {0});
}

Var sigmoid_slope(const Var& y) { return y * (1.0 - y); }
Var tanh_slope(const Var& y) { return 1.0 - square(y); }

// ---- LSTM ----

constexpr const char* kLstm = "lstm_states";

Vars lstm_gradients(const RecurrentGeometry& g, const NodeView& node) {
  const Tensor weight = node.saved(3).value(), states = node.saved(4).value(),
               gates = node.saved(5).value(), dstates = node.cotangent().value();
  Tensor dx = like(gates, gates.shape()), dhidden = like(gates, {g.n, g.h}),
         dcell = like(gates, {g.n, g.h});
  Workspace workspace(gates.device());
  visit_floating(kLstm, gates.dtype(), [&]<class T>() {
    kernel<LstmGradient<T>, cpu::lstm_gradient, cuda::lstm_gradient>(kLstm, gates.device())(
        g, weight.data<T>(), states.data<T>(), gates.data<T>(), dstates.data<T>(),
        dx.mutable_data<T>(), dhidden.mutable_data<T>(), dcell.mutable_data<T>(), workspace);
  });
  return {dx, dhidden, dcell,
          node.wants(3) ? Var(weight_gradient(kLstm, g, 4, dx, states)) : Var()};
}

// The same in public ops, and the states once more.
Vars lstm_gradients_on_tape(const RecurrentGeometry& g, const NodeView& node) {
  struct Step {
    Var i, f, g, o, hidden, cell, shown;  // the states before
  };
  const Var x = node.saved(0), weight = node.saved(3);
  std::vector<Step> steps;
  Var h = node.saved(1), c = node.saved(2);
  for (std::int64_t t = 0; t < g.steps; ++t) {
    const Vars gate = split(step_of(x, t) + linear(h, weight), g.h, -1);
    Step step{sigmoid(gate[0]), sigmoid(gate[1]), tanh(gate[2]), sigmoid(gate[3]), h, c, {}};
    c = step.f * c + step.i * step.g;
    step.shown = tanh(c);
    h = step.o * step.shown;
    steps.push_back(step);
  }
  const Var dhiddens = step_of(node.cotangent(), 0), dcells = step_of(node.cotangent(), 1);
  Var dh = step_of(dhiddens, g.steps), dc = step_of(dcells, g.steps), dweight = weight * 0.0;
  Vars dx(steps.size());
  for (std::int64_t t = g.steps - 1; t >= 0; --t) {
    const Step& s = steps[static_cast<std::size_t>(t)];
    const Var slope = dc + dh * s.o * tanh_slope(s.shown);
    const Var all = concat({slope * s.g * sigmoid_slope(s.i), slope * s.cell * sigmoid_slope(s.f),
                            slope * s.i * tanh_slope(s.g), dh * s.shown * sigmoid_slope(s.o)},
                           -1);
    dx[static_cast<std::size_t>(t)] = all;
    dweight = dweight + matmul(transpose(all, 0, 1), s.hidden);
    dh = matmul(all, weight) + step_of(dhiddens, t);
    dc = slope * s.f + step_of(dcells, t);
  }
  return {dx.empty() ? x * 0.0 : stack(dx, 0), dh, dc, dweight};
}

// ---- GRU ----

constexpr const char* kGru = "gru_states";

Vars gru_gradients(const RecurrentGeometry& g, const NodeView& node) {
  const Tensor weight = node.saved(2).value(), states = node.saved(4).value(),
               gates = node.saved(5).value(), dstates = node.cotangent().value();
  const Shape products{g.steps, g.n, 3 * g.h};
  Tensor dx = like(gates, products), dproducts = like(gates, products),
         dhidden = like(gates, {g.n, g.h});
  Workspace workspace(gates.device());
  visit_floating(kGru, gates.dtype(), [&]<class T>() {
    kernel<GruGradient<T>, cpu::gru_gradient, cuda::gru_gradient>(kGru, gates.device())(
        g, weight.data<T>(), states.data<T>(), gates.data<T>(), dstates.data<T>(),
        dx.mutable_data<T>(), dproducts.mutable_data<T>(), dhidden.mutable_data<T>(), workspace);
  });
  return {dx, dhidden, node.wants(2) ? Var(weight_gradient(kGru, g, 3, dproducts, states)) : Var(),
          node.wants(3) ? sum_to(dproducts, {3 * g.h}) : Var()};
}

Vars gru_gradients_on_tape(const RecurrentGeometry& g, const NodeView& node) {
  struct Step {
    Var r, z, n, p, hidden;  // the state before
  };
  const Var x = node.saved(0), weight = node.saved(2), bias = node.saved(3);
  std::vector<Step> steps;
  Var h = node.saved(1);
  for (std::int64_t t = 0; t < g.steps; ++t) {
    const Vars in = split(step_of(x, t), g.h, -1), p = split(linear(h, weight, bias), g.h, -1);
    Step step{sigmoid(in[0] + p[0]), sigmoid(in[1] + p[1]), {}, p[2], h};
    step.n = tanh(in[2] + step.r * p[2]);
    h = step.n + step.z * (h - step.n);
    steps.push_back(step);
  }
  const Var dstates = node.cotangent();
  Var dh = step_of(dstates, g.steps), dweight = weight * 0.0,
      dbias = bias.defined() ? bias * 0.0 : Var();
  Vars dx(steps.size());
  for (std::int64_t t = g.steps - 1; t >= 0; --t) {
    const Step& s = steps[static_cast<std::size_t>(t)];
    const Var dn = dh * (1.0 - s.z) * tanh_slope(s.n), dr = dn * s.p * sigmoid_slope(s.r),
              dz = dh * (s.hidden - s.n) * sigmoid_slope(s.z);
    dx[static_cast<std::size_t>(t)] = concat({dr, dz, dn}, -1);
    const Var dp = concat({dr, dz, dn * s.r}, -1);
    dweight = dweight + matmul(transpose(dp, 0, 1), s.hidden);
    if (bias.defined()) dbias = dbias + sum_to(dp, {3 * g.h});
    dh = matmul(dp, weight) + dh * s.z + step_of(dstates, t);
  }
  return {dx.empty() ? x * 0.0 : stack(dx, 0), dh, dweight, dbias};
}

}  // namespace

Var lstm_states(const Var& x, const Var& hidden, const Var& cell, const Var& weight) {
  const ErrorOp here(kLstm);
  if (is_bfloat16(x)) return in_float32(kLstm, lstm_states, x, hidden, cell, weight);
  const RecurrentGeometry g = checked_geometry(kLstm, 4, x, hidden, weight);
  require(cell.defined(), kLstm, ": the cell is undefined");
  require_shape_if(kLstm, "the cell", cell, hidden.shape());
  require_same_kind(
      kLstm,
      {{"x", &x}, {"the hidden state", &hidden}, {"the cell", &cell}, {"the weight", &weight}});
  Tensor states = like(x.value(), {2, g.steps + 1, g.n, g.h});
  Tensor gates = any_wants({&x, &hidden, &cell, &weight}) ? like(x.value(), {g.steps, g.n, 4 * g.h})
                                                          : Tensor();
  if (states.size() > 0) {
    Workspace workspace(x.device());
    visit_floating(kLstm, x.dtype(), [&]<class T>() {
      kernel<LstmForward<T>, cpu::lstm_forward, cuda::lstm_forward>(kLstm, x.device())(
          g, x.value().data<T>(), hidden.value().data<T>(), cell.value().data<T>(),
          weight.value().data<T>(), states.mutable_data<T>(), mutable_or_null<T>(gates), workspace);
    });
  }
  return record(
      kLstm, states, {x, hidden, cell, weight}, {x, hidden, cell, weight, states, gates},
      [g](const NodeView& node) {
        return node.creates_graph() ? lstm_gradients_on_tape(g, node) : lstm_gradients(g, node);
      },
      Derivatives::all);
}

Var gru_states(const Var& x, const Var& hidden, const Var& weight, const Var& bias) {
  const ErrorOp here(kGru);
  if (is_bfloat16(x)) return in_float32(kGru, gru_states, x, hidden, weight, bias);
  const RecurrentGeometry g = checked_geometry(kGru, 3, x, hidden, weight);
  require_shape_if(kGru, "the bias", bias, {3 * g.h});
  require_same_kind(
      kGru,
      {{"x", &x}, {"the hidden state", &hidden}, {"the weight", &weight}, {"the bias", &bias}});
  Tensor states = like(x.value(), {g.steps + 1, g.n, g.h});
  Tensor gates = any_wants({&x, &hidden, &weight, &bias}) ? like(x.value(), {g.steps, g.n, 4 * g.h})
                                                          : Tensor();
  if (states.size() > 0) {
    Workspace workspace(x.device());
    visit_floating(kGru, x.dtype(), [&]<class T>() {
      kernel<GruForward<T>, cpu::gru_forward, cuda::gru_forward>(kGru, x.device())(
          g, x.value().data<T>(), hidden.value().data<T>(), weight.value().data<T>(),
          data_or_null<T>(bias.value()), states.mutable_data<T>(), mutable_or_null<T>(gates),
          workspace);
    });
  }
  return record(
      kGru, states, {x, hidden, weight, bias}, {x, hidden, weight, bias, states, gates},
      [g](const NodeView& node) {
        return node.creates_graph() ? gru_gradients_on_tape(g, node) : gru_gradients(g, node);
      },
      Derivatives::all);
}

}  // namespace pliant
