#include <pliant/layers/nets/lenet.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/pool2d.h>

namespace pliant {
namespace {

constexpr int kStages = 2;
constexpr std::int64_t kSide = 32;
constexpr std::int64_t kFlat = std::int64_t{5} * 5 * 16;

Initialiser for_tanh() { return init::xavier_uniform(init::gain(init::Nonlinearity::tanh)); }

Conv2dOptions conv_options(std::int64_t padding) {
  return {.kernel = 5, .padding = padding, .initialiser = for_tanh()};
}

std::int64_t padding_of(const LeNet5Options& options) {
  require(options.side == kSide || options.side == kSide - 4, "LeNet5: images of side ",
          options.side, ", expected 28 or 32");
  check_stages("LeNet5", options.deformable, kStages);
  return (kSide - options.side) / 2;
}

}  // namespace

LeNet5::LeNet5(const LeNet5Options& options)
    : conv1_(own_conv("conv1", options.channels, 6, conv_options(padding_of(options)),
                      options.deformable, 1)),
      conv2_(own_conv("conv2", 6, 16, conv_options(0), options.deformable, 2)),
      extra_(options.deformable.extra_last_stage ? forward_of(own("extra", ExtraDeformConv2d(16)))
                                                 : nullptr),
      fc1_(own("fc1", Linear(kFlat, 120, {.initialiser = for_tanh()}))),
      fc2_(own("fc2", Linear(120, 84, {.initialiser = for_tanh()}))),
      fc3_(own("fc3", Linear(84, options.classes))) {}

Var LeNet5::operator()(const Var& images) const {
  const ErrorPlace here(path());
  Var h = avg_pool2d(tanh(conv1_(images)));
  h = conv2_(h);
  if (extra_) h = extra_(h);
  h = Flatten()(avg_pool2d(tanh(h)));
  require(h.dim(1) == kFlat, "LeNet5: the images ", images.shape(), " are not of the net's side");
  return fc3_(tanh(fc2_(tanh(fc1_(h)))));
}

}  // namespace pliant
