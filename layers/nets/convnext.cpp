#include <pliant/layers/nets/convnext.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/layers/activation.h>
#include <pliant/layers/layer_norm.h>
#include <pliant/layers/linear.h>

namespace pliant {
namespace {

constexpr int kStages = 4;
constexpr double kEps = 1e-6;

Initialiser narrow() {
  return init::truncated_normal({.deviation = 0.02});  // bounds -2 and 2, as torchvision's
}

Conv2dOptions patches(std::int64_t side) {
  return {.kernel = side, .stride = side, .initialiser = narrow()};
}

// Takes a place: torchvision permutes there, where maps are NHWC already.
Var same(const Var& x) { return x; }

Sequential make_block(std::int64_t channels, int stage, const DeformableStages& deformable) {
  Sequential block;
  add_conv(block, channels, channels,
           {.kernel = 7, .padding = 3, .groups = channels, .initialiser = narrow()}, deformable,
           stage);
  block.add(same);
  block.add(LayerNorm(channels, {.eps = kEps}));
  block.add(Linear(channels, 4 * channels, {.initialiser = narrow()}));
  block.add(Gelu());
  block.add(Linear(4 * channels, channels, {.initialiser = narrow()}));
  return block;
}

}  // namespace

ConvNextBlock::ConvNextBlock(std::int64_t channels, int stage, double drop,
                             const ConvNextOptions& options)
    : drop_(drop),
      block_(own("block", make_block(channels, stage, options.deformable))),
      layer_scale_(own("layer_scale", Parameter(Shape{channels, 1, 1}),
                       init::constant(options.layer_scale))) {}

// Leaves out whole images of a batch.
Var ConvNextBlock::dropped(const Var& h) const {
  if (drop_ == 0 || !h.training()) return h;
  require(h.has_rng(), "ConvNextBlock: ", path(),
          ": stochastic depth needs a random key; write Tape tape({.rng = rng.fork(step)})");
  const Var ones = h.lift(Tensor::full({h.dim(0), 1, 1, 1}, 1, h.dtype(), h.device()));
  return h * dropout(ones, drop_, h.rng().fork(path()), h.step_state());
}

Var ConvNextBlock::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var scale = reshape(x.lift(layer_scale_), {layer_scale_.shape()[0]});
  return x + dropped(block_(x) * scale);
}

namespace {

Sequential make_features(const std::vector<ConvNextStage>& stages, const ConvNextOptions& options) {
  require(stages.size() == kStages, "ConvNext: ", stages.size(), " stages, expected ", kStages);
  require(options.classes >= 0 && options.channels >= 1, "ConvNext: ", options.classes,
          " classes, ", options.channels, " channels");
  require(options.stochastic_depth >= 0 && options.stochastic_depth < 1,
          "ConvNext: stochastic depth is ", options.stochastic_depth, ", expected 0 <= rate < 1");
  require(!options.deformable.extra_last_stage, "ConvNext: has no extra layers");
  check_stages("ConvNext", options.deformable, kStages);
  int count = 0, made = 0;
  for (const ConvNextStage& stage : stages) {
    require(stage.channels >= 1 && stage.blocks >= 1, "ConvNext: a stage of ", stage.blocks,
            " blocks of ", stage.channels, " channels, expected at least 1 of each");
    count += stage.blocks;
  }
  const std::int64_t side = options.stem == Stem::imagenet ? 4 : 2;
  Sequential features;
  std::int64_t in = stages.front().channels;
  features.add(
      Sequential(Conv2d(options.channels, in, patches(side)), LayerNorm(in, {.eps = kEps})));
  for (int stage = 1; stage <= kStages; ++stage) {
    const auto& [channels, blocks] = stages[static_cast<std::size_t>(stage - 1)];
    if (stage > 1)
      features.add(Sequential(LayerNorm(in, {.eps = kEps}), Conv2d(in, channels, patches(2))));
    Sequential layer;
    for (int i = 0; i < blocks; ++i, ++made)
      layer.add(ConvNextBlock(
          channels, stage, count > 1 ? options.stochastic_depth * made / (count - 1) : 0, options));
    features.add(std::move(layer));
    in = channels;
  }
  return features;
}

Sequential make_classifier(std::int64_t channels, std::int64_t classes) {
  if (classes == 0) return Sequential();
  return Sequential(LayerNorm(channels, {.eps = kEps}), Flatten(),
                    Linear(channels, classes, {.initialiser = narrow()}));
}

}  // namespace

ConvNext::ConvNext(const std::vector<ConvNextStage>& stages, const ConvNextOptions& options)
    : features_(own("features", make_features(stages, options))),
      classifier_(own("classifier", make_classifier(stages.back().channels, options.classes))) {}

Var ConvNext::operator()(const Var& images) const {
  const ErrorPlace here(path());
  return classifier_(global_avg_pool2d(features_(images)));
}

ConvNext convnext_tiny(const ConvNextOptions& options) {
  return ConvNext({{96, 3}, {192, 3}, {384, 9}, {768, 3}}, options);
}

}  // namespace pliant
