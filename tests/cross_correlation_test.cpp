#include <pliant/autograd/ops/cross_correlation.h>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/tests/cases/cross_correlation.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor by_definition(const Tensor& x, const Tensor& z) {
  const std::int64_t c = x.dim(3), p = x.dim(1) - z.dim(1) + 1, q = x.dim(2) - z.dim(2) + 1;
  Tensor y = Tensor::zeros({x.dim(0), p, q, c}, DType::float64);
  for (std::int64_t at = 0; at < y.size(); ++at) {
    const std::int64_t n = at / (p * q * c), i = at / (q * c) % p, j = at / c % q;
    for (std::int64_t r = 0; r < z.dim(1); ++r)
      for (std::int64_t s = 0; s < z.dim(2); ++s)
        y.mutable_data<double>()[at] +=
            x.data<double>()[((n * x.dim(1) + i + r) * x.dim(2) + j + s) * c + at % c] *
            z.data<double>()[((n * z.dim(1) + r) * z.dim(2) + s) * c + at % c];
  }
  return y;
}

}  // namespace

TEST_CASE("cross_correlation_depthwise agrees with its definition") {
  for (const CorrelationCase& c : cross_correlation_shapes()) {
    CAPTURE(c.name);
    const Tensor x = random(c.search, 1), z = random(c.pattern, 2);
    CHECK(max_difference(cross_correlation_depthwise(x, z).value(), by_definition(x, z)) < 1e-12);
  }
}

TEST_CASE("cross_correlation_depthwise: gradients at edge shapes, threads") {
  check(cross_correlation_cases());
}

TEST_CASE("cross_correlation_depthwise of one image is a depthwise conv2d") {
  const Tensor x = random({1, 9, 8, 18}, 1), z = random({1, 3, 4, 18}, 2);
  Tensor weight = Tensor::empty({18, 3, 4, 1}, DType::float64);
  for (std::int64_t tap = 0; tap < 12; ++tap)
    for (std::int64_t c = 0; c < 18; ++c)
      weight.mutable_data<double>()[c * 12 + tap] = z.data<double>()[tap * 18 + c];
  CHECK(max_difference(cross_correlation_depthwise(x, z).value(),
                       conv2d(x, weight, {}, {.groups = 18}).value()) == 0);
}

TEST_CASE("cross_correlation_depthwise: bad arguments") {
  const auto message = [](const Var& search, const Var& pattern) {
    return error_of([&] { cross_correlation_depthwise(search, pattern); });
  };
  const Var x(random({2, 5, 6, 3}, 1));
  CHECK(message(x, random({2, 3, 3, 4}, 2)) ==
        "cross_correlation_depthwise: search [2 5 6 3] and pattern [2 3 3 4] must have the same "
        "images and channels");
  CHECK(contains(message(x, random({1, 3, 3, 3}, 2)), "the same images and channels"));
  CHECK(contains(message(x, random({2, 6, 3, 3}, 2)),
                 "the pattern is 6 x 3 but the search map only 5 x 6"));
  CHECK(contains(message(x, random({2, 0, 3, 3}, 2)), "the pattern [2 0 3 3] is empty"));
  CHECK(contains(message(x, random({3, 3, 3}, 2)), "the pattern has shape [3 3 3]"));
  CHECK(contains(message(Var(), x), "the search map is undefined"));
  CHECK(contains(message(x, random({2, 3, 3, 3}, 2, -1, 1, DType::float32)), "is float64 but "));
}
