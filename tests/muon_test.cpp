#include <pliant/layers/train/muon.h>

#include <algorithm>
#include <cmath>

#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The rule on plain rows of doubles.
using Matrix = std::vector<std::vector<double>>;

Matrix matrix_of(const Tensor& t, std::int64_t rows) {
  const std::vector<double> all = t.to_vector();
  const auto columns = all.size() / static_cast<std::size_t>(rows);
  Matrix m;
  for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(columns))
    m.emplace_back(at, at + static_cast<std::ptrdiff_t>(columns));
  return m;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), std::vector<double>(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b[0].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix transposed(const Matrix& a) {
  Matrix t(a[0].size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) t[j][i] = a[i][j];
  return t;
}

Matrix combined(double x, const Matrix& a, double y, const Matrix& b) {
  Matrix c = a;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) c[i][j] = x * a[i][j] + y * b[i][j];
  return c;
}

// Of the larger side too, where the optimizer takes the smaller.
Matrix orthogonalised(Matrix x, int steps) {
  double squares = 0;
  for (const auto& row : x)
    for (const double value : row) squares += value * value;
  x = combined(1 / std::max(std::sqrt(squares), 1e-7), x, 0, x);
  for (int i = 0; i < steps; ++i) {
    const Matrix gram = product(x, transposed(x));
    const Matrix turn = combined(-4.7750, gram, 2.0315, product(gram, gram));
    x = combined(3.4445, x, 1, product(turn, x));
  }
  return x;
}

struct Reference {
  MuonOptions o;
  Matrix p, m;

  void step(const Matrix& g) {
    if (m.empty()) m = combined(0, g, 0, g);
    m = combined(o.momentum, m, 1, g);
    const Matrix d = o.nesterov ? combined(1, g, o.momentum, m) : m;
    const double a = static_cast<double>(p.size()), b = static_cast<double>(p[0].size());
    const double factor = o.rate == MuonRate::original ? std::sqrt(std::max(1.0, a / b))
                                                       : 0.2 * std::sqrt(std::max(a, b));
    p = combined(1 - o.lr * o.weight_decay, p, -o.lr * factor,
                 orthogonalised(d, o.newton_schulz_steps));
  }
};

double difference(const Tensor& t, const Matrix& m) {
  std::vector<double> all;
  for (const auto& row : m) all.insert(all.end(), row.begin(), row.end());
  return max_difference(t, Tensor::from(all, t.shape()));
}

void check_muon(const Shape& shape, const MuonOptions& options) {
  for (const DType dtype : {DType::float64, DType::float32}) {
    CAPTURE(dtype);
    CAPTURE(shape);
    const Tensor start = random(shape, 1);
    const Parameter weight(start.to(dtype).clone(), "weight");
    const void* const address = weight.value().raw();
    Muon muon({weight}, options);
    Reference reference{options, matrix_of(start, shape[0]), {}};
    for (int t = 1; t <= 4; ++t) {
      const Tensor gradient = gradient_at(t, shape);
      step(muon, {{weight, gradient.to(dtype)}});
      reference.step(matrix_of(gradient, shape[0]));
    }
    CHECK(difference(weight.value(), reference.p) < (dtype == DType::float64 ? 1e-12 : 1e-4));
    CHECK(weight.value().raw() == address);
  }
}

}  // namespace

TEST_CASE("Muon: matrices and the weights of convolutions, by its formula") {
  for (const Shape& shape : {Shape{4, 4}, Shape{3, 7}, Shape{9, 2}, Shape{1, 5}, Shape{5, 1},
                             Shape{1, 1}, Shape{4, 3, 3, 2}})
    for (const MuonOptions& options :
         {MuonOptions{.lr = 0.05}, MuonOptions{.lr = 0.05, .rate = MuonRate::original},
          MuonOptions{.lr = 0.05,
          .momentum = 0.5,
          .nesterov = false,
          .newton_schulz_steps = 3,
          .weight_decay = 0}})
      check_muon(shape, options);
}

// Of which the rows are orthogonal, or nearly so: that is what it is for.
TEST_CASE("Muon: a step is an orthogonal matrix, whatever the gradient's scale") {
  for (const double scale : {1e-3, 1.0, 1e6}) {
    const Parameter weight(Tensor::zeros({4, 9}, DType::float64), "weight");
    Muon muon({weight}, {.lr = 1, .rate = MuonRate::original, .weight_decay = 0});
    const Tensor gradient = (Var(random({4, 9}, 3)) * scale).value();
    step(muon, {{weight, gradient}});
    const Matrix rows = matrix_of(weight.value(), 4);
    const Matrix gram = product(rows, transposed(rows));
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) CHECK(std::abs(gram[i][j] - (i == j ? 1 : 0)) < 0.6);
  }
}

TEST_CASE("Muon: all else is moved as by AdamW") {
  const auto make = [](const char* name, const Shape& shape) {
    return Parameter(random(shape, 1), name);
  };
  const Parameter table = make("embedding.weight", {6, 3}), bias = make("bias", {3}),
                  table_too = make("embedding.weight", {6, 3}), bias_too = make("bias", {3}),
                  matrix = make("matrix", {3, 4});
  Muon muon({table, matrix, bias}, {.lr = 0.1, .weight_decay = 0.2, .by_adamw = {"embedding.*"}});
  AdamW adamw({table_too, bias_too}, {.lr = 0.1, .weight_decay = 0.2});
  for (int t = 0; t < 3; ++t) {
    const Tensor of_table = gradient_at(t, {6, 3}), of_bias = gradient_at(t, {3});
    step(muon, {{table, of_table}, {matrix, gradient_at(t, {3, 4})}, {bias, of_bias}});
    step(adamw, {{table_too, of_table}, {bias_too, of_bias}});
  }
  CHECK(same_bits(table.value(), table_too.value()));
  CHECK(same_bits(bias.value(), bias_too.value()));
}

TEST_CASE("Muon: training goes on from a saved state as if it had never stopped") {
  const Parameter straight(random({3, 4}, 1), "weight"), bias(random({3}, 2), "bias");
  Muon first({straight, bias});
  const auto step_of = [](Optimizer& optimizer, int t, const Parameter& w, const Parameter& b) {
    step(optimizer, {{w, gradient_at(t, {3, 4})}, {b, gradient_at(t, {3})}});
  };
  for (int t = 0; t < 2; ++t) step_of(first, t, straight, bias);
  const State state = first.state();
  REQUIRE(state.size() == 6);
  CHECK(state[1].first == "weight/momentum");
  CHECK(state[3].first == "bias/first_moment");
  const Parameter resumed(straight.value().clone(), "weight"), bias2(bias.value().clone(), "bias");
  step_of(first, 2, straight, bias);
  Muon second({resumed, bias2});
  second.load(state);
  step_of(second, 2, resumed, bias2);
  CHECK(same_bits(straight.value(), resumed.value()));
  CHECK(same_bits(bias.value(), bias2.value()));
  AdamW adamw({resumed, bias2});
  CHECK(contains(error_of([&] { adamw.load(state); }),
                 "AdamW: of weight the state has momentum, expected first_moment, second_moment"));
}

TEST_CASE("Muon: a gradient of nothing moves nothing, a weight of nothing neither") {
  const Parameter weight(random({3, 4}, 1), "weight"),
      none(Tensor::zeros({0, 4}, DType::float64), "none");
  const Tensor before = weight.value().clone();
  Muon muon({weight, none}, {.weight_decay = 0});
  step(muon, {{weight, Tensor::zeros({3, 4}, DType::float64)},
              {none, Tensor::zeros({0, 4}, DType::float64)}});
  CHECK(same_bits(weight.value(), before));
}

TEST_CASE("Muon: misuse is an Error") {
  const Parameter p(random({3, 4}, 1), "net.weight");
  CHECK(contains(error_of([&] { Muon({p}, {.momentum = 1}); }), "Muon: momentum 1 must lie in"));
  CHECK(contains(error_of([&] { Muon({p}, {.newton_schulz_steps = 0}); }),
                 "Muon: newton_schulz_steps 0"));
  CHECK(error_of([&] { Muon({p}, {.by_adamw = {"nte.*"}}); }) ==
        "Muon: by_adamw 'nte.*' matches no path; there are net.weight");
}
