// The op and RMSNorm.
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/layers.h>
#include <pliant/tests/cases/rms_norm.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("rms_norm: gradients, first and second, on any number of threads") {
  check(rms_norm_cases());
  check_twice(rms_norm_cases());
}

TEST_CASE("rms_norm: the formula, and every finite x") {
  const Tensor x = random({70, 33}, 1, 2, 4), weight = random({33}, 2);
  const Var want = Var(x) * rsqrt(mean(square(Var(x)), {-1}, KeepDim::yes) + 1e-3) * weight;
  CHECK(max_difference(rms_norm(x, weight, {.eps = 1e-3}).value(), want.value()) < 1e-14);
  CHECK(max_difference(rms_norm(x).value(),
                       rms_norm(x, Tensor::full({33}, 1, DType::float64)).value()) == 0);
  // The eps that is not given is that of the type.
  const Tensor zeros = Tensor::zeros({2, 3});
  CHECK(max_difference(rms_norm(zeros).value(), zeros) == 0);
  const Tensor small = Tensor::full({1, 4}, 1e-4, DType::float32);
  CHECK(rms_norm(small).value().to_vector()[0] ==
        doctest::Approx(1e-4 / std::sqrt(1e-8 + 0x1p-23)));
  for (const DType dtype : {DType::float32, DType::float64})
    for (const double size : {1e-30, 1e-22, 1e18, 1e36, dtype == DType::float64 ? 1e300 : 1.0,
                              dtype == DType::float64 ? 1e-300 : 1.0}) {
      CAPTURE(size);
      const OpCase scaled{"",
                          [](const Vars& v) { return rms_norm(v[0], v[1], {.eps = 0.0}); },
                          {(Var(x) * size).value(), weight}};
      const OpCase bare{"", scaled.f, {x, weight}};
      const std::vector<Tensor> a = run(scaled, dtype), b = run(bare, DType::float64);
      CHECK(max_difference(a[0].to(DType::float64), b[0]) < 1e-5);
      CHECK(max_difference((Var(a[1].to(DType::float64)) * size).value(), b[1]) < 1e-4);
      CHECK(max_difference(a[2].to(DType::float64), b[2]) < 1e-4);
    }
}

TEST_CASE("rms_norm: bfloat16, and bad arguments") {
  const Tensor x = random({2, 3}, 1, -1, 1, DType::float32);
  CHECK(rms_norm(x.to(DType::bfloat16), Tensor::full({3}, 1)).dtype() == DType::bfloat16);
  CHECK(error_of([] { rms_norm(Var()); }) == "rms_norm: the input is undefined");
  CHECK(error_of([] {
          rms_norm(Tensor::zeros({2, 0}));
        }) == "rms_norm: the input has shape [2 0], expected a last axis of at least one element");
  CHECK(error_of([&] { rms_norm(x, Tensor::zeros({2})); }) ==
        "rms_norm: the weight has shape [2], expected [3]");
  CHECK(error_of([&] { rms_norm(x, {}, {.eps = -1.0}); }) ==
        "rms_norm: eps is -1, expected at least 0");
  CHECK(contains(error_of([&] { rms_norm(x, Tensor::zeros({3}, DType::float64)); }),
                 "x is float32 but weight is float64"));
  CHECK(error_of([] { RMSNorm(0); }) == "RMSNorm: over 0 channels");
  RMSNorm layer(3);
  layer.initialise(Rng(1));
  CHECK(same_bits(layer(x).value(), rms_norm(x, Tensor::full({3}, 1)).value()));
}
