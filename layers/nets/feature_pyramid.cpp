#include <pliant/layers/nets/feature_pyramid.h>

#include <algorithm>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/conv2d.h>

namespace pliant {
namespace {

ModuleList<Sequential> convolutions(const std::vector<std::int64_t>& in, std::int64_t out,
                                    std::int64_t kernel) {
  require(!in.empty(), "FeaturePyramid: of no map");
  ModuleList<Sequential> all;
  for (const std::int64_t channels : in)
    all.add(Sequential(
        Conv2d(channels, out,
               {.kernel = kernel,
                .padding = kernel / 2,
                .initialiser = init::kaiming_uniform(
                    {.nonlinearity = init::Nonlinearity::leaky_relu, .negative_slope = 1})})));
  return all;
}

}  // namespace

FeaturePyramid::FeaturePyramid(const std::vector<std::int64_t>& channels, std::int64_t out)
    : inner_blocks_(own("inner_blocks", convolutions(channels, out, 1))),
      layer_blocks_(own("layer_blocks",
                        convolutions(std::vector<std::int64_t>(channels.size(), out), out, 3))) {}

Vars FeaturePyramid::operator()(const Vars& maps) const {
  const ErrorPlace here(path());
  require(maps.size() == inner_blocks_.size(), "FeaturePyramid: ", maps.size(), " maps, expected ",
          inner_blocks_.size());
  Vars pyramid;
  Var sum;
  for (std::size_t i = maps.size(); i-- > 0;) {
    const Var inner = inner_blocks_[i](maps[i]);
    sum = sum.defined() ? inner + upsample2d(sum, {.size = {inner.dim(1), inner.dim(2)}}) : inner;
    pyramid.push_back(layer_blocks_[i](sum));
  }
  std::reverse(pyramid.begin(), pyramid.end());
  const Var& coarsest = pyramid.back();
  const Var every_second =
      slice_axis(slice_axis(coarsest, 1, 0, coarsest.dim(1), 2), 2, 0, coarsest.dim(2), 2);
  pyramid.push_back(every_second);
  return pyramid;
}

}  // namespace pliant
