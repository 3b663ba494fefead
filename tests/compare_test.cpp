#include <pliant/autograd/ops/compare.h>

#include <cmath>
#include <limits>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/compare.h>

using namespace pliant;
using namespace pliant::test;

namespace {

const double kNan = std::nan("");
using Values = std::vector<double>;

Tensor row(std::initializer_list<double> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

TEST_CASE("compare: every comparison of less, equal, greater, NaN") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor a = row({1, 2, 3, kNan, 0.0, kNan}).to(dtype);
    const Tensor b = row({2, 2, 2, 1, -0.0, kNan}).to(dtype);
    CHECK(gt(a, b).to_vector() == Values{0, 0, 1, 0, 0, 0});
    CHECK(ge(a, b).to_vector() == Values{0, 1, 1, 0, 1, 0});
    CHECK(lt(a, b).to_vector() == Values{1, 0, 0, 0, 0, 0});
    CHECK(le(a, b).to_vector() == Values{1, 1, 0, 0, 1, 0});
    CHECK(eq(a, b).to_vector() == Values{0, 1, 0, 0, 1, 0});
    CHECK(ne(a, b).to_vector() == Values{1, 0, 1, 1, 0, 1});
    CHECK(gt(a, b).dtype() == dtype);
  }
  const Tensor x = row({-1, 0, 1});
  CHECK(gt(x, 0.0).to_vector() == Values{0, 0, 1});
  CHECK(ge(x, 0.0).to_vector() == Values{0, 1, 1});
  CHECK(lt(x, 0.0).to_vector() == Values{1, 0, 0});
  CHECK(le(x, 0.0).to_vector() == Values{1, 1, 0});
  CHECK(eq(x, 0.0).to_vector() == Values{0, 1, 0});
  CHECK(ne(x, 0.0).to_vector() == Values{1, 0, 1});
}

TEST_CASE("compare: shapes broadcast") {
  CHECK(gt(random({3, 1}, 1), random({1, 5}, 2)).shape() == Shape{3, 5});
  CHECK(eq(random({}, 1), random({}, 1)).item() == 1);
  CHECK(lt(random({0, 3}, 1), random({3}, 2)).shape() == Shape{0, 3});
  CHECK(maximum(row({1, 4}), Tensor::scalar(2, DType::float64)).value().to_vector() ==
        Values{2, 4});
}

TEST_CASE("compare: gradients under every kind of broadcast, threads") { check(compare_cases()); }

TEST_CASE("maximum and minimum: values, NaN, ties") {
  const Tensor a = row({1, 5, kNan, 2, kNan}), b = row({3, 4, 1, kNan, kNan});
  const Values larger = maximum(a, b).value().to_vector(), less = minimum(a, b).value().to_vector();
  CHECK(larger[0] == 3);
  CHECK(larger[1] == 5);
  CHECK(less[0] == 1);
  CHECK(less[1] == 4);
  for (std::size_t i = 2; i < 5; ++i) {
    CHECK(std::isnan(larger[i]));
    CHECK(std::isnan(less[i]));
  }
  for (const auto& op : {maximum, minimum}) {  // equals share
    const Tape tape;
    const Var u = tape.variable(row({2, 1})), v = tape.variable(row({2, 7}));
    const Gradients gradients = tape.gradients(sum(op(u, v)));
    CHECK(gradients[u].to_vector()[0] == 0.5);
    CHECK(gradients[v].to_vector()[0] == 0.5);
    CHECK(gradients[u].to_vector()[1] + gradients[v].to_vector()[1] == 1);
  }
}

TEST_CASE("where: chooses, and what is not chosen has no influence") {
  const Tensor a = row({1, kNan, -0.0, HUGE_VAL}), b = row({kNan, 2, 5, -0.0});
  const Tensor y = where(row({1, 0, -3, 0}), a, b).value();
  CHECK(y.to_vector() == Values{1, 2, 0, 0});
  CHECK(std::signbit(y.to_vector()[2]));
  CHECK(std::signbit(y.to_vector()[3]));
  CHECK(where(Tensor::from<std::int64_t>({1, 0}, {2}), row({1, 2}), row({3, 4}))
            .value()
            .to_vector() == Values{1, 4});
  CHECK(where(gt(random({2, 1}, 1), 0.0), random({3}, 2), random({}, 3)).shape() == Shape{2, 3});
  CHECK(where(row({1, 0}), row({5, 6}), 0).value().to_vector() == Values{5, 0});
  CHECK(where(row({1, 0}), -1.5, row({5, 6})).value().to_vector() == Values{-1.5, 6});

  const Tape tape;
  const Var u = tape.variable(row({1, kNan})), v = tape.variable(row({kNan, 2}));
  const Gradients gradients = tape.gradients(sum(where(row({1, 0}), u, v)));
  CHECK(gradients[u].to_vector() == Values{1, 0});
  CHECK(gradients[v].to_vector() == Values{0, 1});
}

TEST_CASE("compare: bad arguments") {
  const Tensor a = random({2, 3}, 1), b = random({4}, 2), single = Tensor::zeros({3});
  const Tensor whole = Tensor::zeros({3}, DType::int64);
  const auto comparisons = {std::pair{"gt", static_cast<Tensor (*)(const Var&, const Var&)>(gt)},
                            std::pair{"ge", static_cast<Tensor (*)(const Var&, const Var&)>(ge)},
                            std::pair{"lt", static_cast<Tensor (*)(const Var&, const Var&)>(lt)},
                            std::pair{"le", static_cast<Tensor (*)(const Var&, const Var&)>(le)},
                            std::pair{"eq", static_cast<Tensor (*)(const Var&, const Var&)>(eq)},
                            std::pair{"ne", static_cast<Tensor (*)(const Var&, const Var&)>(ne)}};
  for (const auto& [name, op] : comparisons) {
    const std::string who = name;
    CHECK(error_of([&, f = op] { f(a, b); }) == who + ": shapes [2 3] and [4] do not broadcast");
    CHECK(error_of([&, f = op] { f(a, single); }) ==
          who + ": a is float64 but b is float32; convert one with to(DType)");
    CHECK(error_of([&, f = op] { f(a, whole); }) ==
          who + ": a is float64 but b is int64; convert one with to(DType)");
    CHECK(error_of([&, f = op] { f(a, Var()); }) == who + ": operand b is undefined");
  }
  CHECK(error_of([&] { maximum(a, b); }) == "maximum: shapes [2 3] and [4] do not broadcast");
  CHECK(error_of([&] { minimum(a, single); }) ==
        "minimum: a is float64 but b is float32; convert one with to(DType)");
  CHECK(error_of([&] { maximum(Var(), a); }) == "maximum: operand a is undefined");
  CHECK(error_of([&] { where(Tensor(), a, a); }) == "where: the condition is undefined");
  CHECK(error_of([&] { where(a, Var(), a); }) == "where: operand a is undefined");
  CHECK(error_of([&] { where(a, a, single); }) ==
        "where: a is float64 but b is float32; convert one with to(DType)");
  CHECK(error_of([&] { where(b, a, a); }) == "where: shapes [4] and [2 3] do not broadcast");
}

TEST_CASE("compare: isfinite, isnan, any, all") {
  const double kInf = std::numeric_limits<double>::infinity(), kNaN = std::nan("");
  for (const DType dtype : {DType::float64, DType::float32, DType::bfloat16}) {
    const Tensor x = Tensor::from({1.0, kInf, -kInf, kNaN, 0.0}, {5}).to(dtype);
    CHECK(isfinite(x).to_vector() == std::vector<double>{1, 0, 0, 0, 1});
    CHECK(isnan(x).to_vector() == std::vector<double>{0, 0, 0, 1, 0});
    CHECK(any(isnan(x)));
    CHECK_FALSE(all(isfinite(x)));
    CHECK(any(Tensor::full({2}, kNaN, dtype)));
    CHECK(all(Tensor::full({2}, kNaN, dtype)));
  }
  CHECK_FALSE(any(Tensor::zeros({3})));
  CHECK_FALSE(any(Tensor::zeros({0})));
  CHECK(all(Tensor::zeros({0})));
}
