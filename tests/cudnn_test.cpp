// What cuDNN is told, checked by cuDNN itself: descriptions need no GPU. What it makes of them does
// (cuda_test.cpp).
#ifdef PLIANT_WITH_CUDNN
#include <array>

#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/gpu_options.h>
#include <pliant/cuda/conv2d_cudnn.h>
#include <pliant/cuda/cudnn_graph.h>
#include <pliant/tests/cuda_cases.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// What comes of a pass on a machine without a GPU.
template <class T>
std::string refusal(cuda::ConvPass pass, const ConvCase& c) {
  alignas(16) static const std::array<char, 16> memory{};  // never read
  Workspace workspace(Device::cpu());
  const Conv2dGeometry g = conv_geometry("conv2d", c.x, c.weight, c.options);
  return error_of([&] {
    cuda::cudnn_conv2d<T>(pass, g, {memory.data(), memory.data(), memory.data()}, workspace);
  });
}

}  // namespace

TEST_CASE("cuda: cuDNN understands every convolution that it is told of") {
  if (Device::best().is_cuda()) return;  // then it computes them
  set_gpu_options({.convolution = ConvPath::cudnn});
  // The first thing that fails is what needs the GPU. Of an empty batch cuDNN is told nothing.
  for (const ConvCase& c : conv_shapes()) {
    if (c.x[0] == 0) continue;
    for (const auto pass : {cuda::ConvPass::forward, cuda::ConvPass::data_gradient,
                            cuda::ConvPass::weight_gradient}) {
      CAPTURE(c.name);
      CAPTURE(static_cast<int>(pass));
      for (const std::string& text :
           {refusal<float>(pass, c), refusal<double>(pass, c), refusal<BFloat16>(pass, c)})
        CHECK_MESSAGE(contains(text, "cudnnCreate failed"), text);
    }
  }
  set_gpu_options({});
}

TEST_CASE("cuda: cuDNN takes the arrays of a plan, with a workspace and without") {
  const std::array<std::int64_t, 3> ids = {1, 2, 3};
  const std::array<char, 4> memory{};
  const std::array<const void*, 3> arrays = {memory.data(), memory.data() + 1, memory.data() + 2};
  for (const void* const workspace :
       {static_cast<const void*>(nullptr), static_cast<const void*>(memory.data() + 3)})
    CHECK(cuda::make_pack(ids, arrays, workspace).get() != nullptr);
}
#endif
