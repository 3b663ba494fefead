#include <pliant/layers/conv_offset2d.h>

#include <pliant/autograd/ops/map_offsets.h>

namespace pliant {

ConvOffset2d::ConvOffset2d(std::int64_t channels)
    : offset(own(
          "offset",
          Conv2d(channels, 2 * channels,
                 {.kernel = 3, .padding = 1, .bias = Bias::no, .initialiser = init::zeros()}))) {}

Var ConvOffset2d::field(const Var& x) const { return offset(x); }

Var ConvOffset2d::operator()(const Var& x) const {
  const Var y = map_offsets(x, field(x));
  return observed("ConvOffset2d", y, 4 * y.size());
}

}  // namespace pliant
