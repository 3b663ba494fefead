#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/op_case.h>
#include <cmath>
#include <limits>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("arithmetic: gradients under every kind of broadcast") {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{3, 4}, {3, 4}},    {{2, 3, 4}, {4}}, {{3, 1}, {1, 5}}, {{}, {2, 3}},
      {{2, 1, 3}, {5, 1}}, {{7}, {1}},       {{0, 3}, {3}},    {{2, 3, 1, 5}, {3, 4, 1}}};
  for (const auto& [a, b] : shapes) {
    const std::vector<Tensor> inputs = {random(a, 1, 0.5, 2.0), random(b, 2, 0.5, 2.0)};
    check({"add", [](const Vars& v) { return v[0] + v[1]; }, inputs});
    check({"sub", [](const Vars& v) { return v[0] - v[1]; }, inputs});
    check({"mul", [](const Vars& v) { return v[0] * v[1]; }, inputs});
    check({"div", [](const Vars& v) { return v[0] / v[1]; }, inputs});
  }
}

TEST_CASE("arithmetic: values against a naive loop") {
  const Tensor a = random({4, 1, 3}, 3), b = random({2, 1}, 4);
  const std::vector<double> x = a.to_vector(), y = b.to_vector();
  const Tensor got = (Var(a) - Var(b)).value();
  REQUIRE(got.shape() == Shape{4, 2, 3});
  const std::vector<double> z = got.to_vector();
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 2; ++j)
      for (std::size_t k = 0; k < 3; ++k) CHECK(z[(i * 2 + j) * 3 + k] == x[i * 3 + k] - y[j]);
}

TEST_CASE("arithmetic: numbers beside a Var") {
  const Var x(Tensor::from({1.0f, 2.0f}, {2}));
  CHECK((2.0 - x).value().to_vector() == std::vector<double>{1, 0});
  CHECK((x / 2.0).value().to_vector() == std::vector<double>{0.5, 1});
  CHECK((-x + 1.0).value().dtype() == DType::float32);
}

TEST_CASE("arithmetic: bad operands") {
  const Var a(random({2, 3}, 5)), b(random({4}, 6));
  CHECK(error_of([&] { a + b; }) == "add: shapes [2 3] and [4] do not broadcast");
  CHECK(error_of([&] { a* Tensor::zeros({3}); }) ==
        "mul: a is float64 but b is float32; convert one with to(DType)");
  const Tensor whole = Tensor::zeros({3}, DType::int64);
  CHECK(error_of([&] { a / whole; }) ==
        "div: a is float64 but b is int64; convert one with to(DType)");
  CHECK(error_of([&] { whole / Var(whole); }) == "div: needs floating tensors, got int64");
  CHECK(contains(error_of([&] { a - Var(); }), "sub: operand b is undefined"));
  CHECK(contains(error_of([&] { reshape(a, {4, -1}); }), "cannot be cut into rows of 4"));
  CHECK(error_of([&] {
          broadcast_to(a, {3, 2});
        }) == "broadcast_to: shapes [2 3] and [3 2] do not broadcast");
  CHECK(error_of([&] {
          broadcast_to(random({2, 1}, 1), {1, 3});
        }) == "broadcast_to: [2 1] does not stretch to [1 3]");
  CHECK(error_of([&] {
          sum_to(a, {2, 3, 3});
        }) == "sum_to: shapes [2 3] and [2 3 3] do not broadcast");
  CHECK(error_of([&] { sum_to(a, {4, 2, 3}); }) == "sum_to: [4 2 3] does not stretch to [2 3]");
  CHECK(error_of([&] { reshape(a, Shape{5}); }) == "reshape: [2 3] has 6 elements, [5] has 5");
  CHECK(error_of([&] {
          reshape(a, {-1, -1});
        }) == "reshape: 2 extents are -1, expected one at most");
  CHECK(error_of([&] { reshape(Var(), {2, -1}); }) == "reshape: x is undefined");
  CHECK(error_of([&] { reshape(Var(), Shape{2}); }) == "reshape: x is undefined");
  CHECK(error_of([&] { broadcast_to(Var(), {2}); }) == "broadcast_to: x is undefined");
  CHECK(error_of([&] { sum_to(Var(), {2}); }) == "sum_to: x is undefined");
  CHECK(error_of([&] { neg(Var()); }) == "neg: x is undefined");
}

TEST_CASE("reduce: sums and means over any axes") {
  for (const std::vector<int>& axes :
       std::vector<std::vector<int>>{{0}, {1}, {-1}, {0, 2}, {0, 1, 2}, {1, 3}, {}, {-2, 0}}) {
    const std::vector<Tensor> inputs = {random({2, 3, 4, 5}, 7)};
    check({"sum", [&](const Vars& v) { return sum(v[0], axes); }, inputs});
    check({"mean", [&](const Vars& v) { return mean(v[0], axes, KeepDim::yes); }, inputs});
  }
  check({"mean", [](const Vars& v) { return mean(v[0]); }, {random({}, 8)}});
  CHECK(sum(random({0, 3}, 9), {0}).value().to_vector() == std::vector<double>{0, 0, 0});
}

TEST_CASE("reduce: large sums are exact to rounding and the same on any number of threads") {
  const int before = thread_count();
  for (const Shape& shape : {Shape{300007}, Shape{70001, 3}, Shape{3, 50021, 2}}) {
    const Tensor x = random(shape, 10, 0.0, 1.0, DType::float32);
    const int axis = shape.rank() == 3 ? 1 : 0;
    double total = 0;
    for (const double v : x.to_vector()) total += v;
    set_thread_count(1);
    const Tensor one = sum(x, {axis}).value();
    CHECK(sum(one).value().item() == doctest::Approx(total).epsilon(1e-6));
    for (const int threads : {2, 3}) {
      set_thread_count(threads);
      CHECK(max_difference(one, sum(x, {axis}).value()) == 0.0);
    }
  }
  set_thread_count(before);
}

TEST_CASE("reduce: argmax takes the first largest, NaN above all") {
  const Tensor x = Tensor::from({1.0, 3.0, 3.0, -1.0, std::nan(""), 7.0}, {2, 3});
  CHECK(argmax(x, 1).to_vector() == std::vector<double>{1, 1});
  CHECK(argmax(x, 0, KeepDim::yes).shape() == Shape{1, 3});
  CHECK(argmax(x, 0).to_vector() == std::vector<double>{0, 1, 1});
  CHECK(contains(error_of([&] { argmax(Tensor::zeros({2, 0}), 1); }), "is empty"));
}

TEST_CASE("reduce: bad axes") {
  const Tensor x = random({2, 3}, 11);
  CHECK(error_of([&] { sum(x, {2}); }) == "sum: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { mean(x, {0, -2}); }) == "mean: axis -2 is named twice");
}

TEST_CASE("activations") {
  const std::vector<Tensor> inputs = {Tensor::from({-2.0, -0.5, 0.25, 1.0, 3.0, -30.0, 30.0}, {7})};
  check({"relu", [](const Vars& v) { return relu(v[0]); }, inputs});
  check({"sigmoid", [](const Vars& v) { return sigmoid(v[0]); }, inputs});
  CHECK(std::isnan(relu(Tensor::from({std::nan("")}, {1})).value().item()));
  CHECK(sigmoid(Tensor::from({-1000.0, 0.0, 1000.0}, {3})).value().to_vector() ==
        std::vector<double>{0, 0.5, 1});
}

TEST_CASE("matmul and linear") {
  check({"matmul",
         [](const Vars& v) { return matmul(v[0], v[1]); },
         {random({3, 5}, 12), random({5, 2}, 13)}});
  check({"batched",
         [](const Vars& v) { return matmul(v[0], v[1]); },
         {random({2, 3, 4}, 14), random({2, 4, 5}, 15)}});
  check({"linear",
         [](const Vars& v) { return linear(v[0], v[1], v[2]); },
         {random({2, 3, 4}, 16), random({7, 4}, 17), random({7}, 18)}});
  check({"no bias",
         [](const Vars& v) { return linear(v[0], v[1]); },
         {random({0, 4}, 16), random({7, 4}, 17)}});
  CHECK(error_of([] {
          linear(random({2, 3}, 1), random({5, 4}, 2));
        }) == "linear: input has 3 features but the weight expects 4 (input [2 3], weight [5 4])");
  CHECK(contains(error_of([] {
                   matmul(random({2, 3}, 1), random({4, 2}, 2));
                 }),
                 "matmul: [2 3] times [4 2]"));
  CHECK(contains(error_of([] {
                   linear(random({2, 3}, 1), random({5, 3}, 2), random({4}, 3));
                 }),
                 "bias has shape [4], expected [5]"));
}

TEST_CASE("pow of two tensors: values, broadcasting, gradients to both") {
  const auto f = [](const Vars& v) { return pow(v[0], v[1]); };
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{3, 4}, {3, 4}}, {{2, 3, 4}, {4}}, {{1, 4}, {3, 1}}, {{}, {5}}, {{7}, {}}, {{0, 3}, {3}}};
  for (const auto& [a, b] : shapes)
    check({"pow", f, {random(a, 1, 0.2, 2), random(b, 2, -2, 2)}, 2e-4});
  const Tensor a = random({40}, 3, 0.1, 3), b = random({40}, 4, -3, 3);
  const Tensor y = pow(a, b).value();
  for (std::int64_t i = 0; i < 40; ++i)
    CHECK(y.data<double>()[i] == std::pow(a.data<double>()[i], b.data<double>()[i]));
  const Tape tape;  // a power of itself
  const Var x = tape.variable(Tensor::full({1}, 2.0, DType::float64));
  CHECK(tape.gradients(pow(x, x))[x].item() == doctest::Approx(4 * (1 + std::log(2.0))));
}

TEST_CASE("pow of two tensors: zeros and negative bases as PyTorch has them") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  struct Case {
    double a, b, y, by_a, by_b;
  };
  const auto same = [](double got, double want) {
    return std::isnan(want) ? std::isnan(got) : got == want;
  };
  for (const Case& c : std::vector<Case>{{0, 2, 0, 0, 0},
                                         {0, 1, 0, 1, 0},
                                         {0, 0, 1, 0, 0},
                                         {0, 0.5, 0, inf, 0},
                                         {0, -1, inf, -inf, -inf},
                                         {-2, 2, 4, -4, nan},
                                         {-2, 3, -8, 12, nan},
                                         {-2, 0, 1, 0, nan},
                                         {-2, 0.5, nan, nan, nan},
                                         {3, 0, 1, 0, std::log(3.0)}}) {
    CAPTURE(c.a);
    CAPTURE(c.b);
    const Tape tape;
    const Var a = tape.variable(Tensor::full({1}, c.a, DType::float64));
    const Var b = tape.variable(Tensor::full({1}, c.b, DType::float64));
    const Var y = pow(a, b);
    CHECK(same(y.value().item(), c.y));
    const Gradients gradients = tape.gradients(y);
    CHECK(same(gradients[a].item(), c.by_a));
    CHECK(same(gradients[b].item(), c.by_b));
  }
}

TEST_CASE("pow of two tensors: bad operands") {
  const Tensor x = random({2, 3}, 1);
  CHECK(error_of([&] { pow(x, random({2}, 1)); }) == "pow: shapes [2 3] and [2] do not broadcast");
  CHECK(error_of([&] { pow(x, Var()); }) == "pow: operand b is undefined");
  CHECK(error_of([&] {
          pow(x, Tensor::zeros({2, 3}));
        }) == "pow: a is float64 but b is float32; convert one with to(DType)");
}

TEST_CASE("arithmetic: what has nothing to stretch or add up gives a Var of its own") {
  for (Var (*const op)(const Var&, const Shape&) : {&broadcast_to, &sum_to}) {
    const Tape tape;
    const Var a = tape.variable(Tensor::from({1.0, 2.0, 3.0}, {3}));
    const Var y = op(a, {3});
    const Gradients g = tape.gradients(sum(y * y) + sum(a), {y, a});
    CHECK(g[y].to_vector() == std::vector<double>{2, 4, 6});
    CHECK(g[a].to_vector() == std::vector<double>{3, 5, 7});
  }
}
