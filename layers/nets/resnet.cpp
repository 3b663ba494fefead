#include <pliant/layers/nets/resnet.h>

#include <string>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/pool2d.h>

namespace pliant {
namespace {

constexpr int kStages = 4;

Conv2dOptions conv_options(std::int64_t kernel, std::int64_t stride) {
  return {.kernel = kernel,
          .stride = stride,
          .padding = kernel / 2,
          .bias = Bias::no,
          .initialiser = init::kaiming_normal({.fan = init::Fan::out})};
}

std::int64_t expansion(ResNetBlockKind kind) { return kind == ResNetBlockKind::basic ? 1 : 4; }

}  // namespace

ResNetBlock::ResNetBlock(const ResNetBlockOptions& options) {
  const auto& [kind, in, width, stride, stage, deformable] = options;
  const std::int64_t out = width * expansion(kind);
  constexpr int kNone = 0;  // 1x1 convolutions are of no stage that deforms
  if (kind == ResNetBlockKind::basic) {
    add_step(in, width, conv_options(3, stride), stage, deformable);
    add_step(width, out, conv_options(3, 1), stage, deformable);
  } else {
    add_step(in, width, conv_options(1, 1), kNone, deformable);
    add_step(width, width, conv_options(3, stride), stage, deformable);
    add_step(width, out, conv_options(1, 1), kNone, deformable);
  }
  if (deformable.extra_last_stage && stage == kStages)
    extra_ = own("extra", ExtraDeformConv2d(out));
  if (stride != 1 || in != out)
    downsample_ =
        own("downsample", Sequential(Conv2d(in, out, conv_options(1, stride)), BatchNorm2d(out)));
}

void ResNetBlock::add_step(std::int64_t in, std::int64_t out, const Conv2dOptions& options,
                           int stage, const DeformableStages& deformable) {
  const std::string number = std::to_string(steps_.size() + 1);
  Forward conv = own_conv("conv" + number, in, out, options, deformable, stage);
  steps_.push_back({std::move(conv), own("bn" + number, BatchNorm2d(out))});
}

Var ResNetBlock::operator()(const Var& x) const {
  const ErrorPlace here(path());
  Var h = x;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    h = steps_[i].norm(steps_[i].conv(h));
    if (i + 1 < steps_.size()) h = relu(h);
  }
  if (extra_) h = (*extra_)(h);
  return relu(h + (downsample_ ? (*downsample_)(x) : x));
}

ResNet::ResNet(ResNetBlockKind kind, const std::vector<int>& blocks, const ResNetOptions& options)
    : stem_(options.stem),
      conv1_(
          own("conv1", Conv2d(options.channels, 64,
                              stem_ == Stem::imagenet ? conv_options(7, 2) : conv_options(3, 1)))),
      bn1_(own("bn1", BatchNorm2d(64))) {
  require(blocks.size() == kStages, "ResNet: blocks for ", blocks.size(), " stages, expected ",
          kStages);
  require(options.classes >= 0, "ResNet: ", options.classes, " classes");
  check_stages("ResNet", options.deformable, kStages);
  std::int64_t in = 64;
  for (int stage = 1; stage <= kStages; ++stage) {
    const std::int64_t width = std::int64_t{64} << (stage - 1);
    const int count = blocks[static_cast<std::size_t>(stage - 1)];
    require(count >= 1, "ResNet: stage ", stage, " has ", count, " blocks, at least 1");
    ModuleList<ResNetBlock> list;
    for (int i = 0; i < count; ++i) {
      const std::int64_t stride = i == 0 && stage > 1 ? 2 : 1;
      list.add(ResNetBlock({kind, in, width, stride, stage, options.deformable}));
      in = width * expansion(kind);
    }
    layers_.push_back(own("layer" + std::to_string(stage), std::move(list)));
  }
  if (options.classes > 0) fc_ = own("fc", Linear(in, options.classes));
}

Var ResNet::stem(const Var& images) const {
  const Var h = relu(bn1_(conv1_(images)));
  return stem_ == Stem::imagenet ? max_pool2d(h, {.kernel = 3, .stride = 2, .padding = 1}) : h;
}

Var ResNet::operator()(const Var& images) const {
  const ErrorPlace here(path());
  Var h = stem(images);
  for (const ModuleList<ResNetBlock>& layer : layers_)
    for (const ResNetBlock& block : layer) h = block(h);
  const Var features = global_avg_pool2d(h);
  return fc_ ? (*fc_)(features) : features;
}

ResNet resnet18(const ResNetOptions& options) {
  return ResNet(ResNetBlockKind::basic, {2, 2, 2, 2}, options);
}
ResNet resnet34(const ResNetOptions& options) {
  return ResNet(ResNetBlockKind::basic, {3, 4, 6, 3}, options);
}
ResNet resnet50(const ResNetOptions& options) {
  return ResNet(ResNetBlockKind::bottleneck, {3, 4, 6, 3}, options);
}

}  // namespace pliant
