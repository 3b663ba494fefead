#include <pliant/autograd/ops/conv2d_per_image.h>

#include <pliant/tests/cases/conv2d_per_image.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("conv2d_per_image: gradients, threads") { check(conv2d_per_image_cases()); }

TEST_CASE("conv2d_per_image: each image by conv2d of its own kernel") {
  const Tensor x = random({3, 6, 5, 4}, 1), weight = random({3, 2, 3, 3, 4}, 2),
               bias = random({2}, 3);
  const Tensor y = conv2d_per_image(x, weight, bias, {.padding = 1}).value();
  for (std::int64_t n = 0; n < 3; ++n)
    CHECK(max_difference(
              y.slice(n, n + 1),
              conv2d(x.slice(n, n + 1).clone(),
                     weight.slice(n, n + 1).clone().reshape({2, 3, 3, 4}), bias, {.padding = 1})
                  .value()) < 1e-13);
  const Tensor expert = weight.slice(0, 1).clone();
  CHECK(contains(error_of([&] { conv2d_per_image(x, expert); }), "1 kernels for 3 images"));
}
