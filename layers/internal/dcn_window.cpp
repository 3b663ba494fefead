#include <pliant/layers/internal/dcn_window.h>

#include <algorithm>

namespace pliant {
namespace {

Tensor on_cpu(const Var& map) { return map.value().to(DType::float32).to(Device::cpu()); }

// As the op's own, but that groups begin where the caller says.
DCNGeometry geometry_of(const DCNOptions& options) {
  DCNGeometry geometry{};
  geometry.conv.r = options.kernel.h;
  geometry.conv.s = options.kernel.w;
  geometry.conv.pad_top = options.padding.top;
  geometry.conv.pad_left = options.padding.left;
  geometry.conv.dilation_h = options.dilation.h;
  geometry.conv.dilation_w = options.dilation.w;
  geometry.offset_scale = options.offset_scale;
  geometry.center = options.center;
  geometry.mask_rule = options.mask;
  return geometry;
}

// What a group at a location stores becomes its share of the window's offsets and mask.
void add_group(const DCNGeometry& g, const float* offsets, const float* masks, float* to_offsets,
               float* to_mask) {
  const DCNMask<float> worth(g, masks);
  for (std::int64_t t = 0; t < g.taps(); ++t) {
    const std::int64_t ky = g.place(t) % g.conv.r, kx = g.place(t) / g.conv.r;
    const std::int64_t tap = ky * g.conv.s + kx;
    const double y = dcn_coordinate<double>(g, g.tap_row<double>(t), 0, 0, offsets[2 * t + 1]);
    const double x = dcn_coordinate<double>(g, g.tap_column<double>(t), 0, 0, offsets[2 * t]);
    to_offsets[2 * tap] =
        static_cast<float>(y - static_cast<double>(ky * g.conv.dilation_h - g.conv.pad_top));
    to_offsets[2 * tap + 1] =
        static_cast<float>(x - static_cast<double>(kx * g.conv.dilation_w - g.conv.pad_left));
    to_mask[tap] = worth(masks[t]);
  }
}

// group_of(location, group) gives where its offsets and its masks are stored.
WindowCall window_of(const Shape& input, const DCNOptions& options, const Shape& stored,
                     const auto& group_of) {
  const DCNGeometry g = geometry_of(options);
  const std::int64_t groups = options.groups, taps = options.kernel.h * options.kernel.w;
  Tensor offsets = Tensor::zeros({stored[0], stored[1], stored[2], 2 * groups * taps}),
         mask = Tensor::zeros({stored[0], stored[1], stored[2], groups * taps});
  float *to_offsets = offsets.mutable_data<float>(), *to_mask = mask.mutable_data<float>();
  for (std::int64_t at = 0; at < stored[0] * stored[1] * stored[2]; ++at)
    for (std::int64_t group = 0; group < groups; ++group) {
      const auto [from_offsets, from_masks] = group_of(at, group);
      add_group(g, from_offsets, from_masks, to_offsets, to_mask);
      to_offsets += 2 * taps;
      to_mask += taps;
    }
  return {
      .input = input,
      .kernel = options.kernel,
      .conv = {.stride = options.stride, .padding = options.padding, .dilation = options.dilation},
      .offset_groups = groups,
      .offsets = offsets,
      .mask = mask};
}

}  // namespace

WindowCall dcn_window(const Shape& input, const DCNOptions& options, const Var& offset,
                      const Var& mask) {
  const Tensor offsets = on_cpu(offset), masks = on_cpu(mask);
  const std::int64_t taps = geometry_of(options).taps();
  return window_of(input, options, offsets.shape(), [&](std::int64_t at, std::int64_t group) {
    const std::int64_t first = (at * options.groups + group) * taps;
    return std::pair(offsets.data<float>() + 2 * first, masks.data<float>() + first);
  });
}

WindowCall dcn_window(const Shape& input, const DCNOptions& options, const Var& offset_mask) {
  const Tensor stored = on_cpu(offset_mask);
  const std::int64_t taps = geometry_of(options).taps(), width = stored.dim(3);
  return window_of(input, options, stored.shape(), [&](std::int64_t at, std::int64_t group) {
    const float* const first = stored.data<float>() + at * width + 3 * taps * group;
    return std::pair(first, first + 2 * taps);
  });
}

}  // namespace pliant
