#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <pliant/core/eigen.h>
#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("a tensor is a handle") {
  Tensor a = Tensor::from({1.0f, 2.0f, 3.0f, 4.0f}, {2, 2});
  Tensor b = a;
  b.mutable_data<float>()[0] = 9;
  CHECK(a.to_vector() == std::vector<double>{9, 2, 3, 4});
  CHECK(a.clone().version() != a.version() + 100);
  CHECK(a.slice(1, 2).to_vector() == std::vector<double>{3, 4});
  CHECK(a.reshape({-1}).shape() == Shape{4});
}

TEST_CASE("tensor: overlapping views copy as if by way of another") {
  const Tensor t = Tensor::arange(100);
  const Tensor from = t.slice(0, 99);
  Tensor to = t.slice(1, 100);
  to.copy_from(from);
  for (std::int64_t i = 1; i < 100; ++i) CHECK(t.to_vector()[static_cast<std::size_t>(i)] == i - 1);
}

TEST_CASE("shape: negative axes count from the end, others are Errors") {
  Shape shape{2, 3, 4};
  CHECK(shape[-1] == 4);
  CHECK(shape[-3] == 2);
  CHECK(shape.back() == 4);
  for (const int axis : {-4, 3, 8})
    CHECK(contains(error_of([&] { static_cast<void>(shape[axis]); }), "is out of range"));
  CHECK(contains(error_of([] { static_cast<void>(Shape().back()); }), "is out of range"));
}

TEST_CASE("makers: the ends of what numbers hold") {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  const Tensor low = Tensor::arange(kLeast, kLeast + 3);
  CHECK(low.size() == 3);
  CHECK(low.data<std::int64_t>()[2] == kLeast + 2);
  CHECK(Tensor::arange(0, 10, kLeast).size() == 0);
  CHECK(Tensor::arange(5, kLeast + 5, kLeast).size() == 1);
  CHECK(Tensor::arange(10, 0, -3).to_vector() == std::vector<double>{10, 7, 4, 1});

  const Tensor wide = Tensor::linspace(-1.7e308, 1.7e308, 3, DType::float64);
  CHECK(wide.to_vector() == std::vector<double>{-1.7e308, 0, 1.7e308});
  CHECK(contains(error_of([] { Tensor::linspace(0, HUGE_VAL, 3); }), "expected finite numbers"));

  const Tensor drawn = Tensor::rand({100000}, Rng(1), DType::bfloat16);
  const std::vector<double> values = drawn.to_vector();
  CHECK(*std::max_element(values.begin(), values.end()) < 1);
  CHECK(*std::min_element(values.begin(), values.end()) >= 0);
}
