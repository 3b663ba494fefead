#include <pliant/autograd/ops/norm.h>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/tests/cases/norm.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;

}  // namespace

TEST_CASE("norm: by hand") {
  const Tensor x = Tensor::from({3.0, -4.0, 0.0, 12.0}, {2, 2});
  const auto of_rows = [&](double p) { return norm(x, {1}, {.p = p}).value().to_vector(); };
  CHECK(of_rows(2) == Values{5, 12});
  CHECK(of_rows(1) == Values{7, 12});
  CHECK(of_rows(0) == Values{2, 1});
  CHECK(of_rows(HUGE_VAL) == Values{4, 12});
  CHECK(of_rows(-HUGE_VAL) == Values{3, 0});
  CHECK(norm(x).value().item() == 13);
  CHECK(norm(x, {0, 1}, {.keep = KeepDim::yes}).shape() == Shape{1, 1});
  // No square overflows, none is lost.
  CHECK(norm(Tensor::full({4}, 1e30)).value().item() == doctest::Approx(2e30));
  CHECK(norm(Tensor::full({4}, 1e-30)).value().item() == doctest::Approx(2e-30));
  CHECK(norm(Tensor::zeros({0})).value().item() == 0);
}

TEST_CASE("norm: gradients, first and second, and 0 at 0") {
  check(norm_cases());
  for (const double p : {2.0, 1.0, 3.0, 1.5}) {
    const GradcheckResult twice =
        gradgradcheck([=](const Vars& v) { return exp(norm(v[0], {1}, {.p = p})); },
                      {random({2, 3}, 2, 0.3, 1.0)});
    CHECK_MESSAGE(twice.passed, twice.message);
    const Tape tape;
    const Var x = tape.variable(Tensor::from({0.0, 0.0, 0.0, 2.0}, {2, 2}));
    CHECK(tape.gradients(sum(norm(x, {1}, {.p = p})))[x].to_vector() == Values{0, 0, 0, 1});
  }
}

TEST_CASE("norm: bad arguments") {
  const Tensor x = random({2, 3}, 1);
  CHECK(error_of([&] { norm(Var()); }) == "norm: x is undefined");
  CHECK(error_of([&] { norm(x, {0}, {.p = std::nan("")}); }) == "norm: p is NaN");
  CHECK(error_of([&] { norm(x, {2}); }) == "norm: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { norm(x, {0, 0}); }) == "norm: axis 0 is named twice");
  CHECK(error_of([&] { norm(Tensor::zeros({2}, DType::int64)); }) ==
        "norm: needs floating tensors, got int64");
}
