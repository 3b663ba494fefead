// Maps made larger (or smaller) by interpolation.
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

enum class UpsampleMode : unsigned char { nearest, bilinear, bicubic, nearest_exact };

// A factor for the height and one for the width; one number stands for both.
struct Scale2 {
  double h = 1, w = 1;
  constexpr Scale2(double both) : h(both), w(both) {}  // NOLINT(google-explicit-constructor)
  constexpr Scale2(double height, double width) : h(height), w(width) {}
};

// Exactly one of size and scale is given.
struct UpsampleOptions {
  Size2 size = 0;    // P x Q of the result
  Scale2 scale = 0;  // P = floor(H scale.h), Q = floor(W scale.w), each at least 1
  UpsampleMode mode = UpsampleMode::nearest;
  // Of bilinear and bicubic: whether the centres of the corner pixels keep their places, or the
  // corners of the map do.
  bool align_corners = false;
  // Of the same two, without align_corners: where the map is made smaller, pixels are averaged by a
  // filter as wide as the result's pixels are apart.
  bool antialias = false;
};

// x [N H W C] -> [N P Q C]. With s = H/P, or 1/scale where a scale is given, row p of the result is
//   nearest:                  row floor(p s), at most H-1
//   bilinear:                 interpolated at (p + 0.5) s - 0.5, clamped to [0, H-1]
//   bilinear, align_corners:  interpolated at p (H-1)/(P-1), 0 if P = 1
//   bicubic:                  at the same places, not clamped, between four rows, of which those
//                             beyond the map are its first or last (Keys' kernel, a = -0.75)
//   nearest_exact:            row floor((p + 0.5) s)
//   antialias:                sum over rows i of f((i + 0.5 - (p + 0.5) s) / max(s, 1)) over the sum
//                             of these weights, f the triangle (bilinear) or Keys' kernel with a =
//                             -0.5 (bicubic), as PIL has them
// and columns alike (PyTorch's rules). A scale that leaves H as it is, or with nearest doubles it,
// is s = H/P too: 2 rows by 1.1 are copied (PyTorch again). p s is a whole number where the scale
// as it is written makes it one: row 33 by 1.1 is row 30. When made smaller without
// antialias, pixels between are left out.
Var upsample2d(const Var& x, const UpsampleOptions& options);

}  // namespace pliant
