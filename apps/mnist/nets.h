// The published four-layer digit net, regular and deformable, in one type: a deformable net has the
// regular one's tensors under the same names, and offset heads besides.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <pliant/apps/mnist/classifier.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/sampling.h>

namespace pliant::mnist {

enum class Deform : unsigned char {
  none,
  dcn1,                    // conv 2 to 4 deformable: an offset per output pixel and tap
  dcn2,                    // the same with a mask
  dcn2_context,            // and its offset and mask convolutions read an OffsetContext
  offset_field,            // conv 2 to 4 preceded by a warp with one offset per pixel and channel
  offset_field_context,    // the same, read from an OffsetContext
  offset_field_scrambled,  // offset_field with the published code's reshape of the field
  offset_field_as_published,  // that, and the published code's derivative: 0 at integers
};

const char* name_of(Deform deform);
std::optional<Deform> find_deform(const std::string& name);
// An Error that lists the names for any other.
Deform deform_from(const std::string& name);
bool has_mask(Deform deform);
bool has_context(Deform deform);
// Whether nets of two kinds have the same tensors, so that a file of one fits the other: those with
// an offset field do.
bool same_tensors(Deform a, Deform b);

// Conv 1-32, 32-64 stride 2, 64-128, 128-128 stride 2, all 3x3 with TensorFlow's "same" padding and
// followed by ReLU, then BatchNorm (eps 1e-3); mean over space; linear to as many logits as
// classes. 242,250 parameters in the convolutions, BatchNorms and the classifier of ten.
class DigitNet : public Classifier {
 public:
  explicit DigitNet(Deform deform = Deform::none, std::int64_t classes = 10);

  // images [N H W 1] in 0..1 -> logits [N classes].
  Var operator()(const Var& images) const override;

  // Where convs 2 to 4 read for these images, lowest first. The regular net's have geometry alone.
  std::vector<LayerSampling> samplings(const Var& images) const;

  Deform deform() const { return deform_; }

 private:
  using AnyConv = std::variant<Conv2d, DeformConv2d>;
  static Var block(const std::optional<ConvOffset2d>& field, const AnyConv& conv,
                   const BatchNorm2d& norm, const Var& x);
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

}  // namespace pliant::mnist
