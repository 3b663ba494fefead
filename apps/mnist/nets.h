// The published four-layer digit net, regular and deformable, in one type: a deformable net has the
// regular one's tensors under the same names, and offset heads besides.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include <pliant/layers/layers.h>

namespace pliant {

enum class Deform : unsigned char {
  none,
  dcn1,          // conv 2 to 4 deformable: an offset per output pixel and tap
  dcn2,          // the same with a mask
  offset_field,  // conv 2 to 4 preceded by a warp with one offset per pixel and channel
};

const char* name_of(Deform deform);
// An Error that lists the names for any other.
Deform deform_from(const std::string& name);

// Conv 1-32, 32-64 stride 2, 64-128, 128-128 stride 2, all 3x3 with TensorFlow's "same" padding and
// followed by ReLU, then BatchNorm (eps 1e-3); mean over space; linear 128-10. 242,250 parameters
// in the convolutions, BatchNorms and the classifier.
class DigitNet : public Module {
 public:
  explicit DigitNet(Deform deform = Deform::none);

  // images [N H W 1] in 0..1 -> logits [N 10].
  Var operator()(const Var& images) const;

  Deform deform() const { return deform_; }

 private:
  using AnyConv = std::variant<Conv2d, DeformConv2d>;
  AnyConv make_conv(const char* name, std::int64_t in, std::int64_t out,
                    const Conv2dOptions& options);
  std::optional<ConvOffset2d> make_field(const char* name, std::int64_t channels);

  Deform deform_;
  Conv2d conv11_;
  BatchNorm2d bn11_;
  std::optional<ConvOffset2d> offset12_;
  AnyConv conv12_;
  BatchNorm2d bn12_;
  std::optional<ConvOffset2d> offset21_;
  AnyConv conv21_;
  BatchNorm2d bn21_;
  std::optional<ConvOffset2d> offset22_;
  AnyConv conv22_;
  BatchNorm2d bn22_;
  Linear fc_;
};

}  // namespace pliant
