#include <pliant/autograd/ops/activation.h>

#include <pliant/tests/cases/activation.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("activation: gradients, threads") { check(activation_cases()); }

TEST_CASE("activation: values, NaN, what is kept, what is refused") {
  check_functions(activations());
}

TEST_CASE("activation: large arguments overflow nothing") {
  const auto tangent = [](const Var& x) { return tanh(x); };
  for (const DType dtype : {DType::float32, DType::float64}) {
    const double tiny = dtype == DType::float32 ? 1e-7 : 1e-15;
    CHECK(value_at(softplus, 1e4, dtype) == 1e4);
    CHECK(value_at(softplus, -1e4, dtype) == 0);
    CHECK(value_at(softplus, -40, dtype) == doctest::Approx(std::exp(-40.0)).epsilon(tiny));
    CHECK(value_at(silu, 1e4, dtype) == 1e4);
    CHECK(value_at(silu, -1e4, dtype) == 0);
    CHECK(value_at(tangent, 1e4, dtype) == 1);
    CHECK(value_at(gelu, 1e4, dtype) == 1e4);
    CHECK(value_at(gelu, -1e4, dtype) == 0);
    CHECK(value_at(sigmoid, -1e4, dtype) == 0);
  }
  // Far in the tail the exact form keeps its digits: x Q(-x), Q(10) = 7.619853024160527e-24.
  CHECK(value_at(gelu, -10) == doctest::Approx(-7.619853024160527e-23).epsilon(1e-12));
  for (const auto& op : {softplus, silu, gelu, sigmoid})
    for (const double x : {-1e30, -1e4, 1e4, 1e30}) CHECK(std::isfinite(slope_at(op, x)));
  CHECK(sigmoid(Tensor::from({-1000.0, 0.0, 1000.0}, {3})).value().to_vector() ==
        std::vector<double>{0, 0.5, 1});
  const std::vector<double> y =
      gelu(Tensor::from({-40.0, -10.0, 0.0, 40.0}, {4})).value().to_vector();
  CHECK(y[0] == doctest::Approx(0));
  CHECK(y[1] == doctest::Approx(-7.61985302416e-23).epsilon(1e-9));
  CHECK(y[2] == 0);
  CHECK(y[3] == 40);
}

TEST_CASE("activation: derivatives at the kinks") {
  CHECK(slope_at(relu, 0) == 0);
  CHECK(slope_at([](const Var& x) { return leaky_relu(x, 0.2); }, 0) == 0.2);
}
