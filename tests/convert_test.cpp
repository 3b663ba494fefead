#include <pliant/autograd/ops/convert.h>

#include <pliant/tests/cases/convert.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("convert: gradients, threads") { check(convert_cases()); }

TEST_CASE("convert: to another dtype a copy, to its own the same handle") {
  const Tensor x = Tensor::zeros({2});
  CHECK(convert(x, DType::float32).value().shares_storage_with(x));
  CHECK_FALSE(convert(x, DType::float64).value().shares_storage_with(x));
}
