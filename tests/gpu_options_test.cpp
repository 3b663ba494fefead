// The choices about the GPU, which any machine can make.
#include <doctest/doctest.h>

#include <pliant/core/gpu_options.h>

using namespace pliant;

TEST_CASE("gpu_options: nothing is given up unless asked, and what is not named is not kept") {
  CHECK(gpu_options().precision == Precision::full);
  CHECK(gpu_options().scatter == Scatter::ordered);
  CHECK(gpu_options().convolution == ConvPath::automatic);
  set_gpu_options({.precision = Precision::tf32, .scatter = Scatter::atomic});
  CHECK(gpu_options().precision == Precision::tf32);
  CHECK(gpu_options().scatter == Scatter::atomic);
  set_gpu_options({.convolution = ConvPath::columns});
  CHECK(gpu_options().precision == Precision::full);
  CHECK(gpu_options().scatter == Scatter::ordered);
  CHECK(gpu_options().convolution == ConvPath::columns);
  set_gpu_options({});
  CHECK(gpu_options().convolution == ConvPath::automatic);
}
