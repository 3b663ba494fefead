// OffsetContext: what an offset branch sees beyond a window of its convolution's own size.
#pragma once

#include <pliant/layers/conv2d.h>

namespace pliant {

// [N H W in] -> [N P Q channels], where P x Q is what a convolution of kernel, stride, padding and
// dilation `like` gives: two 3x3 convolutions with ReLU, "wide" dilated by at least 3 and "mix". A
// branch that reads offsets from it sees 11 input pixels across (at stride 1) instead of 3, enough
// to tell how large a stroke is. The kernel's extent must be odd.
class OffsetContext : public Module {
 public:
  OffsetContext(std::int64_t in_channels, std::int64_t channels, const Conv2dOptions& like);

  Var operator()(const Var& x) const;

 private:
  Conv2d wide_, mix_;
};

}  // namespace pliant
