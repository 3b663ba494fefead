#include <pliant/layers/recurrent.h>

#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/recurrent.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

constexpr std::int64_t kMostLayers = 1024;  // more is a slip, and would fill the memory

Var lifted(const Var& x, const Parameter& parameter) {
  return parameter.defined() ? x.lift(parameter) : Var();
}

// Of states [T+1 N H], or those of one kind in [kinds T+1 N H]: all after the first, [T N H], and the
// last, [N H].
Var steps_of(const Var& states, std::int64_t kind = 0) {
  const std::int64_t steps = states.dim(-3) - 1, n = states.dim(-2), h = states.dim(-1);
  if (states.rank() == 3) return slice_axis(states, 0, 1, steps + 1);
  return squeeze(slice(states, {kind, 1, 0, 0}, {kind + 1, steps + 1, n, h}), {0});
}
Var last_of(const Var& states, std::int64_t kind = 0) {
  const std::int64_t steps = states.dim(-3) - 1, n = states.dim(-2), h = states.dim(-1);
  if (states.rank() == 3) return squeeze(slice_axis(states, 0, steps, steps + 1), {0});
  return squeeze(slice(states, {kind, steps, 0, 0}, {kind + 1, steps + 1, n, h}), {0, 1});
}

}  // namespace

Recurrent::Recurrent(const char* kind, std::int64_t in, std::int64_t hidden, std::int64_t gates,
                     const RecurrentOptions& options)
    : kind_(kind),
      in_(in),
      hidden_(hidden),
      options_(options),
      dropout_(own("dropout", Dropout(options.dropout))) {
  const ErrorOp here(kind);
  require(in >= 1 && hidden >= 1, kind, ": from ", in, " features to ", hidden, " units");
  require(options.layers >= 1 && options.layers <= kMostLayers, kind, ": ", options.layers,
          " layers, expected 1 to ", kMostLayers);
  const Initialiser uniform = init::uniform(1 / std::sqrt(static_cast<double>(hidden)));
  const std::int64_t directions = options.bidirectional == Bidirectional::yes ? 2 : 1;
  const std::int64_t rows = checked_product(kind, {gates, hidden});
  for (std::int64_t layer = 0; layer < options.layers; ++layer)
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::string end = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      const auto part = [&](const char* name, const Shape& shape) {
        return own(name + end, Parameter(shape), uniform);
      };
      Cell& cell = cells_.emplace_back();
      cell.weight_ih =
          part("weight_ih", {rows, layer == 0 ? in : checked_product(kind, {directions, hidden})});
      cell.weight_hh = part("weight_hh", {rows, hidden});
      if (options.bias == Bias::no) continue;
      cell.bias_ih = part("bias_ih", {rows});
      cell.bias_hh = part("bias_hh", {rows});
    }
}

// As [T N in].
Var Recurrent::checked_sequence(const Var& x) const {
  const bool batch_first = options_.batch_first == BatchFirst::yes;
  require(x.defined(), kind_, ": the input is undefined");
  require((x.rank() == 2 || x.rank() == 3) && x.dim(-1) == in_, kind_, ": the input has shape ",
          x.shape(), ", expected ", batch_first ? "[N T " : "[T N ", in_, "] or [T ", in_, "]");
  return x.rank() == 2 ? unsqueeze(x, 1) : batch_first ? transpose(x, 0, 1) : x;
}

// As [layers*D N H].
Vars Recurrent::checked_states(const Var& sequence, const Var& x, const Vars& first) const {
  const Shape expected{state_count(), sequence.dim(1), hidden_};
  Vars all;
  for (const Var& state : first) {
    if (!state.defined()) {
      all.emplace_back(Tensor::zeros(expected, wide_of(x.dtype()), x.device()));
      continue;
    }
    const bool single = x.rank() == 2 && state.rank() == 2;
    const Var whole = single ? unsqueeze(state, 1) : state;
    require(whole.shape() == expected, kind_, ": the first state has shape ", state.shape(),
            ", expected ", expected);
    all.push_back(whole);
  }
  return all;
}

Recurrent::Result Recurrent::run(const Var& x, const Vars& first, Run cell_steps) const {
  const ErrorPlace here(path());
  const ErrorOp op(kind_);
  Var sequence = checked_sequence(x);
  const Vars states = checked_states(sequence, x, first);
  const std::int64_t directions = options_.bidirectional == Bidirectional::yes ? 2 : 1;
  std::vector<Vars> last(first.size());
  std::int64_t products = 0;
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    if (layer > 0) sequence = dropout_(sequence, static_cast<std::uint64_t>(layer));
    Vars sides;
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::int64_t place = layer * directions + direction;
      const Cell& cell = cells_[static_cast<std::size_t>(place)];
      Vars begin;
      for (const Var& state : states)
        begin.push_back(squeeze(slice_axis(state, 0, place, place + 1), {0}));
      const bool backward = direction == 1;
      const Steps steps = cell_steps(cell, backward ? flip(sequence, {0}) : sequence, begin);
      sides.push_back(backward ? flip(steps.y, {0}) : steps.y);
      for (std::size_t kind = 0; kind < last.size(); ++kind) last[kind].push_back(steps.last[kind]);
      products += sequence.dim(0) * sequence.dim(1) *
                  (cell.weight_ih.shape().size() + cell.weight_hh.shape().size());
    }
    sequence = directions == 1 ? sides[0] : concat(sides, -1);
  }
  const Var y = x.rank() == 2                             ? squeeze(sequence, {1})
                : options_.batch_first == BatchFirst::yes ? transpose(sequence, 0, 1)
                                                          : sequence;
  Result result{observed(kind_, y, products), {}};
  for (const Vars& all : last) {
    const Var stacked = stack(all, 0);
    result.last.push_back(x.rank() == 2 ? squeeze(stacked, {1}) : stacked);
  }
  return result;
}

GRU::GRU(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options)
    : Recurrent("GRU", in, hidden, 3, options) {}

GRUResult GRU::operator()(const Var& x, const Var& hidden) const {
  const Result result = run(x, {hidden}, [](const Cell& cell, const Var& in, const Vars& first) {
    const Var gates = linear(in, in.lift(cell.weight_ih), lifted(in, cell.bias_ih));
    const Var states =
        gru_states(gates, first[0], in.lift(cell.weight_hh), lifted(in, cell.bias_hh));
    return Steps{steps_of(states), {last_of(states)}};
  });
  return {result.y, result.last[0]};
}

LSTM::LSTM(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options)
    : Recurrent("LSTM", in, hidden, 4, options) {}

LSTMResult LSTM::operator()(const Var& x, const Var& hidden, const Var& cell) const {
  const Result result =
      run(x, {hidden, cell}, [](const Cell& own_cell, const Var& in, const Vars& first) {
        Var bias = lifted(in, own_cell.bias_ih);
        if (bias.defined()) bias = bias + in.lift(own_cell.bias_hh);
        const Var gates = linear(in, in.lift(own_cell.weight_ih), bias);
        const Var states = lstm_states(gates, first[0], first[1], in.lift(own_cell.weight_hh));
        return Steps{steps_of(states), {last_of(states), last_of(states, 1)}};
      });
  return {result.y, result.last[0], result.last[1]};
}

}  // namespace pliant
