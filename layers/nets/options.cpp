#include <pliant/layers/nets/options.h>

#include <algorithm>
#include <span>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/layers/dcn_v3.h>
#include <pliant/layers/dcn_v4.h>

namespace pliant {
namespace {

bool deforms(const DeformableStages& deformable, int stage) {
  return std::count(deformable.stages.begin(), deformable.stages.end(), stage) > 0;
}

DeformConv2d deformable_conv(std::int64_t in, std::int64_t out, const Conv2dOptions& options,
                             const DeformableStages& deformable) {
  return DeformConv2d(in, out,
                      {.kernel = options.kernel,
                       .stride = options.stride,
                       .padding = options.padding,
                       .dilation = options.dilation,
                       .groups = options.groups,
                       .offset_groups = deformable.offset_groups,
                       .modulation = deformable.modulation,
                       .bias = options.bias,
                       .initialiser = options.initialiser});
}

// With its offsets at 0, whatever its branch says.
class HeldDCNv4 : public DCNv4 {
 public:
  using DCNv4::DCNv4;

  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    const Var branch = offset_mask((*depthwise)(x));
    const Tensor masks = masks_alone(branch.dim(-1)).to(branch.dtype()).to(branch.device());
    return (*output)(dcn_v4((*value)(x), branch * Var(masks), options().core()));
  }

 private:
  // 1 where the branch gives a mask, of which a group has one after two offsets for each tap.
  Tensor masks_alone(std::int64_t width) const {
    const std::int64_t taps = options().kernel.h * options().kernel.w;
    Tensor ones = Tensor::zeros({width});
    const std::span<float> to = ones.mutable_span<float>();
    for (std::int64_t i = 0; i < 3 * taps * options().groups; ++i)
      if (i % (3 * taps) >= 2 * taps) to[static_cast<std::size_t>(i)] = 1;
    return ones;
  }
};

}  // namespace

ExtraDeformConv2d::ExtraDeformConv2d(std::int64_t channels)
    : offset(
          own("offset",
              Conv2d(channels, 18,
                     {.kernel = 3, .padding = 1, .bias = Bias::no, .initialiser = init::zeros()}))),
      conv(own("conv", DeformConv2d(channels, channels,
                                    {.kernel = 3,
                                     .padding = 1,
                                     .offsets = Offsets::given,
                                     .bias = Bias::no,
                                     .initialiser = init::identity()}))) {}

Var ExtraDeformConv2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  return conv(x, offset(x));
}

Forward NetModule::own_dcn(const std::string& name, std::int64_t channels,
                           const Conv2dOptions& options, const DeformableStages& deformable) {
  constexpr std::int64_t kOfGroup = 16;  // channels
  const auto with = [&]<class Options>(Options dcn) {
    dcn.kernel = options.kernel;
    dcn.stride = options.stride;
    dcn.padding = options.padding;
    dcn.dilation = options.dilation;
    dcn.groups = channels % kOfGroup == 0 ? channels / kOfGroup : 1;
    return dcn;
  };
  if (deformable.kind == DeformableKind::dcn_v3)
    return forward_of(own(name, DCNv3(channels, with(DCNv3Options{}))));
  const DCNv4Options of_v4 = with(DCNv4Options{.depthwise_kernel = 3});
  if (deformable.held_offsets) return forward_of(own(name, HeldDCNv4(channels, of_v4)));
  return forward_of(own(name, DCNv4(channels, of_v4)));
}

Forward NetModule::own_conv(const std::string& name, std::int64_t in, std::int64_t out,
                            const Conv2dOptions& options, const DeformableStages& deformable,
                            int stage) {
  const bool is_dcn = deformable.kind != DeformableKind::deform_conv;
  if (is_dcn && in == out && deforms(deformable, stage))
    return own_dcn(name, in, options, deformable);
  if (is_dcn || !deforms(deformable, stage)) return forward_of(own(name, Conv2d(in, out, options)));
  return forward_of(own(name, deformable_conv(in, out, options, deformable)));
}

void add_conv(Sequential& layers, std::int64_t in, std::int64_t out, const Conv2dOptions& options,
              const DeformableStages& deformable, int stage) {
  if (deforms(deformable, stage))
    layers.add(deformable_conv(in, out, options, deformable));
  else
    layers.add(Conv2d(in, out, options));
}

void check_stages(const char* net, const DeformableStages& deformable, int count) {
  for (const int stage : deformable.stages) {
    require(stage >= 1 && stage <= count, net, ": stage ", stage, " deforms, but there are 1 to ",
            count);
    require(std::count(deformable.stages.begin(), deformable.stages.end(), stage) == 1, net,
            ": deformable stage ", stage, " is named twice");
  }
}

}  // namespace pliant
