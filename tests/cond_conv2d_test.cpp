#include <pliant/autograd/ops/cond_conv2d.h>

#include <pliant/tests/cases/cond_conv2d.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("cond_conv2d: gradients, threads, one expert, and the mean of equal ones") {
  check(cond_conv2d_cases());
  const Tensor x = random({5, 6, 5, 3}, 1), weight = random({4, 3, 3, 3}, 2);
  const Tensor bias = random({4}, 3), one = Tensor::full({5, 1}, 1, DType::float64);
  const Tensor want = conv2d(x, weight, bias, {.stride = 2, .padding = 1}).value();
  const Tensor expert = weight.reshape({1, 4, 3, 3, 3});
  CHECK(max_difference(
            want, cond_conv2d(x, expert, one, bias, {.stride = 2, .padding = 1}).value()) < 1e-12);
  CHECK(
      cond_conv2d(random({0, 6, 5, 3}, 1), expert, Tensor::zeros({0, 1}, DType::float64)).shape() ==
      Shape{0, 4, 3, 4});
  CHECK(contains(error_of([&] {
                   cond_conv2d(x, expert, Tensor::zeros({5, 2}, DType::float64));
                 }),
                 "the routing has shape [5 2], expected [5 1]"));
}
