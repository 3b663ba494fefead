#include <pliant/layers/dcn_v3.h>

#include <cmath>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/core/sizes.h>
#include <pliant/layers/internal/dcn_window.h>

namespace pliant {
namespace {

std::int64_t checked(std::int64_t channels, const DCNv3Options& options) {
  require(options.groups >= 1 && channels >= 1 && channels % options.groups == 0,
          "DCNv3: ", channels, " channels do not divide into ", options.groups, " groups");
  require(options.depthwise_kernel >= 1, "DCNv3: a depthwise convolution of side ",
          options.depthwise_kernel);
  require(options.center_feature == CenterFeature::none || options.stride == Size2(1),
          "DCNv3: a blended centre feature needs stride 1, got ", options.stride.h, " x ",
          options.stride.w);
  return channels;
}

// Masks of one location.
std::int64_t pairs(const DCNv3Options& options) {
  require(options.kernel.h >= 1 && options.kernel.w >= 1, "DCNv3: the kernel is empty (",
          options.kernel.h, " x ", options.kernel.w, ")");
  const std::int64_t taps = checked_product("DCNv3", {options.kernel.h, options.kernel.w});
  const std::int64_t used = options.center == CenterTap::remove ? taps - 1 : taps;
  require(used >= 1, "DCNv3: a kernel of ", options.kernel.h, " x ", options.kernel.w,
          " has no taps");
  return checked_product("DCNv3", {options.groups, used});
}

Linear xavier(std::int64_t channels) {
  const double bound = std::sqrt(3.0 / static_cast<double>(channels));  // sqrt(6 / (in + out))
  return Linear(channels, channels, {.initialiser = init::uniform(bound)});
}

Linear zero(std::int64_t channels, std::int64_t out) {
  return Linear(channels, out, {.initialiser = init::zeros()});
}

}  // namespace

DCNv3::DCNv3(std::int64_t channels, const DCNv3Options& options)
    : options_(options),
      input(own("input", xavier(checked(channels, options)))),
      depthwise(own("depthwise", Conv2d(channels, channels,
                                        {.kernel = options.depthwise_kernel,
                                         .stride = options.stride,
                                         .padding = (options.depthwise_kernel - 1) / 2,
                                         .groups = channels,
                                         .initialiser = init::uniform(
                                             1 / static_cast<double>(options.depthwise_kernel))}))),
      norm(own("norm", LayerNorm(channels, {.eps = 1e-6}))),
      offset(own("offset", zero(channels, checked_product("DCNv3", {2, pairs(options)})))),
      mask(own("mask", zero(channels, pairs(options)))),
      output(own("output", xavier(channels))) {
  if (options_.center_feature == CenterFeature::blended)
    gate = own("gate", zero(channels, options_.groups));
}

Var DCNv3::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var value = input(x), branch = gelu(norm(depthwise(x)));
  const Var offsets = offset(branch), masks = mask(branch);
  Var core = dcn_v3(value, offsets, masks, options_.core());
  if (gate) {
    const Shape s = core.shape();
    const std::int64_t g = options_.groups;
    const Shape grouped{s[0], s[1], s[2], g, s[3] / g};
    const Var share = reshape(sigmoid((*gate)(branch)), Shape{s[0], s[1], s[2], g, 1});
    const Var kept = reshape(core, grouped);
    core = reshape(kept + (reshape(value, grouped) - kept) * share, s);
  }
  const Var y = output(core);
  const std::int64_t work = core.size() * options_.kernel.h * options_.kernel.w * 4;
  if (Observer::current() == nullptr) return y;
  return observed("DCNv3", y, work, dcn_window(x.shape(), options_.core(), offsets, masks));
}

}  // namespace pliant
