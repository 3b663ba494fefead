#include <pliant/layers/recurrent.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernels/recurrent.h>
#include <pliant/tests/cases/recurrent.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Var at(const Var& x, std::int64_t t) { return squeeze(slice_axis(x, 0, t, t + 1), {0}); }

// The formulas step by step, of every state.
Var plain_lstm(const Vars& v) {
  Var h = v[1], c = v[2];
  Vars hiddens = {h}, cells = {c};
  for (std::int64_t t = 0; t < v[0].dim(0); ++t) {
    const Vars gate = split(at(v[0], t) + linear(h, v[3]), h.dim(1), -1);
    c = sigmoid(gate[1]) * c + sigmoid(gate[0]) * tanh(gate[2]);
    h = sigmoid(gate[3]) * tanh(c);
    hiddens.push_back(h);
    cells.push_back(c);
  }
  return stack({stack(hiddens), stack(cells)});
}

Var plain_gru(const Vars& v) {
  Var h = v[1];
  Vars states = {h};
  for (std::int64_t t = 0; t < v[0].dim(0); ++t) {
    const Vars x = split(at(v[0], t), h.dim(1), -1), p = split(linear(h, v[2], v[3]), h.dim(1), -1);
    const Var z = sigmoid(x[1] + p[1]);
    h = (1.0 - z) * tanh(x[2] + sigmoid(x[0] + p[0]) * p[2]) + z * h;
    states.push_back(h);
  }
  return stack(states);
}

Tensor filled(const Shape& shape, std::uint64_t seed) {
  return random(shape, seed, -1, 1, DType::float32);
}

std::vector<std::string> names_of(const Module& net) {
  std::vector<std::string> names;
  for (const auto& [path, tensor] : net.state()) names.push_back(path);
  return names;
}

}  // namespace

TEST_CASE("recurrent: gradients, first and second, on any number of threads") {
  check(recurrent_cases());
  check_twice(recurrent_cases());
}

TEST_CASE("recurrent: the fused steps are the formulas, over tiles of rows and units") {
  struct Sizes {
    std::int64_t steps, n, h;
  };
  for (const Sizes& sizes : {Sizes{4, 5, 33}, {2, 100, 16}, {3, 7, 200}}) {
    CAPTURE(sizes.h);
    const auto [steps, n, h] = sizes;
    const double small = 1 / std::sqrt(static_cast<double>(h));
    const OpCase lstm{"lstm",
                      [](const Vars& v) { return lstm_states(v[0], v[1], v[2], v[3]); },
                      {random({steps, n, 4 * h}, 1, -2, 2), random({n, h}, 2), random({n, h}, 3),
                       random({4 * h, h}, 4, -small, small)}};
    const OpCase gru{"gru",
                     [](const Vars& v) { return gru_states(v[0], v[1], v[2], v[3]); },
                     {random({steps, n, 3 * h}, 1, -2, 2), random({n, h}, 2),
                      random({3 * h, h}, 3, -small, small), random({3 * h}, 4)}};
    for (const auto& [fused, plain] : {std::pair{lstm, OpCase{"", plain_lstm, lstm.inputs}},
                                       std::pair{gru, OpCase{"", plain_gru, gru.inputs}}}) {
      const std::vector<Tensor> a = run(fused, DType::float64), b = run(plain, DType::float64),
                                c = check_same_on_any_threads(fused);
      REQUIRE(a.size() == 5);
      for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(max_difference(a[i], b[i]) < 1e-10);
        CHECK(max_difference(c[i], b[i]) < 2e-4);
      }
    }
  }
}

TEST_CASE("recurrent: the float32 tanh of the gates is exact to two units in the last place") {
  double worst = 0;
  for (float x = -12; x < 12; x += 1.7e-4f) {
    const double want = std::tanh(static_cast<double>(x));
    worst = std::max(worst, std::abs(gate_tanh(x) - want) / std::max(std::abs(want), 1e-30));
  }
  CHECK(worst < 2.4e-7);
  CHECK(gate_tanh(1e-30f) == 1e-30f);
  CHECK(gate_tanh(-100.0f) == -1);
  CHECK(gate_tanh(std::numeric_limits<float>::infinity()) == 1);
  CHECK(std::isnan(gate_tanh(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("GRU and LSTM: names, shapes, states and directions") {
  LSTM net(3, 5, {.layers = 2, .bidirectional = Bidirectional::yes});
  net.initialise(Rng(1));
  CHECK(names_of(net) == std::vector<std::string>{
                             "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                             "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse",
                             "bias_hh_l0_reverse", "weight_ih_l1", "weight_hh_l1", "bias_ih_l1",
                             "bias_hh_l1", "weight_ih_l1_reverse", "weight_hh_l1_reverse",
                             "bias_ih_l1_reverse", "bias_hh_l1_reverse"});
  CHECK(net.parameter("weight_ih_l1_reverse").shape() == Shape{20, 10});
  const Tensor x = filled({2, 7, 3}, 1);
  const LSTMResult result = net(x);
  CHECK(result.y.shape() == Shape{2, 7, 10});
  CHECK(result.hidden.shape() == Shape{4, 2, 5});
  CHECK(result.cell.shape() == Shape{4, 2, 5});
  // The last states stand in the output: forwards at the end, backwards at the beginning.
  const auto same = [](const Var& a, const Var& b) { return same_bits(a.value(), b.value()); };
  CHECK(same(slice(result.y, {0, 6, 0}, {2, 7, 5}), reshape(at(result.hidden, 2), {2, 1, 5})));
  CHECK(same(slice(result.y, {0, 0, 5}, {2, 1, 10}), reshape(at(result.hidden, 3), {2, 1, 5})));

  GRU plain(3, 5, {.bias = Bias::no});
  plain.initialise(Rng(1));
  CHECK(names_of(plain) == std::vector<std::string>{"weight_ih_l0", "weight_hh_l0"});
  CHECK(plain.state_count() == 1);
  // A sequence in two halves, the state handed on, is the sequence.
  const GRUResult whole = plain(x), first = plain(slice_axis(x, 1, 0, 4)),
                  second = plain(slice_axis(x, 1, 4, 7), first.hidden);
  CHECK(same(concat({first.y, second.y}, 1), whole.y));
  CHECK(same(second.hidden, whole.hidden));
  // Steps first, and a single sequence.
  GRU steps_first(3, 5, {.bias = Bias::no, .batch_first = BatchFirst::no});
  steps_first.load(plain.state());
  CHECK(same(transpose(steps_first(transpose(x, 0, 1)).y, 0, 1), whole.y));
  const GRUResult one = plain(at(x, 1), Tensor::zeros({1, 5}));
  CHECK(one.hidden.shape() == Shape{1, 5});
  CHECK(max_difference(one.y.value(), at(whole.y, 1).value()) < 1e-6);
}

TEST_CASE("GRU and LSTM: trained through all layers, states and inputs") {
  LSTM lstm(2, 3, {.layers = 2, .bidirectional = Bidirectional::yes, .dropout = 0.5});
  lstm.initialise(Rng(1));
  const Tape tape({.rng = Rng(3)});
  const Var x = tape.variable(filled({2, 4, 2}, 1)), h = tape.variable(filled({4, 2, 3}, 2)),
            c = tape.variable(filled({4, 2, 3}, 3));
  const LSTMResult result = lstm(x, h, c);
  const Gradients gradients =
      tape.gradients(sum(result.y) + sum(square(result.cell)) + sum(result.hidden));
  CHECK(gradients.entries().size() == 16);
  for (const Var& v : {x, h, c}) CHECK(sum(abs(gradients[v])).item() > 0);
  // Dropout stands between the layers alone, and needs the tape's key.
  LSTM single(2, 3, {.dropout = 0.5});
  single.initialise(Rng(1));
  const Tape no_key;
  CHECK(single(no_key.input(filled({2, 4, 2}, 1))).y.defined());
  CHECK(contains(error_of([&] { lstm(no_key.input(filled({2, 4, 2}, 1))); }), "no random key"));
}

TEST_CASE("GRU and LSTM: gradients of the whole layer by differences") {
  GRU gru(2, 3, {.layers = 2, .bidirectional = Bidirectional::yes});
  LSTM lstm(2, 3);
  gru.initialise(Rng(1));
  lstm.initialise(Rng(2));
  gru.to(DType::float64);
  lstm.to(DType::float64);
  const std::vector<Tensor> x = {random({2, 3, 2}, 1), random({4, 2, 3}, 2)};
  const GradcheckResult of_gru = gradcheck([&](const Vars& v) { return gru(v[0], v[1]).y; }, x);
  CHECK_MESSAGE(of_gru.passed, of_gru.message);
  const GradcheckResult of_lstm =
      gradgradcheck([&](const Vars& v) { return lstm(v[0]).y; }, {x[0]});
  CHECK_MESSAGE(of_lstm.passed, of_lstm.message);
}

TEST_CASE("GRU and LSTM: bfloat16, empty batches and no steps") {
  LSTM lstm(2, 3);
  lstm.initialise(Rng(1));
  const Tensor x = filled({2, 4, 2}, 1);
  const LSTMResult wide = lstm(x), narrow = lstm(x.to(DType::bfloat16));
  CHECK(narrow.y.dtype() == DType::bfloat16);
  CHECK(max_difference(narrow.y.value().to(DType::float32), wide.y.value()) < 0.02);
  CHECK(lstm(Tensor::zeros({0, 4, 2})).y.shape() == Shape{0, 4, 3});
  const LSTMResult none = lstm(Tensor::zeros({2, 0, 2}));
  CHECK(none.y.shape() == Shape{2, 0, 3});
  CHECK(none.hidden.shape() == Shape{1, 2, 3});
  CHECK(sum(abs(none.cell)).item() == 0);
}

TEST_CASE("GRU and LSTM: bad arguments say what was expected") {
  CHECK(error_of([] { GRU(0, 3); }) == "GRU: from 0 features to 3 units");
  CHECK(error_of([] { LSTM(2, 3, {.layers = 0}); }) == "LSTM: 0 layers, expected 1 to 1024");
  CHECK(contains(error_of([] { GRU(2, 3, {.dropout = 2}); }), "rate is 2"));
  CHECK(error_of([] { LSTM(1, std::int64_t{1} << 62); }) != "");
  GRU net(2, 3);
  net.initialise(Rng(1));
  CHECK(error_of([&] { net(Var()); }) == "GRU: the input is undefined");
  CHECK(error_of([&] {
          net(filled({2, 4, 3}, 1));
        }) == "GRU: the input has shape [2 4 3], expected [N T 2] or [T 2]");
  CHECK(error_of([&] {
          net(filled({2, 4, 2}, 1), filled({1, 3, 3}, 1));
        }) == "GRU: the first state has shape [1 3 3], expected [1 2 3]");
  const Tensor h = random({2, 3}, 1), w = random({12, 3}, 1);
  CHECK(error_of([&] {
          lstm_states(random({4, 2, 11}, 1), h, h, w);
        }) ==
        "lstm_states: x has shape [4 2 11] and the hidden state [2 3], expected [T N 4H] and [N H] "
        "with H of at least 1");
  CHECK(error_of([&] {
          lstm_states(random({4, 2, 12}, 1), h, {}, w);
        }) == "lstm_states: the cell is undefined");
  CHECK(contains(error_of([&] {
                   lstm_states(random({4, 2, 12}, 1), h, h, h);
                 }),
                 "the weight has shape [2 3], expected [12 3]"));
  CHECK(contains(error_of([&] {
                   gru_states(random({4, 2, 9}, 1), h, random({9, 3}, 1), h);
                 }),
                 "the bias has shape [2 3], expected [9]"));
  CHECK(contains(error_of([&] {
                   gru_states(random({4, 2, 9}, 1).to(DType::float32), h, random({9, 3}, 1));
                 }),
                 "x is float32 but the hidden state is float64"));
}
