#include <pliant/layers/nets/resnet.h>

#include <algorithm>
#include <string>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

constexpr int kStages = 4;

Conv2dOptions conv_options(std::int64_t kernel, std::int64_t stride, std::int64_t dilation = 1) {
  return {.kernel = kernel,
          .stride = stride,
          .padding = kernel / 2 * dilation,
          .dilation = dilation,
          .bias = Bias::no,
          .initialiser = init::kaiming_normal({.fan = init::Fan::out})};
}

std::int64_t expansion(ResNetBlockKind kind) { return kind == ResNetBlockKind::basic ? 1 : 4; }

std::int64_t stem_stride(Stem stem) { return stem == Stem::imagenet ? 4 : 1; }

// Of a net of so many stages that none of them dilates.
std::int64_t largest_stride(Stem stem, std::size_t stages) {
  return stem_stride(stem) << (stages - 1);
}

const ResNetOptions& checked(const ResNetOptions& options, std::size_t stages) {
  require_pixels("ResNet", "width", 1, {options.width});
  require(stages >= 1 && stages <= kStages, "ResNet: blocks for ", stages,
          " stages, expected 1 to ", kStages);
  const std::int64_t most = largest_stride(options.stem, stages), now = options.output_stride;
  require(now == 0 || now == most || now == most / 2 || now == most / 4,
          "ResNet: the output stride is ", now, ", expected ", most, ", ", most / 2, " or ",
          most / 4);
  return options;
}

}  // namespace

ResNetBlock::ResNetBlock(const ResNetBlockOptions& options) {
  const auto& [kind, in, width, stride, stage, deformable, dilation] = options;
  const std::int64_t out = width * expansion(kind);
  constexpr int kNone = 0;  // 1x1 convolutions are of no stage that deforms
  if (kind == ResNetBlockKind::basic) {
    add_step(in, width, conv_options(3, stride, dilation), stage, deformable);
    add_step(width, out, conv_options(3, 1, dilation), stage, deformable);
  } else {
    add_step(in, width, conv_options(1, 1), kNone, deformable);
    add_step(width, width, conv_options(3, stride, dilation), stage, deformable);
    add_step(width, out, conv_options(1, 1), kNone, deformable);
  }
  if (deformable.extra_last_stage) extra_ = own("extra", ExtraDeformConv2d(out));
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
    : stem_(checked(options, blocks.size()).stem),
      conv1_(
          own("conv1", Conv2d(options.channels, options.width,
                              stem_ == Stem::imagenet ? conv_options(7, 2) : conv_options(3, 1)))),
      bn1_(own("bn1", BatchNorm2d(options.width))) {
  require(options.classes >= 0, "ResNet: ", options.classes, " classes");
  const auto stages = static_cast<int>(blocks.size());
  check_stages("ResNet", options.deformable, stages);
  for (const std::int64_t factor : options.multi_grid)
    require_pixels("ResNet", "multi_grid", 1, {factor});
  std::int64_t in = options.width;
  for (int stage = 1; stage <= stages; ++stage) {
    const std::int64_t width = options.width << (stage - 1);
    const std::int64_t pixels = stem_stride(stem_) << (stage - 1);  // undilated
    const std::int64_t most =
        options.output_stride > 0 ? options.output_stride : largest_stride(stem_, blocks.size());
    const std::int64_t dilation = std::max<std::int64_t>(1, pixels / most);
    const int count = blocks[static_cast<std::size_t>(stage - 1)];
    DeformableStages deformable = options.deformable;
    deformable.extra_last_stage = deformable.extra_last_stage && stage == stages;
    require(count >= 1, "ResNet: stage ", stage, " has ", count, " blocks, at least 1");
    ModuleList<ResNetBlock> list;
    for (int i = 0; i < count; ++i) {
      const std::int64_t stride = i == 0 && stage > 1 && dilation == 1 ? 2 : 1;
      const auto at = static_cast<std::size_t>(i);
      const bool is_grid = stage == stages && at < options.multi_grid.size();
      const std::int64_t factor = is_grid ? options.multi_grid[at] : 1;
      list.add(ResNetBlock({kind, in, width, stride, stage, deformable, dilation * factor}));
      in = width * expansion(kind);
    }
    features_.push_back(in);
    layers_.push_back(own("layer" + std::to_string(stage), std::move(list)));
  }
  if (options.classes > 0) fc_ = own("fc", Linear(in, options.classes));
}

Var ResNet::stem(const Var& images) const {
  const Var h = relu(bn1_(conv1_(images)));
  return stem_ == Stem::imagenet ? max_pool2d(h, {.kernel = 3, .stride = 2, .padding = 1}) : h;
}

std::vector<Var> ResNet::stages(const Var& images) const {
  const ErrorPlace here(path());
  std::vector<Var> all;
  Var h = stem(images);
  for (const ModuleList<ResNetBlock>& layer : layers_) {
    for (const ResNetBlock& block : layer) h = block(h);
    all.push_back(h);
  }
  return all;
}

Var ResNet::operator()(const Var& images) const {
  const ErrorPlace here(path());
  const Var features = global_avg_pool2d(stages(images).back());
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
