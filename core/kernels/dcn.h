// The cores of DCN v3 (Wang 2022) and v4 (Xiong 2024): geometry, formula and signatures.
//
//   y[n,p,q,c] = sum over taps t of mask[n,p,q,g,t] * S_c(row(p,t) + s * dy, column(q,t) + s * dx)
//
// with g = c / (C/groups), s = offset_scale and zero-padded bilinear S; there are no weights. As
// published, taps go column by column (kx outer, ky inner) and pairs are (dx, dy), the other way
// round than in deform_conv2d. With h = floor(dilation * (K-1) / 2),
//
//   row(p,t) = p * stride - pad + h + s * (ky * dilation - h).
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

enum class CenterTap : unsigned char { keep, remove };  // of the kernel: tap (R/2, S/2)

enum class MaskRule : unsigned char {
  as_given,
  softmax,  // over the masks of a group at a location
};

// Where the offsets and masks of (location, group) start, in elements of their tensors.
struct DCNLayout {
  std::int64_t location, group;
};

struct DCNGeometry {
  Conv2dGeometry conv;  // k = c; groups are the operator's
  double offset_scale = 1;
  CenterTap center = CenterTap::keep;
  MaskRule mask_rule = MaskRule::as_given;
  DCNLayout offsets, masks;

  PLIANT_HD std::int64_t taps() const {
    return conv.r * conv.s - (center == CenterTap::remove ? 1 : 0);
  }
  // The place of tap t in the whole kernel, column by column.
  PLIANT_HD std::int64_t place(std::int64_t t) const {
    const std::int64_t middle = conv.s / 2 * conv.r + conv.r / 2;
    return center == CenterTap::remove && t >= middle ? t + 1 : t;
  }
  // Where tap t reads, at output (0, 0) and without its offset.
  template <class T>
  PLIANT_HD T tap_row(std::int64_t t) const {
    return along<T>(conv.pad_top, conv.dilation_h, conv.r, place(t) % conv.r);
  }
  template <class T>
  PLIANT_HD T tap_column(std::int64_t t) const {
    return along<T>(conv.pad_left, conv.dilation_w, conv.s, place(t) / conv.r);
  }

 private:
  template <class T>
  PLIANT_HD T along(std::int64_t pad, std::int64_t dilation, std::int64_t kernel,
                    std::int64_t tap) const {
    const std::int64_t half = dilation * (kernel - 1) / 2;
    return static_cast<T>(half - pad) +
           static_cast<T>(offset_scale) * static_cast<T>(tap * dilation - half);
  }
};

// A location's coordinate: tap_row of its tap, its own place and its offset.
template <class T>
PLIANT_HD T dcn_coordinate(const DCNGeometry& g, T tap, std::int64_t out, std::int64_t stride,
                           T offset) {
  return tap + static_cast<T>(out * stride) + static_cast<T>(g.offset_scale) * offset;
}

// What a mask as it is stored is worth: itself, or its share in the softmax over its group.
template <class T>
struct DCNMask {
  T largest = 0, scale = 1;
  MaskRule rule = MaskRule::as_given;

  PLIANT_HD DCNMask(const DCNGeometry& g, const T* masks) : rule(g.mask_rule) {
    if (rule == MaskRule::as_given) return;
    largest = masks[0];
    for (std::int64_t t = 1; t < g.taps(); ++t) largest = masks[t] > largest ? masks[t] : largest;
    T sum = 0;
    for (std::int64_t t = 0; t < g.taps(); ++t) sum += std::exp(masks[t] - largest);
    scale = 1 / sum;
  }
  PLIANT_HD T operator()(T mask) const {
    return rule == MaskRule::as_given ? mask : std::exp(mask - largest) * scale;
  }
};

// x [n h w c], y [n p q c]. offset and mask as the layouts say; they may lie in one tensor.
template <class T>
using DCNForward = void(const DCNGeometry&, const T* x, const T* offset, const T* mask, T* y,
                        Workspace&);
// dx may be null; doffset and dmask are both null or neither is.
template <class T>
struct DCNGradientArgs {
  const T* x;
  const T* offset;
  const T* mask;
  const T* dy;
  T* dx;
  T* doffset;
  T* dmask;
};
template <class T>
using DCNGradient = void(const DCNGeometry&, const DCNGradientArgs<T>& args, Workspace&);

namespace cpu {
extern FloatKernel<DCNForward> dcn_forward;
extern FloatKernel<DCNGradient> dcn_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<DCNForward> dcn_forward;
extern FloatKernel<DCNGradient> dcn_gradient;
}  // namespace cuda

}  // namespace pliant
