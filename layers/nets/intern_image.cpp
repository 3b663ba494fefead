#include <pliant/layers/nets/intern_image.h>

#include <string>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/layers/activation.h>

namespace pliant {
namespace {

Conv2dOptions conv3x3(std::int64_t stride) {
  return {.kernel = 3, .stride = stride, .padding = 1, .bias = Bias::no};
}

Sequential make_mlp(std::int64_t channels, double expansion) {
  const auto hidden = static_cast<std::int64_t>(static_cast<double>(channels) * expansion);
  return Sequential(Linear(channels, hidden), Gelu(), Linear(hidden, channels));
}

const InternImageOptions& checked(const InternImageOptions& options) {
  require(options.classes >= 0 && options.channels >= 1, "InternImage: ", options.classes,
          " classes, ", options.channels, " channels");
  require(!options.blocks.empty(), "InternImage: no stages");
  for (const int blocks : options.blocks)
    require(blocks >= 1, "InternImage: a stage of ", blocks, " blocks, expected at least 1");
  require(options.group_channels >= 1 && options.width >= 2 &&
              options.width % options.group_channels == 0 && options.width % 2 == 0,
          "InternImage: width ", options.width, " does not divide into groups of ",
          options.group_channels, " channels, and into two");
  require(options.expansion > 0, "InternImage: expansion is ", options.expansion,
          ", expected above 0");
  return options;
}

}  // namespace

InternBlock::InternBlock(std::int64_t channels, const InternImageOptions& options)
    : norm1_(own("norm1", LayerNorm(channels))),
      core_(own_core(channels, options)),
      norm2_(own("norm2", LayerNorm(channels))),
      mlp_(own("mlp", make_mlp(channels, options.expansion))) {}

Forward InternBlock::own_core(std::int64_t channels, const InternImageOptions& options) {
  const std::int64_t groups = channels / options.group_channels;
  if (options.core == InternCore::dcn_v3)
    return forward_of(
        own("core", DCNv3(channels, {.groups = groups, .offset_scale = options.offset_scale})));
  return forward_of(
      own("core", DCNv4(channels, {.groups = groups, .offset_scale = options.offset_scale})));
}

Var InternBlock::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var h = x + core_(norm1_(x));
  return h + mlp_(norm2_(h));
}

InternImage::InternImage(const InternImageOptions& options)
    : stem_(own("stem", Sequential(Conv2d(checked(options).channels, options.width / 2,
                                          conv3x3(options.stem == Stem::imagenet ? 2 : 1)),
                                   LayerNorm(options.width / 2), Gelu(),
                                   Conv2d(options.width / 2, options.width, conv3x3(2)),
                                   LayerNorm(options.width)))),
      norm_(own("norm", LayerNorm(options.width << (options.blocks.size() - 1)))) {
  std::int64_t in = options.width;
  for (std::size_t stage = 0; stage < options.blocks.size(); ++stage) {
    const std::string number = std::to_string(stage + 1);
    Sequential blocks;
    for (int i = 0; i < options.blocks[stage]; ++i) blocks.add(InternBlock(in, options));
    stages_.push_back(own("stage" + number, std::move(blocks)));
    if (stage + 1 == options.blocks.size()) break;
    downs_.push_back(
        own("down" + number, Sequential(Conv2d(in, 2 * in, conv3x3(2)), LayerNorm(2 * in))));
    in *= 2;
  }
  if (options.classes > 0) head_ = own("head", Linear(in, options.classes));
}

Var InternImage::operator()(const Var& images) const {
  const ErrorPlace here(path());
  Var h = stem_(images);
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    h = stages_[stage](h);
    if (stage < downs_.size()) h = downs_[stage](h);
  }
  const Var features = global_avg_pool2d(norm_(h));
  return head_ ? (*head_)(features) : features;
}

InternImage intern_image_small(std::int64_t classes, std::int64_t channels, InternCore core) {
  return InternImage({.classes = classes,
                      .channels = channels,
                      .blocks = {2, 2, 4},
                      .core = core,
                      .stem = Stem::small});
}

}  // namespace pliant
