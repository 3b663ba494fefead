#include <pliant/autograd/ops/global_deform_kernel.h>

#include <limits>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/global_deform_kernel.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, DType::float64); }

}  // namespace

TEST_CASE("global_deform_kernel: gradients, threads, an empty batch, and places beyond the scope") {
  check(global_deform_kernel_cases());
  const Tensor weight = random({2, 3, 4, 2}, 1);
  const double infinity = std::numeric_limits<double>::infinity();
  const auto kernel = [&](double dy, double dx) {
    const Tape tape;
    const Var offset = tape.variable(Tensor::from({dy, dx}, {1, 2}));
    const Var y = kernels_of_scope(weight, offset, 1);
    if (std::fabs(dy) > 4) CHECK(tape.gradients(sum(y))[offset].to_vector()[0] == 0);
    return y.value().to_vector();
  };
  const auto corner = [&](std::int64_t u, std::int64_t v) {  // of weight, for both outputs
    std::vector<double> values;
    for (std::int64_t k = 0; k < 2; ++k)
      for (std::int64_t c = 0; c < 2; ++c)
        values.push_back(weight.data<double>()[((k * 3 + u) * 4 + v) * 2 + c]);
    return values;
  };
  for (const double far : {5.0, 1e18, infinity}) {
    CHECK(kernel(far, far) == corner(2, 3));
    CHECK(kernel(-far, far) == corner(0, 3));
  }
  CHECK(kernel(std::nan(""), 0) == std::vector<double>(4, 0.0));
  CHECK(contains(error_of([&] {
                   global_deform_kernel(random({2, 4, 4, 2}, 1), zeros({2, 9}), weight, 3);
                 }),
                 "the offset has shape [2 9], expected [2 18]"));
  CHECK(contains(error_of([&] {
                   global_deform_kernel(random({2, 4, 4, 2}, 1), zeros({3, 18}), weight, 3);
                 }),
                 "offsets of 3 images for 2 images"));
}
