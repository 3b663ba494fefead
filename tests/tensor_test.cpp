#include <doctest/doctest.h>

#include <pliant/core/eigen.h>
#include <pliant/core/random.h>
#include <pliant/core/tensor.h>

using namespace pliant;

TEST_CASE("a tensor is a handle") {
  Tensor a = Tensor::from({1.0f, 2.0f, 3.0f, 4.0f}, {2, 2});
  Tensor b = a;
  b.mutable_data<float>()[0] = 9;
  CHECK(a.to_vector() == std::vector<double>{9, 2, 3, 4});
  CHECK(a.clone().version() != a.version() + 100);
  CHECK(a.slice(1, 2).to_vector() == std::vector<double>{3, 4});
  CHECK(a.reshape({-1}).shape() == Shape{4});
}
