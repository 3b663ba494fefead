#include <pliant/layers/dcn_v4.h>

#include <cmath>

#include <pliant/layers/internal/dcn_window.h>

namespace pliant {
namespace {

// Of the branch that offsets and masks come from: zero.
Linear zero_branch(std::int64_t channels, const DCNv4Options& options) {
  require(options.groups >= 1 && channels >= 1 && channels % options.groups == 0,
          "DCNv4: ", channels, " channels do not divide into ", options.groups, " groups");
  require(options.kernel.h >= 1 && options.kernel.w >= 1, "DCNv4: the kernel is empty (",
          options.kernel.h, " x ", options.kernel.w, ")");
  const std::int64_t width = dcn_v4_width(options.core());
  require(width >= 1, "DCNv4: a kernel of 1 x 1 has no taps without its middle one");
  require(options.stride == Size2(1) || options.depthwise_kernel > 0, "DCNv4: a stride of ",
          options.stride.h, " x ", options.stride.w,
          " needs a depthwise convolution for the offsets (depthwise_kernel)");
  return Linear(channels, width, {.initialiser = init::zeros()});
}

Linear xavier(std::int64_t channels, Bias bias) {
  const double bound = std::sqrt(3.0 / static_cast<double>(channels));  // sqrt(6 / (in + out))
  return Linear(channels, channels, {.bias = bias, .initialiser = init::uniform(bound)});
}

}  // namespace

DCNv4::DCNv4(std::int64_t channels, const DCNv4Options& options)
    : options_(options), offset_mask(zero_branch(channels, options_)) {
  const std::int64_t side = options_.depthwise_kernel;
  require(side >= 0, "DCNv4: a depthwise convolution of side ", side);
  if (side > 0)
    depthwise =
        own("depthwise", Conv2d(channels, channels,
                                {.kernel = side,
                                 .stride = options_.stride,
                                 .padding = (side - 1) / 2,
                                 .groups = channels,
                                 .initialiser = init::uniform(1 / static_cast<double>(side))}));
  offset_mask = own("offset_mask", std::move(offset_mask));
  if (options_.pointwise == Pointwise::no) return;
  value = own("value", xavier(channels, Bias::yes));
  output = own("output", xavier(channels, options_.output_bias));
}

Var DCNv4::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var branch = offset_mask(depthwise ? (*depthwise)(x) : x);
  const Var core = dcn_v4(value ? (*value)(x) : x, branch, options_.core());
  const Var y = output ? (*output)(core) : core;
  const std::int64_t work = core.size() * options_.kernel.h * options_.kernel.w * 4;
  if (Observer::current() == nullptr) return y;
  return observed("DCNv4", y, work, dcn_window(x.shape(), options_.core(), branch));
}

}  // namespace pliant
