#include <pliant/autograd/ops/cosine.h>

#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/tests/cases/cosine.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("cosine: gradients, first and second") {
  check(cosine_cases());
  check_twice(cosine_cases());
}

TEST_CASE("cosine_similarity: by hand, of nothing and of zeros") {
  const Tensor a = Tensor::from({3.0, 4.0, 1.0, 0.0}, {2, 2}),
               b = Tensor::from({4.0, 3.0, 0.0, -2.0}, {2, 2});
  CHECK(max_difference(cosine_similarity(a, b).value(), Tensor::from({0.96, 0.0}, {2})) < 1e-15);
  CHECK(cosine_similarity(a, (-Var(a)).value(), 1).value().to_vector() ==
        std::vector<double>{-1, -1});
  CHECK(cosine_similarity(Tensor::zeros({2, 0}), Tensor::zeros({2, 0})).value().to_vector() ==
        std::vector<double>{0, 0});
  CHECK(cosine_similarity(Tensor::zeros({0, 2}), Tensor::zeros({0, 2})).shape() == Shape{0});
  const Tape tape;
  const Var zero = tape.variable(Tensor::zeros({2}));
  const Var cosine = cosine_similarity(zero, Tensor::full({2}, 1.0));
  CHECK(cosine.value().item() == 0);
  for (const double slope : tape.gradients(cosine)[zero].to_vector()) CHECK(std::isfinite(slope));
}

TEST_CASE("cosine_similarity: bfloat16 stays bfloat16") {
  const Tensor a = random({4, 8}, 1), b = random({4, 8}, 2);
  const Var coarse = cosine_similarity(a.to(DType::bfloat16), b.to(DType::bfloat16));
  CHECK(coarse.dtype() == DType::bfloat16);
  CHECK(max_difference(coarse.value(), cosine_similarity(a, b).value()) < 0.02);
}

TEST_CASE("cosine_embedding_loss: by hand") {
  const Tensor a = Tensor::from({3.0, 4.0, 3.0, 4.0, 1.0, 0.0}, {3, 2}),
               b = Tensor::from({4.0, 3.0, 4.0, 3.0, -1.0, 0.0}, {3, 2}),
               labels = Tensor::from({1.0, -1.0, -1.0}, {3});
  const Tensor each = cosine_embedding_loss(a, b, labels, 0.5, LossReduction::none).value();
  CHECK(max_difference(each, Tensor::from({0.04, 0.46, 0.0}, {3})) < 1e-15);
  CHECK(cosine_embedding_loss(a, b, labels, 0.5).value().item() == doctest::Approx(0.5 / 3));
  const Tensor x = Tensor::from({3.0, 4.0}, {2});
  CHECK(cosine_embedding_loss(x, x, Tensor::full({}, -1, DType::float64)).value().item() ==
        doctest::Approx(1));
}

TEST_CASE("cosine: bad arguments") {
  const Tensor a = random({2, 3}, 1), labels = Tensor::from({1.0, -1.0}, {2});
  CHECK(error_of([&] { cosine_similarity(Var(), a); }) == "cosine_similarity: a is undefined");
  CHECK(error_of([&] { cosine_similarity(a, Var()); }) == "cosine_similarity: b is undefined");
  CHECK(contains(error_of([&] { cosine_similarity(a, a, 2); }), "cosine_similarity: axis 2"));
  CHECK(contains(error_of([&] { cosine_similarity(a, random({2, 4}, 1)); }), "cosine_similarity:"));
  CHECK(error_of([&] { cosine_similarity(a, a, 0, 0); }) ==
        "cosine_similarity: eps is 0, expected above 0");
  CHECK(error_of([&] {
          cosine_embedding_loss(a, random({2, 4}, 1), labels);
        }) ==
        "cosine_embedding_loss: a has shape [2 3] and b [2 4], expected [N D] or [D] of both");
  CHECK(error_of([&] { cosine_embedding_loss(a, a, Tensor()); }) ==
        "cosine_embedding_loss: the labels are undefined");
  CHECK(error_of([&] { cosine_embedding_loss(a, a, random({3}, 1)); }) ==
        "cosine_embedding_loss: the labels have shape [3], expected [2]");
  CHECK(error_of([&] {
          cosine_embedding_loss(a, a, Tensor::from({1.0, 0.0}, {2}));
        }) == "cosine_embedding_loss: a label is 0, expected 1 or -1");
  CHECK(error_of([&] { cosine_embedding_loss(a, a, labels, 2); }) ==
        "cosine_embedding_loss: margin is 2, expected -1 to 1");
}
