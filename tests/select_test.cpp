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
  check(select_cases());
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
