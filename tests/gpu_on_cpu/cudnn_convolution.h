// A convolution as cuDNN's descriptors tell it.
#pragma once

#include <memory>

#include <pliant/tests/gpu_on_cpu/cudnn_descriptor.h>

namespace pliant::gpu_on_cpu {

struct Tensor {
  cudnnDataType_t type;
  std::vector<std::int64_t> sizes, strides;  // n c h w
  std::int64_t id, alignment;

  explicit Tensor(const Descriptor& from);
  std::int64_t size() const;
  std::int64_t at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
    return n * strides[0] + c * strides[1] + h * strides[2] + w * strides[3];
  }
};

enum class Pass : unsigned char { forward, data, filter };

struct Convolution {
  Pass pass;
  Tensor x, w, y;
  std::vector<std::int64_t> stride, dilation, before, after;
  cudnnDataType_t compute;
  cudnnConvolutionMode_t mode;

  Convolution(Pass pass_, const Descriptor& x_, const Descriptor& w_, const Descriptor& y_,
              const Descriptor& how);

  // Whether the sizes are those of a convolution, in the precision that its data need.
  bool fits() const;
  // Writes what the pass computes; the arrays are those of x, w and y.
  void run(void* of_x, void* of_w, void* of_y) const;
};

// Null where the descriptor is no operation's; std::out_of_range where one lacks what it must have.
std::unique_ptr<Convolution> convolution_of(const Descriptor& operation);

}  // namespace pliant::gpu_on_cpu
