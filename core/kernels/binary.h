// Element-wise arithmetic of two tensors with NumPy broadcasting.
#pragma once

#include <cstdint>

#include <pliant/core/portable.h>
#include <pliant/core/shape.h>

namespace pliant {

enum class BinaryOp : unsigned char { add, sub, mul, div };

template <class T>
PLIANT_HD T apply(BinaryOp op, T a, T b) {
  switch (op) {
    case BinaryOp::add:
      return a + b;
    case BinaryOp::sub:
      return a - b;
    case BinaryOp::mul:
      return a * b;
    case BinaryOp::div:
      return a / b;
  }
  return a;
}

// The output's extents, outermost first, and how far one step along each moves in a and b (in
// elements; 0 where that operand is broadcast). Neighbouring axes that can be walked as one are
// merged, so equal shapes have rank 1.
struct BroadcastGeometry {
  int rank = 0;  // at least 1
  std::int64_t extent[Shape::kMaxRank];
  std::int64_t a_stride[Shape::kMaxRank];
  std::int64_t b_stride[Shape::kMaxRank];

  PLIANT_HD std::int64_t size() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank; ++i) product *= extent[i];
    return product;
  }
};

// The shape of a result of a and b; shapes that do not fit are an Error naming `op`.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);
// a and b must both broadcast to `out`.
BroadcastGeometry broadcast_geometry(const Shape& out, const Shape& a, const Shape& b);

// y may be a or b itself when that one is not broadcast.
template <class T>
using Binary = void(BinaryOp, const BroadcastGeometry&, const T* a, const T* b, T* y);

namespace cpu {
Binary<float> binary;
Binary<double> binary;
}  // namespace cpu

namespace cuda {
Binary<float> binary;
Binary<double> binary;
}  // namespace cuda

}  // namespace pliant
