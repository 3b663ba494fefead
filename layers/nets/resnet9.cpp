#include <pliant/layers/nets/resnet9.h>

#include <string>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/activation.h>
#include <pliant/layers/pool2d.h>

namespace pliant {
namespace {

constexpr int kStages = 3;

// 3x3, BatchNorm, ReLU.
Sequential conv_norm_relu(std::int64_t in, std::int64_t out, const DeformableStages& deformable,
                          int stage) {
  Sequential part;
  add_conv(part, in, out,
           {.kernel = 3,
            .padding = 1,
            .bias = Bias::no,
            .initialiser = init::kaiming_normal({.fan = init::Fan::in})},
           deformable, stage);
  part.add(BatchNorm2d(out));
  part.add(Relu());
  return part;
}

const ResNet9Options& checked(const ResNet9Options& options) {
  require(options.classes >= 1 && options.channels >= 1 && options.width >= 1,
          "ResNet9: ", options.classes, " classes, ", options.channels, " channels, width ",
          options.width, ", expected at least 1 of each");
  require(!options.deformable.extra_last_stage, "ResNet9: has no extra layers");
  check_stages("ResNet9", options.deformable, kStages);
  return options;
}

}  // namespace

ResNet9::ResNet9(const ResNet9Options& options)
    : options_(checked(options)),
      stem_(own("stem", conv_norm_relu(options.channels, options.width, {}, 0))) {
  std::int64_t in = options.width;
  for (int stage = 1; stage <= kStages; ++stage) {
    layers_.push_back(own("layer" + std::to_string(stage), make_stage(in, 2 * in, stage)));
    in *= 2;
  }
  fc_ = own("fc", Linear(in, options.classes, {.bias = Bias::no}));
}

Sequential ResNet9::make_stage(std::int64_t in, std::int64_t out, int stage) const {
  Sequential layer;
  layer.add("conv", conv_norm_relu(in, out, options_.deformable, stage));
  layer.add("pool", MaxPool2d());
  if (stage == 2) return layer;
  Sequential body;
  for (int i = 0; i < 2; ++i) body.add(conv_norm_relu(out, out, options_.deformable, stage));
  layer.add("residual", Residual(std::move(body)));
  return layer;
}

Var ResNet9::operator()(const Var& images) const {
  const ErrorPlace here(path());
  Var h = stem_(images);
  for (const Sequential& layer : layers_) h = layer(h);
  return (*fc_)(max(h, {1, 2})) * options_.logit_scale;
}

}  // namespace pliant
