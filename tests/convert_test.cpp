#include <pliant/autograd/ops/convert.h>

#include <pliant/tests/cases/convert.h>
#include <pliant/tests/integer_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("convert: gradients, threads") { check(convert_cases()); }

// Not a case for a GPU, where nothing looks at the elements to see whether they fit.
TEST_CASE("convert: integers to int32 and back") {
  check(integer_cases({{"to int32 and back", [](const Var& a, const Var&) {
                          return convert(convert(a, DType::int32), DType::int64);
                        }}}));
}

TEST_CASE("convert: to another dtype a copy, to its own the same handle") {
  const Tensor x = Tensor::zeros({2});
  CHECK(convert(x, DType::float32).value().shares_storage_with(x));
  CHECK_FALSE(convert(x, DType::float64).value().shares_storage_with(x));
}
