// The published four-layer digit net, regular and deformable, in one type: a deformable net has the
// regular one's tensors under the same names, and offset heads besides.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <pliant/apps/mnist/classifier.h>
#include <pliant/layers/layers.h>

namespace pliant {

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

// Where a convolution of a net reads the map below it, for a batch of pictures.
struct LayerSampling {
  std::string name;  // "conv12"
  Size2 input = 1;   // height and width of the map it reads
  Size2 output = 1;  // and of the one it gives
  Size2 kernel = 3;
  ConvOptions conv = {};
  Tensor offsets = {};  // [N P Q 2*R*S], of deformable convolutions (see deform_conv2d)
  Tensor mask = {};     // [N P Q R*S], if it has one
  Tensor field =
      {};  // [N H W 2C], of maps that are warped before the convolution (see map_offsets)
};

// Conv 1-32, 32-64 stride 2, 64-128, 128-128 stride 2, all 3x3 with TensorFlow's "same" padding and
// followed by ReLU, then BatchNorm (eps 1e-3); mean over space; linear to as many logits as
// classes. 242,250 parameters in the convolutions, BatchNorms and the classifier of ten.
class DigitNet : public Classifier {
 public:
  explicit DigitNet(Deform deform = Deform::none, std::int64_t classes = 10);

  // images [N H W 1] in 0..1 -> logits [N classes].
  Var operator()(const Var& images) const override;

  // Where convs 2 to 4 read for these images, lowest first: computed by the same forward pass. The
  // regular net's have geometry alone. Tensors are on the CPU.
  std::vector<LayerSampling> samplings(const Var& images) const;

  Deform deform() const { return deform_; }

 private:
  using AnyConv = std::variant<Conv2d, DeformConv2d>;
  // A block's sampling is added to `seen`, if given.
  static Var block(const std::optional<ConvOffset2d>& field, const AnyConv& conv,
                   const BatchNorm2d& norm, const Var& x, std::vector<LayerSampling>* seen);
  Var forward(const Var& images, std::vector<LayerSampling>* seen) const;
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
