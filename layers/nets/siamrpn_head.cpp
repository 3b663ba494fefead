#include <pliant/layers/nets/siamrpn_head.h>

#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/core/sizes.h>
#include <pliant/layers/activation.h>

namespace pliant {
namespace {

SiamRPNHeadOptions checked(const char* who, const SiamRPNHeadOptions& options) {
  require_pixels(who, "channels, hidden and anchors", 1,
                 {options.channels, options.hidden, options.anchors});
  checked_product(who, {4, options.anchors, options.channels, 9, options.channels});
  return options;
}

Sequential convolved(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return Sequential(Conv2d(in, out, {.kernel = kernel, .bias = Bias::no}), BatchNorm2d(out),
                    Relu());
}

Sequential head(std::int64_t hidden, std::int64_t out) {
  Sequential layers = convolved(hidden, hidden, 1);
  layers.add(Conv2d(hidden, out, {.kernel = 1}));
  return layers;
}

}  // namespace

DepthwiseRPNHead::DepthwiseRPNHead(const SiamRPNHeadOptions& options)
    : z_cls_(own("z_cls",
                 convolved(checked("DepthwiseRPNHead", options).channels, options.hidden, 3))),
      z_loc_(own("z_loc", convolved(options.channels, options.hidden, 3))),
      x_cls_(own("x_cls", convolved(options.channels, options.hidden, 3))),
      x_loc_(own("x_loc", convolved(options.channels, options.hidden, 3))),
      h_cls_(own("h_cls", head(options.hidden, 2 * options.anchors))),
      h_loc_(own("h_loc", head(options.hidden, 4 * options.anchors))) {}

SiamRPNOutput DepthwiseRPNHead::operator()(const Var& pattern, const Var& search) const {
  const ErrorPlace here(path());
  return {h_cls_(cross_correlation_depthwise(x_cls_(search), z_cls_(pattern))),
          h_loc_(cross_correlation_depthwise(x_loc_(search), z_loc_(pattern)))};
}

UpChannelRPNHead::UpChannelRPNHead(const SiamRPNHeadOptions& options)
    : z_cls(own("z_cls", Conv2d(checked("UpChannelRPNHead", options).channels,
                                2 * options.anchors * options.channels))),
      z_loc(own("z_loc", Conv2d(options.channels, 4 * options.anchors * options.channels))),
      x_cls(own("x_cls", Conv2d(options.channels, options.channels))),
      x_loc(own("x_loc", Conv2d(options.channels, options.channels))),
      adjust(own("adjust", Conv2d(4 * options.anchors, 4 * options.anchors, {.kernel = 1}))) {}

SiamRPNOutput UpChannelRPNHead::operator()(const Var& pattern, const Var& search) const {
  const ErrorPlace here(path());
  return {cross_correlation(x_cls(search), z_cls(pattern)),
          adjust(cross_correlation(x_loc(search), z_loc(pattern)))};
}

}  // namespace pliant
