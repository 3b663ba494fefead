#include <pliant/autograd/ops/arithmetic.h>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/arithmetic.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("arithmetic: gradients under every kind of broadcast") { check(arithmetic_cases()); }

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
