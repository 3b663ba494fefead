#include <pliant/layers/train/metrics.h>

#include <cmath>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/gpu_under_test.h>
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
                 "count_right: expected integer labels [3]"));
  CHECK(contains(error_of([&] { count_right(Tensor::zeros({3}), Tensor::zeros({3})); }),
                 "count_right: expected logits [N C]"));
  CHECK(contains(error_of([&] { accuracy(logits, argmax(logits, 1), 0); }), "k is 0"));
}

TEST_CASE("in_top_k: row by row, in any floating type") {
  const Tensor logits = random({40, 6}, 3), labels = argmin(random({40, 6}, 4), 1);
  for (std::int64_t k = 1; k <= 6; ++k) {
    const std::vector<double> right = in_top_k(logits, labels, k).to_vector();
    const std::vector<double> all = logits.to_vector(), label = labels.to_vector();
    for (std::size_t i = 0; i < right.size(); ++i) {
      int before = 0;
      for (std::size_t c = 0; c < 6; ++c)
        before += all[6 * i + c] > all[6 * i + static_cast<std::size_t>(label[i])] ? 1 : 0;
      CHECK(right[i] == (before < k ? 1 : 0));
    }
    CHECK(in_top_k(logits.to(DType::float32), labels, k).to_vector() == right);
  }
  const Tensor coarse = logits.to(DType::bfloat16);
  CHECK(count_right(coarse, argmax(coarse, 1)) == 40);
  CHECK(error_of([&] { in_top_k(logits, labels, 0); }) == "in_top_k: k is 0, expected at least 1");
}

TEST_CASE("cuda: in_top_k where the logits are" * doctest::skip(no_device())) {
  const Tensor logits = random({300, 7}, 1, -1, 1, DType::float32), labels = argmin(logits, 1);
  for (const std::int64_t k : {1, 6, 7})
    CHECK(count_right(logits.to(gpu()), labels.to(gpu()), k) == count_right(logits, labels, k));
  const Tensor wrong = Tensor::full({300}, 7, DType::int64).to(gpu());
  CHECK(error_of([&] { count_right(logits.to(gpu()), wrong); }) ==
        "count_right: a label is not in [0, 7)");
}
