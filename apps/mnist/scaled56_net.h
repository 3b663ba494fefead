// The net of the second published benchmark (scaled digits of 56 x 56, data/scaled56.h), regular
// and deformable. All kinds have the regular one's tensors under the same names; the deformable
// ones have offset (and mask) heads besides.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <pliant/apps/mnist/classifier.h>
#include <pliant/apps/mnist/nets.h>

namespace pliant::mnist {

// Which of conv1 to conv4 are deformable: those from `first_deformable` on.
struct ZoomNetKind {
  Deform deform = Deform::none;  // none, dcn1 or dcn2
  int first_deformable = 5;      // 1 to 4; 5 where `deform` is none

  bool operator==(const ZoomNetKind&) const = default;
};

// "none", "dcn1@conv4", "dcn1@conv3-4", "dcn2@conv4", "dcn2@conv3-4", ..
std::string name_of(const ZoomNetKind& kind);

// A row of the table in the README of github.com/4uiiurz1/pytorch-deform-conv-v2 (9ccc492).
struct PublishedZoomNet {
  ZoomNetKind kind;
  double best_accuracy;  // on its scaled test set, of the best of 10 epochs by that same set
};
// The five rows in the published order. SGD 0.01, momentum 0.5, weight decay 1e-4, batch 32.
const std::vector<PublishedZoomNet>& published_zoom_nets();

// Pixels less 0.1307, over 0.3081; conv 1-32, 32-64, max pool 2 x 2, conv 64-128, 128-256, all
// 3x3, padding 1, no bias, each followed by BatchNorm (eps 1e-5) and ReLU; mean over space; linear
// 256-10. 390,890 parameters where nothing is deformable.
//
// As in the repository's ScaledMNISTNet (archs.py, deform_conv_v2.py at 5b86db3), the deformable
// convolutions too: its --min-deform-layer 4 and 3 are its rows "conv4" and "conv3~4". We start
// differently where that serves accuracy. Weights: He's normal; theirs are PyTorch's default,
// uniform within 1/sqrt(fan in), a sixth of the variance, which BatchNorm hides. Heads: weight and
// bias 0, so that all kinds start as the same function; theirs have offset weights 0 but biases
// uniform within 1/sqrt(fan in), and mask weights of 0.5, with which the sigmoid of hundreds of
// positive features stands at 1 and hardly learns. Masks: 2 * sigmoid, 1 at the start with the
// steepest slope; theirs is sigmoid alone. Heads learn at a tenth of the rate, as theirs were meant
// to (their hook for it returns nothing and so does nothing). Sampling outside the map gives the
// same in both (theirs clamps points into a border of zeros).
class ZoomNet : public Classifier {
 public:
  static constexpr double kHeadsLrFactor = 0.1;

  explicit ZoomNet(ZoomNetKind kind = {});

  // images [N H W 1] in 0..1, H and W at least 2 -> logits [N 10].
  Var operator()(const Var& images) const override;

  const ZoomNetKind& kind() const { return kind_; }

 private:
  using AnyConv = std::variant<Conv2d, DeformConv2d>;
  AnyConv make_conv(int layer, std::int64_t in, std::int64_t out);

  ZoomNetKind kind_;
  AnyConv conv1_;
  BatchNorm2d bn1_;
  AnyConv conv2_;
  BatchNorm2d bn2_;
  AnyConv conv3_;
  BatchNorm2d bn3_;
  AnyConv conv4_;
  BatchNorm2d bn4_;
  Linear fc_;
};

// What a ZoomNet's file is marked with: "architecture" -> "zoom-net", "kind" -> name_of(kind).
std::map<std::string, std::string> metadata_of(const ZoomNet& net);
// Whether a file's metadata says that it holds a ZoomNet.
bool is_zoom_net(const std::map<std::string, std::string>& metadata);
// The net that a safetensors file holds, whichever kind it is; an Error that names the file for
// any other.
ZoomNet load_zoom_net(const std::filesystem::path& file);

}  // namespace pliant::mnist
