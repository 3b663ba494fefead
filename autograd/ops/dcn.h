// The cores of DCN v3 (Wang et al. 2022, InternImage) and DCN v4 (Xiong et al. 2024).
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/kernels/dcn.h>

namespace pliant {

struct DCNOptions {
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  double offset_scale = 1;  // of the kernel's own taps round its middle and of the offsets alike
  CenterTap center = CenterTap::keep;
  MaskRule mask = MaskRule::as_given;
};

// A mean of samples, weighted by a mask, for each group of channels; no weights. Taps go column by
// column (kx outer, ky inner) and pairs are (dx, dy), as published. Tap (ky, kx) of output pixel
// (p, q) reads x at row p*stride - pad + h + s*(ky*dilation - h + dy), h = floor(dilation*(R-1)/2),
// s = offset_scale, the same for columns; bilinear on the zero-padded map, with right-hand
// derivatives at whole coordinates, -1 among them. P = R*S taps, or one less without the middle
// one. x [N H W C], offset [N P Q G*P*2], mask [N P Q G*P] -> [N P Q C].
Var dcn_v3(const Var& x, const Var& offset, const Var& mask, const DCNOptions& options = {});

// The same with offsets and masks in one tensor [N P Q dcn_v4_width(options)]: for each group 2P
// offsets, then P masks; what follows the last group is not read.
Var dcn_v4(const Var& x, const Var& offset_mask, const DCNOptions& options = {});

// 3GP rounded up to a multiple of 8.
std::int64_t dcn_v4_width(const DCNOptions& options);

}  // namespace pliant
