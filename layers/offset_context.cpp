#include <pliant/layers/offset_context.h>

#include <algorithm>

#include <pliant/autograd/ops/activation.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

constexpr std::int64_t kDilation = 3;

// A 3x3 convolution that reaches at least as far as one of these options, about the same pixels.
Conv2dOptions wide_like(const Conv2dOptions& like) {
  constexpr const char* kWho = "OffsetContext";
  require_pixels(kWho, "the kernel", 1, {like.kernel.h, like.kernel.w});
  require_pixels(kWho, "the dilation", 1, {like.dilation.h, like.dilation.w});
  const Padding& padding = like.padding;
  require_pixels(kWho, "the padding", 0,
                 {padding.top, padding.bottom, padding.left, padding.right});
  const Size2 reach{like.dilation.h * (like.kernel.h - 1), like.dilation.w * (like.kernel.w - 1)};
  require(reach.h % 2 == 0 && reach.w % 2 == 0, "OffsetContext: a kernel of ", reach.h + 1, " x ",
          reach.w + 1, " pixels has no centre; its extents must be odd");
  const Size2 dilation{std::max(kDilation, reach.h / 2), std::max(kDilation, reach.w / 2)};
  const std::int64_t more_h = dilation.h - reach.h / 2, more_w = dilation.w - reach.w / 2;
  return {.kernel = 3,
          .stride = like.stride,
          .padding = {padding.top + more_h, padding.bottom + more_h, padding.left + more_w,
                      padding.right + more_w},
          .dilation = dilation};
}

}  // namespace

OffsetContext::OffsetContext(std::int64_t in_channels, std::int64_t channels,
                             const Conv2dOptions& like)
    : wide_(own("wide", Conv2d(in_channels, channels, wide_like(like)))),
      mix_(own("mix", Conv2d(channels, channels, {.kernel = 3, .padding = 1}))) {}

Var OffsetContext::operator()(const Var& x) const {
  const ErrorPlace here(path());
  return relu(mix_(relu(wide_(x))));
}

}  // namespace pliant
