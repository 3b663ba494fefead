#include <pliant/layers/conv_offset2d.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/core/sizes.h>
#include <pliant/layers/observer.h>

namespace pliant {
namespace {

// [N H W 2C] as a convolution gives it -> as map_offsets takes it after the published reshape.
Var scrambled(const Var& field) {
  const std::int64_t n = field.dim(0), h = field.dim(1), w = field.dim(2), c = field.dim(3) / 2;
  const Var planes = permute(field, {0, 3, 1, 2});
  const Var pairs = permute(reshape(planes, {n, c, h, w, 2}), {0, 2, 3, 1, 4});
  return reshape(pairs, {n, h, w, 2 * c});
}

}  // namespace

ConvOffset2d::ConvOffset2d(std::int64_t channels, const ConvOffset2dOptions& options)
    : context(options.context_channels > 0
                  ? std::optional(own("context", OffsetContext(channels, options.context_channels,
                                                               {.kernel = 3, .padding = 1})))
                  : std::nullopt),
      offset(
          own("offset",
              Conv2d(context ? options.context_channels : channels,
                     checked_product("ConvOffset2d", {2, channels}),
                     {.kernel = 3, .padding = 1, .bias = Bias::no, .initialiser = init::zeros()}))),
      options_(options) {}

Var ConvOffset2d::field(const Var& x) const {
  const Var as_given = offset(context ? (*context)(x) : x);
  return options_.order == FieldOrder::scrambled ? scrambled(as_given) : as_given;
}

Var ConvOffset2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var offsets = field(x);
  const Var y = map_offsets(x, offsets, {.at_integers = options_.at_integers});
  return observed("ConvOffset2d", y, 4 * y.size(),
                  {.input = x.shape(), .kernel = 1, .conv = {}, .field = offsets});
}

}  // namespace pliant
