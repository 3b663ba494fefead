#include <pliant/autograd/ops/select.h>

#include <limits>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/tests/cases/select.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;

Tensor whole(std::initializer_list<std::int64_t> values, const Shape& shape) {
  return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("nonzero: where the elements are not 0, row by row") {
  const Tensor x = Tensor::from({0.0, 2.0, std::nan(""), -0.0, 0.0, -1.0}, {2, 3});
  const Tensor places = nonzero(x);
  CHECK(places.shape() == Shape{3, 2});
  CHECK(places.to_vector() == Values{0, 1, 0, 2, 1, 2});
  CHECK(nonzero(x.to(DType::bfloat16)).to_vector() == Values{0, 1, 0, 2, 1, 2});
  CHECK(nonzero(whole({0, 7}, {2})).to_vector() == Values{1});
  CHECK(nonzero(Tensor::scalar(3)).shape() == Shape{1, 0});
  CHECK(nonzero(Tensor::scalar(0)).shape() == Shape{0, 0});
  CHECK(nonzero(Tensor::zeros({4, 0})).shape() == Shape{0, 2});
  CHECK(error_of([] { nonzero(Var()); }) == "nonzero: x is undefined");
}

TEST_CASE("masked_select and masked_fill") {
  const Tensor x = Tensor::from({1.0, 2.0, 3.0, 4.0}, {2, 2});
  CHECK(masked_select(x, gt(x, 2.0)).value().to_vector() == Values{3, 4});
  CHECK(masked_select(x, whole({1, 0}, {2})).value().to_vector() == Values{1, 3});
  CHECK(masked_select(x, Tensor::zeros({2, 2})).shape() == Shape{0});
  CHECK(masked_select(whole({5, 6}, {2}), whole({0, 1}, {2})).value().to_vector() == Values{6});
  CHECK(masked_fill(x, whole({1, 0, 0, 1}, {2, 2}), 9).value().to_vector() == Values{9, 2, 3, 9});
  CHECK(masked_fill(whole({5, 6}, {2}), whole({0, 1}, {2}), -1).value().to_vector() ==
        Values{5, -1});
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(masked_fill(x, whole({0, 1}, {2, 1}), -infinity).value().to_vector() ==
        Values{1, 2, -infinity, -infinity});
  for (const OpCase& c : select_cases()) check(c);
  const GradcheckResult twice = gradgradcheck(
      [&](const Vars& v) { return exp(masked_select(v[0], gt(x, 1.0))); }, {random({2, 2}, 6)});
  CHECK_MESSAGE(twice.passed, twice.message);
}

TEST_CASE("masked_select and masked_fill: bad arguments") {
  const Tensor x = random({2, 3}, 1);
  CHECK(error_of([&] { masked_select(Var(), x); }) == "masked_select: x is undefined");
  CHECK(error_of([&] { masked_select(x, Tensor()); }) == "masked_select: the mask is undefined");
  CHECK(error_of([&] { masked_select(x, Tensor::zeros({2})); }) ==
        "masked_select: shapes [2 3] and [2] do not broadcast");
  CHECK(error_of([&] {
          masked_fill(x, Tensor::zeros({4, 2, 3}), 0);
        }) == "masked_fill: the mask [4 2 3] does not stretch to [2 3]");
  CHECK(error_of([&] { masked_fill(x, Tensor(), 0); }) == "masked_fill: the mask is undefined");
}

TEST_CASE("scatter: the last of several stays, in any dtype") {
  const Tensor index = whole({2, 0, 2}, {1, 3}), y = whole({10, 20, 30}, {1, 3});
  for (const DType dtype :
       {DType::float32, DType::bfloat16, DType::int64, DType::int32, DType::uint8}) {
    const Var z = scatter(whole({1, 2, 3, 4}, {1, 4}).to(dtype), 1, index, y.to(dtype));
    CHECK(z.dtype() == dtype);
    CHECK(z.value().to_vector() == Values{20, 2, 30, 4});
  }
  const Tape tape;
  const Var x = tape.variable(random({1, 4}, 1)), v = tape.variable(random({1, 3}, 2));
  const Tensor dy = Tensor::from({1.0, 2.0, 3.0, 4.0}, {1, 4});
  const Gradients gradients = tape.gradients(scatter(x, 1, index, v), {}, {.cotangent = dy});
  CHECK(gradients[x].to_vector() == Values{0, 2, 0, 4});
  CHECK(gradients[v].to_vector() == Values{0, 1, 3});
}

TEST_CASE("scatter, index_copy, index_add: gradients, threads, nothing") {
  for (const OpCase& c : scatter_cases()) {
    check(c);
    check_twice({c.name, [&](const Vars& v) { return exp(c.f(v)); }, c.inputs});
  }
  Tensor many = Tensor::empty({64, 300}, DType::int64);
  for (std::int64_t i = 0; i < many.size(); ++i)
    many.mutable_data<std::int64_t>()[i] = i * 7919 % 101;
  check_same_on_any_threads({"",
                             [=](const Vars& v) { return scatter(v[0], 1, many, v[1]); },
                             {random({64, 101}, 1), random({64, 300}, 2)}});
  const Tensor x = random({2, 3}, 1), none = Tensor::zeros({2, 0}, DType::int64);
  CHECK(same_bits(scatter(x, 1, none, random({2, 0}, 1)).value(), x));
  CHECK(scatter(random({0, 3}, 1), 1, Tensor::zeros({0, 2}, DType::int64), random({0, 2}, 2))
            .shape() == Shape{0, 3});
  CHECK(index_copy(x, 0, whole({1}, {1}), random({1, 3}, 2)).value().to_vector()[3] ==
        random({1, 3}, 2).to_vector()[0]);
}

TEST_CASE("scatter, index_copy, index_add: bad arguments") {
  const Tensor x = random({2, 3}, 1), index = whole({0, 3}, {2, 1}), y = random({2, 1}, 2);
  CHECK(error_of([&] { scatter(x, 1, index, y); }) ==
        "scatter: index 3 at place 1 is not in [0, 3)");
  CHECK(error_of([&] { scatter(Var(), 1, index, y); }) == "scatter: x is undefined");
  CHECK(error_of([&] { scatter(x, 1, index, Var()); }) == "scatter: y is undefined");
  CHECK(error_of([&] { scatter(x, 1, Tensor(), y); }) == "scatter: the indices are undefined");
  const Tensor good = whole({0, 2}, {2, 1});
  CHECK(error_of([&] { scatter(x, 1, good, y.to(DType::float32)); }) ==
        "scatter: x is float64 but y is float32; convert one with to(DType)");
  CHECK(error_of([&] { scatter(x, 0, good, y); }) ==
        "scatter: index 2 at place 1 is not in [0, 2)");
  CHECK(error_of([&] {
          scatter(x, 1, good, random({2, 2}, 1));
        }) ==
        "scatter: y [2 2] and indices [2 1] for x [2 3], expected the same extents but along axis "
        "1");
  CHECK(error_of([&] {
          index_copy(x, 1, whole({0, 1}, {2}), y);
        }) == "index_copy: indices [2] for y [2 1] along axis 1, expected one for each slice");
  CHECK(error_of([&] { index_add(x, 1, Tensor(), y); }) == "index_add: the indices are undefined");
  CHECK(error_of([&] { index_add(Var(), 1, good, y); }) == "index_add: x is undefined");
  CHECK(error_of([&] { index_copy(x, 1, whole({3}, {1}), y); }) ==
        "index_copy: scatter: index 3 at place 0 is not in [0, 3)");
}
