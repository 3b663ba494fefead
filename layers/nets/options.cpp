#include <pliant/layers/nets/options.h>

#include <algorithm>

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

Forward NetModule::own_conv(const std::string& name, std::int64_t in, std::int64_t out,
                            const Conv2dOptions& options, const DeformableStages& deformable,
                            int stage) {
  if (!deforms(deformable, stage)) return forward_of(own(name, Conv2d(in, out, options)));
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
