#include <cmath>

#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("makers: arange, linspace, eye") {
  CHECK(Tensor::arange(4).to_vector() == std::vector<double>{0, 1, 2, 3});
  CHECK(Tensor::arange(4).dtype() == DType::int64);
  CHECK(Tensor::arange(2, 9, 3).to_vector() == std::vector<double>{2, 5, 8});
  CHECK(Tensor::arange(5, 0, -2).to_vector() == std::vector<double>{5, 3, 1});
  CHECK(Tensor::arange(3, 3).size() == 0);
  CHECK(Tensor::arange(-3).size() == 0);
  CHECK(Tensor::linspace(0, 1, 5, DType::float64).to_vector() ==
        std::vector<double>{0, 0.25, 0.5, 0.75, 1});
  CHECK(Tensor::linspace(3, 1, 1).to_vector() == std::vector<double>{3});
  const std::vector<double> thirds = Tensor::linspace(-1, 1, 4, DType::float64).to_vector();
  CHECK(thirds.front() == -1);
  CHECK(thirds.back() == 1);
  CHECK(thirds[1] == -thirds[2]);
  CHECK(Tensor::eye(2, DType::bfloat16).to_vector() == std::vector<double>{1, 0, 0, 1});
  CHECK(error_of([] { Tensor::arange(0, 3, 0); }) == "arange: the step is 0");
  CHECK(contains(error_of([] { Tensor::linspace(0, 1, -1); }), "linspace: -1 numbers"));
  CHECK(contains(error_of([] { Tensor::linspace(0, 1, 2, DType::int64); }), "int64"));
  CHECK(contains(error_of([] { Tensor::eye(-1); }), "eye: -1 rows"));
  CHECK(error_of([] { Tensor::arange(0, INT64_MAX); }) != "");
  CHECK(error_of([] { Tensor::arange(0, INT64_MIN, -1); }) != "");
  CHECK(error_of([] { Tensor::arange(INT64_MIN, INT64_MAX); }) != "");
  CHECK(Tensor::arange(1, 0, INT64_MIN).to_vector() == std::vector<double>{1});
}

TEST_CASE("makers: random numbers by key and index") {
  const Rng rng(3);
  const Tensor uniform = Tensor::rand({100000}, rng), normal = Tensor::randn({100000}, rng);
  CHECK(uniform.data<float>()[17] == rng.uniform(17));
  CHECK(Tensor::rand({3}, rng, DType::float64).to_vector()[2] == rng.uniform(2, 0, 1));
  CHECK(normal.data<float>()[17] == static_cast<float>(rng.normal(17)));
  double sum = 0, squares = 0;
  for (const float value : normal.span<float>()) sum += value, squares += value * value;
  CHECK(std::abs(sum / 1e5) < 0.02);
  CHECK(std::abs(squares / 1e5 - 1) < 0.03);
  for (const float value : uniform.span<float>()) REQUIRE((value >= 0 && value < 1));
  CHECK(same_bits(Tensor::randn({4}, rng), normal.slice(0, 4).clone()));  // a longer one goes on
  const Tensor dice = Tensor::randint(1, 7, {6000}, rng);
  int counts[7] = {};
  for (const std::int64_t face : dice.span<std::int64_t>()) {
    REQUIRE((face >= 1 && face < 7));
    ++counts[face];
  }
  for (int face = 1; face < 7; ++face) CHECK(std::abs(counts[face] - 1000) < 150);
  CHECK(Tensor::randint(INT64_MIN, INT64_MAX, {2}, rng).size() == 2);
  CHECK(error_of([&] { Tensor::randint(2, 2, {1}, rng); }) ==
        "randint: no numbers from 2 to below 2");
}

TEST_CASE("rng: a key that was written down gives the same numbers") {
  const Rng rng = Rng(7).fork("noise").fork(3);
  const Rng again = Rng::from_key(rng.key());
  CHECK(again.bits(11) == rng.bits(11));
  CHECK(again.fork("x").key() == rng.fork("x").key());
}
