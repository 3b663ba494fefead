// Max pooling over NHWC maps: geometry, formula and signatures.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

struct Pool2dGeometry {
  std::int64_t n, h, w, c;  // input [n h w c]
  std::int64_t r, s;        // the window's height and width in taps
  std::int64_t p, q;        // output [n p q c]
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;  // padding after is implied by p and q
  std::int64_t dilation_h = 1, dilation_w = 1;

  // Row (column) of the input that output row p (column q) reads through tap r (s).
  PLIANT_HD std::int64_t row(std::int64_t out, std::int64_t tap) const {
    return out * stride_h - pad_top + tap * dilation_h;
  }
  PLIANT_HD std::int64_t column(std::int64_t out, std::int64_t tap) const {
    return out * stride_w - pad_left + tap * dilation_w;
  }
};

// y and index [n p q c]: the largest pixel of each window and where it is in its map, row * w +
// column. A window without a pixel gives minus infinity and index -1. h * w is below 2^31.
template <class T>
using MaxPool2dForward = void(const Pool2dGeometry&, const T* x, T* y, std::int32_t* index);
template <class T>
using MaxPool2dGradient = void(const Pool2dGeometry&, const std::int32_t* index, const T* dy,
                               T* dx);

namespace cpu {
extern FloatingKernel<MaxPool2dForward> max_pool2d_forward;
extern FloatingKernel<MaxPool2dGradient> max_pool2d_gradient;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<MaxPool2dForward> max_pool2d_forward;
extern FloatingKernel<MaxPool2dGradient> max_pool2d_gradient;
}  // namespace cuda

}  // namespace pliant
