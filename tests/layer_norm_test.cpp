#include <pliant/layers/layer_norm.h>

#include <pliant/tests/cases/layer_norm.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("layer_norm: gradients, large means, empty batches, the same bits on any threads") {
  check(layer_norm_cases());
  const Tensor far = random({4, 50}, 4, 999, 1001);
  const Tensor one = Tensor::full({50}, 1, DType::float64), none = random({50}, 5, 0, 0);
  const Tensor want = layer_norm(far, one, none).value();
  const Tensor got =
      layer_norm(far.to(DType::float32), one.to(DType::float32), none.to(DType::float32)).value();
  CHECK(max_difference(want, got) < 2e-3);
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < 50; ++i) {
    sum += want.data<double>()[i];
    squares += want.data<double>()[i] * want.data<double>()[i];
  }
  CHECK(sum == doctest::Approx(0).epsilon(1e-10));
  CHECK(squares == doctest::Approx(50).epsilon(1e-4));
}

TEST_CASE("layer_norm: bad arguments; the layer starts as the bare normalisation") {
  const Var x(random({2, 3}, 1));
  CHECK(contains(error_of([&] { layer_norm(x, random({3}, 1), random({2}, 1)); }),
                 "weight [3] and bias [2] for a last axis of 3 elements"));
  CHECK(contains(error_of([&] { layer_norm(random({2, 0}, 1), x, x); }), "at least one element"));
  CHECK(contains(error_of([&] { layer_norm(x, random({3}, 1), random({3}, 1), {.eps = -1}); }),
                 "eps is -1"));
  LayerNorm layer(3);
  layer.initialise(Rng(1));
  layer.to(DType::float64);
  const Tensor one = Tensor::full({3}, 1, DType::float64), none = random({3}, 5, 0, 0);
  CHECK(max_difference(layer(x).value(), layer_norm(x, one, none).value()) == 0);
}
