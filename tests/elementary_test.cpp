#include <pliant/autograd/ops/elementary.h>

#include <cmath>
#include <limits>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/elementary.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("elementary: gradients, threads") { check(elementary_cases()); }

TEST_CASE("elementary: values, NaN, what is kept, what is refused") {
  check_functions(elementary_functions());
  const Tensor x = random({2}, 1);
  CHECK(error_of([&] { clamp(x, 1, 0); }) == "clamp: the bounds are 1 and 0, expected low <= high");
  CHECK(contains(error_of([&] { clamp(x, std::nan(""), 0); }), "expected low <= high"));
}

TEST_CASE("elementary: derivatives at the kinks") {
  CHECK(slope_at([](const Var& x) { return abs(x); }, 0) == 0);
  const auto clamped = [](const Var& x) { return clamp(x, -1, 2); };
  CHECK(slope_at(clamped, -1) == 0);
  CHECK(slope_at(clamped, 1.5) == 1);
  CHECK(slope_at(clamped, 2) == 0);
  CHECK(slope_at(clamped, 2.5) == 0);
  CHECK(slope_at([](const Var& x) { return pow(x, 0); }, 0) == 0);
  CHECK(slope_at([](const Var& x) { return pow(x, 1); }, 0) == 1);
}

TEST_CASE("pow of two tensors: values and a power of itself") {
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

TEST_CASE("clamp by tensors: values, ties, bad bounds") {
  const Tensor x = Tensor::from({-1.0, 0.5, 2.0}, {3}), high = Tensor::scalar(1, DType::float64);
  CHECK(clamp(x, Tensor::zeros({3}, DType::float64), high).value().to_vector() ==
        std::vector<double>{0, 0.5, 1});
  const Tape tape;
  const Var at = tape.variable(Tensor::from({1.0}, {1})), bound = tape.variable(high);
  const Gradients gradients = tape.gradients(sum(clamp(at, {}, bound)));
  CHECK(gradients[at].item() == 0.5);  // equals share
  CHECK(gradients[bound].item() == 0.5);
  CHECK(clamp(x, {}, high).value().to_vector() == std::vector<double>{-1, 0.5, 1});
  const Tensor whole = Tensor::from<std::int64_t>({-5, 2, 9}, {3});
  CHECK(clamp(whole, Tensor::full({1}, 0, DType::int64), Tensor::full({1}, 4, DType::int64))
            .value()
            .to_vector() == std::vector<double>{0, 2, 4});
  CHECK(error_of([&] { clamp(Var(), x, x); }) == "clamp: x is undefined");
  CHECK(error_of([&] { clamp(x, Var(), Var()); }) == "clamp: both bounds are undefined");
  CHECK(contains(error_of([&] { clamp(x, Tensor::zeros({3}), Var()); }), "clamp: "));
}
