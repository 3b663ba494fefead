#include <pliant/layers/train/metrics.h>

#include <cmath>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("metrics: right answers among the k first, equals and NaN") {
  const Tensor logits = Tensor::from({1.0, 3.0, 2.0,  //
                                      2.0, 2.0, 0.0,  //
                                      5.0, std::nan(""), 1.0},
                                     {3, 3});
  const auto right = [&](std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t k) {
    return count_right(logits, Tensor::from<std::int64_t>({a, b, c}, {3}), k);
  };
  CHECK(right(1, 0, 1, 1) == 3);
  CHECK(right(2, 1, 0, 1) == 0);
  CHECK(right(2, 1, 0, 2) == 3);
  CHECK(right(0, 2, 2, 2) == 0);
  CHECK(right(0, 2, 2, 9) == 3);
  CHECK(accuracy(logits, Tensor::from<std::int64_t>({1, 1, 1}, {3})) == doctest::Approx(2.0 / 3));
  CHECK(std::isnan(accuracy(Tensor::zeros({0, 3}), Tensor::zeros({0}, DType::int64))));

  const Tensor many = random({500, 7}, 1, -1, 1, DType::float32);
  CHECK(accuracy(many, argmax(many, 1)) == 1);  // the same rule
  CHECK(contains(error_of([&] {
                   count_right(logits, Tensor::from<std::int64_t>({0, 0, 3}, {3}));
                 }),
                 "count_right: label 3 is not in [0, 3)"));
  CHECK(contains(error_of([&] { count_right(logits, Tensor::zeros({3})); }),
                 "count_right: expected labels int64 [3]"));
  CHECK(contains(error_of([&] { count_right(Tensor::zeros({3}), Tensor::zeros({3})); }),
                 "count_right: expected logits [N C]"));
  CHECK(contains(error_of([&] { accuracy(logits, argmax(logits, 1), 0); }), "k is 0"));
}
