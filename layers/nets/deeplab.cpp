#include <pliant/layers/nets/deeplab.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/core/sizes.h>
#include <pliant/layers/activation.h>

namespace pliant {
namespace {

const DeepLabOptions& checked(const DeepLabOptions& options) {
  const char* const who = "DeepLabV3Plus";
  require(options.classes >= 1, who, ": ", options.classes, " classes, expected at least 1");
  require_pixels(who, "aspp_channels and low_channels", 1,
                 {options.aspp_channels, options.low_channels});
  for (const std::int64_t rate : options.rates) require_pixels(who, "rates", 1, {rate});
  return options;
}

ResNetOptions trunk_options(ResNetOptions options) {
  options.classes = 0;
  return options;
}

// A convolution that keeps the size, BatchNorm and ReLU.
Sequential convolved(std::int64_t in, std::int64_t out, std::int64_t kernel,
                     std::int64_t dilation = 1) {
  return Sequential(Conv2d(in, out,
                           {.kernel = kernel,
                            .padding = kernel / 2 * dilation,
                            .dilation = dilation,
                            .bias = Bias::no}),
                    BatchNorm2d(out), Relu());
}

ModuleList<Sequential> branches(std::int64_t in, const DeepLabOptions& options) {
  ModuleList<Sequential> all;
  all.add(convolved(in, options.aspp_channels, 1));
  for (const std::int64_t rate : options.rates)
    all.add(convolved(in, options.aspp_channels, 3, rate));
  return all;
}

ModuleList<Sequential> classifier(const DeepLabOptions& options) {
  const std::int64_t channels = options.aspp_channels;
  ModuleList<Sequential> all;
  all.add(convolved(channels + options.low_channels, channels, 3));
  all.add(convolved(channels, channels, 3));
  all.add(Sequential(Conv2d(channels, options.classes, {.kernel = 1})));
  return all;
}

Var enlarged(const Var& x, const Var& like) {
  return upsample2d(
      x,
      {.size = {like.dim(1), like.dim(2)}, .mode = UpsampleMode::bilinear, .align_corners = true});
}

}  // namespace

DeepLabV3Plus::DeepLabV3Plus(const DeepLabOptions& options)
    : trunk(own("trunk",
                ResNet(checked(options).kind, options.blocks, trunk_options(options.trunk)))),
      aspp_(own("aspp", branches(trunk.features(), options))),
      pool_(own("pool", convolved(trunk.features(), options.aspp_channels, 1))),
      project_(own("project",
                   convolved(static_cast<std::int64_t>(aspp_.size() + 1) * options.aspp_channels,
                             options.aspp_channels, 1))),
      low_(own("low", convolved(trunk.features() / 8, options.low_channels, 1))),
      last_(own("last", classifier(options))),
      dropout_(options.dropout),
      drop_project_(own("drop_project", Dropout(0.5))),
      drop_first_(own("drop_first", Dropout(0.5))),
      drop_second_(own("drop_second", Dropout(0.1))) {}

Var DeepLabV3Plus::context(const Var& high) const {
  Vars maps;
  for (const Sequential& branch : aspp_) maps.push_back(branch(high));
  const std::int64_t n = high.dim(0), c = high.dim(3);
  const Var mean = pool_(reshape(global_avg_pool2d(high), {n, 1, 1, c}));
  maps.push_back(broadcast_to(mean, {n, high.dim(1), high.dim(2), mean.dim(3)}));
  return project_(concat(maps, -1));
}

Var DeepLabV3Plus::operator()(const Var& images) const {
  const ErrorPlace here(path());
  const auto dropped = [&](const Dropout& drop, const Var& x) { return dropout_ ? drop(x) : x; };
  const std::vector<Var> stages = trunk.stages(images);
  const Var wide = dropped(drop_project_, context(stages.back()));
  const Var both = concat({enlarged(wide, stages.front()), low_(stages.front())}, -1);
  const Var first = dropped(drop_first_, last_[0](both));
  const Var second = dropped(drop_second_, last_[1](first));
  return enlarged(last_[2](second), images);
}

}  // namespace pliant
