#include <pliant/layers/nets/vgg.h>

#include <pliant/layers/activation.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/pool2d.h>

namespace pliant {
namespace {

constexpr int kStages = 5;
constexpr std::int64_t kWidths[kStages] = {64, 128, 256, 512, 512};
constexpr std::int64_t kSide = 7;  // of the map that the three linear layers read
constexpr std::int64_t kHidden = 4096;

}  // namespace

Vgg::Vgg(const std::vector<int>& convolutions, const VggOptions& options)
    : options_(options),
      features_(own("features", make_features(convolutions))),
      pool_(own("avgpool", make_pool())),
      classifier_(own("classifier", make_classifier())) {}

Sequential Vgg::make_features(const std::vector<int>& convolutions) const {
  require(convolutions.size() == kStages, "Vgg: convolutions for ", convolutions.size(),
          " stages, expected ", kStages);
  require(options_.classes >= 0, "Vgg: ", options_.classes, " classes");
  check_stages("Vgg", options_.deformable, kStages);
  Sequential features;
  std::int64_t in = options_.channels;
  for (int stage = 1; stage <= kStages; ++stage) {
    const auto index = static_cast<std::size_t>(stage - 1);
    require(convolutions[index] >= 1, "Vgg: stage ", stage, " has ", convolutions[index],
            " convolutions, at least 1");
    for (int i = 1; i <= convolutions[index]; ++i) {
      add_conv(
          features, in, kWidths[index],
          {.kernel = 3, .padding = 1, .initialiser = init::kaiming_normal({.fan = init::Fan::out})},
          options_.deformable, stage);
      in = kWidths[index];
      if (options_.normalisation == Normalisation::batch) features.add(BatchNorm2d(in));
      if (options_.deformable.extra_last_stage && stage == kStages && i == convolutions[index])
        features.add("extra", ExtraDeformConv2d(in));
      features.add(Relu());
    }
    if (stage > 1 || options_.stem == Stem::imagenet) features.add(MaxPool2d());
  }
  return features;
}

Sequential Vgg::make_pool() const {
  if (options_.stem == Stem::small) return Sequential(GlobalAvgPool2d());
  return Sequential(AdaptiveAvgPool2d(kSide), Flatten());
}

Sequential Vgg::make_classifier() const {
  Sequential classifier;
  const std::int64_t width = kWidths[kStages - 1];
  if (options_.classes == 0) return classifier;
  if (options_.stem == Stem::small) {
    classifier.add(Linear(width, options_.classes));
    return classifier;
  }
  std::int64_t in = width * kSide * kSide;
  const LinearOptions narrow{.initialiser = init::normal(0.01)};
  for (int i = 0; i < 2; ++i) {
    classifier.add(Linear(in, kHidden, narrow));
    classifier.add(Relu());
    classifier.add(Dropout(options_.dropout));
    in = kHidden;
  }
  classifier.add(Linear(in, options_.classes, narrow));
  return classifier;
}

std::vector<FlattenedMap> Vgg::flattened_maps() const {
  if (options_.classes == 0 || options_.stem == Stem::small) return {};
  return {{"classifier.0.weight", kSide, kSide}};
}

Vgg vgg11(const VggOptions& options) { return Vgg({1, 1, 2, 2, 2}, options); }
Vgg vgg13(const VggOptions& options) { return Vgg({2, 2, 2, 2, 2}, options); }
Vgg vgg16(const VggOptions& options) { return Vgg({2, 2, 3, 3, 3}, options); }

}  // namespace pliant
