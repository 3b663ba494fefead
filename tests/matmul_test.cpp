#include <pliant/autograd/ops/matmul.h>

#include <cmath>

#include <pliant/autograd/ops/activation.h>
#include <pliant/layers/linear.h>
#include <pliant/tests/cases/matmul.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The definition, for operands brought to the batch of the result by hand.
double by_definition(const MatmulCase& c, const Tensor& a, const Tensor& b, std::int64_t index) {
  const bool row = c.a.rank() == 1, column = c.b.rank() == 1;
  const std::int64_t k = a.dim(-1), m = row ? 1 : a.dim(-2), n = column ? 1 : b.dim(-1);
  const std::int64_t i = index / n % m, j = index % n, batch = index / (n * m);
  // Where the matrix of `shape` that belongs to the batch index starts.
  const auto matrix = [&](const Shape& shape, std::int64_t size) {
    const int axes = c.y.rank() - (row ? 0 : 1) - (column ? 0 : 1);
    std::int64_t rest = batch, at = 0, stride = size;
    for (int axis = axes - 1; axis >= 0; --axis) {
      const int own = axis - (axes - (shape.rank() - 2));
      if (own >= 0) {
        if (shape[own] > 1) at += rest % c.y[axis] * stride;
        stride *= shape[own];
      }
      rest /= c.y[axis];
    }
    return at;
  };
  const double* const left = a.data<double>() + matrix(c.a, m * k) + i * k;
  const double* const right = b.data<double>() + matrix(c.b, k * n) + j;
  double sum = 0;
  for (std::int64_t l = 0; l < k; ++l) sum += left[l] * right[l * n];
  return sum;
}

}  // namespace

TEST_CASE("matmul agrees with its definition under every broadcast") {
  for (const MatmulCase& c : matmul_shapes()) {
    CAPTURE(c.name);
    const Tensor a = random(c.a, 1), b = random(c.b, 2), y = matmul(a, b).value();
    REQUIRE(y.shape() == c.y);
    const std::vector<double> found = y.to_vector();
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(found[i] ==
            doctest::Approx(by_definition(c, a, b, static_cast<std::int64_t>(i))).epsilon(1e-12));
  }
}

TEST_CASE("matmul and linear: gradients under every broadcast, threads") { check(matmul_cases()); }

TEST_CASE("linear to no features has a gradient of zeros") {
  const Tape tape;
  const Var x = tape.variable(random({3, 4}, 1));
  const Var y = linear(x, random({0, 4}, 2));
  const Gradients gradients =
      tape.gradients(y, {}, {.cotangent = Tensor::zeros({3, 0}, DType::float64)});
  CHECK(max_difference(gradients[x], Tensor::zeros({3, 4}, DType::float64)) == 0);
}

TEST_CASE("linear with ReLU is relu(linear)") {
  struct Sizes {
    Shape x, weight;
  };
  for (const Sizes& sizes : std::vector<Sizes>{
           {{6, 5}, {7, 5}}, {{2, 3, 16}, {33, 16}}, {{1, 1}, {1, 1}}, {{0, 4}, {3, 4}}})
    for (const bool with_bias : {true, false}) {
      CAPTURE(sizes.x);
      const OpCase fused = linear_case(sizes.x, sizes.weight, with_bias, Activation::relu);
      OpCase apart = linear_case(sizes.x, sizes.weight, with_bias, Activation::none);
      apart.f = [f = apart.f](const Vars& v) { return relu(f(v)); };
      for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16}) {
        const std::vector<Tensor> one = run(fused, dtype), two = run(apart, dtype);
        REQUIRE(one.size() == two.size());
        for (std::size_t i = 0; i < one.size(); ++i) CHECK(max_difference(one[i], two[i]) == 0.0);
      }
    }
  // Second derivatives, as every product has; NaN stays NaN.
  CHECK(gradgradcheck([](const Vars& v) { return linear(v[0], v[1], v[2], Activation::relu); },
                      {random({3, 4}, 4), random({5, 4}, 5), random({5}, 6)})
            .passed);
  const Tensor bad = Tensor::full({1, 2}, std::nan(""));
  CHECK(std::isnan(linear(bad, Tensor::zeros({1, 2}), {}, Activation::relu).value().item()));
}

TEST_CASE("linear, the layer, applies its activation") {
  Linear layer(4, 6, {.activation = Activation::relu});
  layer.initialise(Rng(1));
  const Tensor x = random({3, 4}, 1, -1.0, 1.0, DType::float32);
  const Var plain = linear(x, layer.weight.value(), layer.bias.value());
  CHECK(max_difference(layer(x).value(), relu(plain).value()) == 0.0);
}

TEST_CASE("matmul: bad operands") {
  const auto message = [](const Var& a, const Var& b) { return error_of([&] { matmul(a, b); }); };
  CHECK(message(random({2, 3}, 1), random({4, 2}, 2)) ==
        "matmul: [2 3] times [4 2], expected [... M K] [... K N]");
  CHECK(contains(message(random({3}, 1), random({4}, 2)), "matmul: [3] times [4]"));
  CHECK(contains(message(random({}, 1), random({4}, 2)), "matmul: [] times [4]"));
  CHECK(contains(message(random({4}, 1), random({}, 2)), "matmul: [4] times []"));
  CHECK(contains(message(random({2, 3, 4}, 1), random({5, 4, 3}, 2)),
                 "matmul: the leading axes: shapes [2] and [5] do not broadcast"));
  CHECK(contains(message(random({2, 3}, 1), random({3, 2}, 2, -1, 1, DType::float32)),
                 "is float64 but "));
  CHECK(contains(message(random({2, 3}, 1), Var()), "matmul: operand b is undefined"));
}

TEST_CASE("matmul and linear: shapes that do not go together") {
  CHECK(error_of([] {
          linear(random({2, 3}, 1), random({5, 4}, 2));
        }) == "linear: input has 3 features but the weight expects 4 (input [2 3], weight [5 4])");
  CHECK(contains(error_of([] {
                   matmul(random({2, 3}, 1), random({4, 2}, 2));
                 }),
                 "matmul: [2 3] times [4 2]"));
  CHECK(contains(error_of([] {
                   linear(random({2, 3}, 1), random({5, 3}, 2), random({4}, 3));
                 }),
                 "bias has shape [4], expected [5]"));
}
