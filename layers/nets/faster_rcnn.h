// Faster R-CNN (Ren 2015) on a residual trunk, with RoIAlign or deformable RoI pooling, a deformable
// last stage, a feature pyramid. Names and rules are torchvision's.
//
//   FasterRCNN net(small_faster_rcnn(4, RoIPooling::deformable));
//   net.initialise(rng);
//   const PictureBatch batch = batch_pictures(pictures);
//   const Tape tape;
//   const Var loss = net.losses({tape.input(batch.images), batch.sizes}, truth, rng.fork("step")).sum();
//   ...
//   std::vector<ScoredBoxes> found = net(batch);
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <pliant/layers/nets/feature_pyramid.h>
#include <pliant/layers/nets/roi_heads.h>
#include <pliant/layers/nets/torchvision.h>

namespace pliant {

struct FasterRCNNOptions {
  ResNetBlockKind kind = ResNetBlockKind::bottleneck;
  std::vector<int> blocks = {3, 4, 6, 3};  // of each of the trunk's stages
  ResNetOptions trunk = {};                // its classes are not read
  // Channels of a feature pyramid on all stages. 0: there is none, and regions are read from the
  // last stage.
  std::int64_t pyramid = 256;
  int proposal_stage = 0;  // that proposals come from without a pyramid; 0: the last
  RPNOptions rpn = {.sizes = {{32}, {64}, {128}, {256}, {512}}};
  RoIHeadOptions head = {.spatial_scales = {1.0 / 4, 1.0 / 8, 1.0 / 16, 1.0 / 32}};
};

// torchvision's fasterrcnn_resnet50_fpn: the options as they are. 91 classes: 41,808,406 parameters,
// of which 53,120 are BatchNorm's.
FasterRCNNOptions faster_rcnn_resnet50_fpn(std::int64_t classes = 91);
// The first residual form: the last of the four stages runs on every region, softmax of two logits
// for each of 9 anchors. ResNet-50 and 101, 21 classes: 28,469,983 and 47,462,111 parameters.
FasterRCNNOptions faster_rcnn_c4(const std::vector<int>& blocks, std::int64_t classes = 21);
// Dai 2017: the last stage dilates and keeps stride 16, its 3x3 convolutions deform if `deformable`
// says so, regions are read from 256 channels of it and proposals from the stage before.
FasterRCNNOptions faster_rcnn_dilated(const std::vector<int>& blocks, RoIPooling pooling,
                                      bool deformable, std::int64_t classes = 21);
// For pictures of about 320 x 240 on a CPU: a trunk of three stages of two basic blocks, 32 to 128
// channels, stride 16. The last stage deforms if `deformable` says so.
FasterRCNNOptions small_faster_rcnn(std::int64_t classes, RoIPooling pooling = RoIPooling::align,
                                    bool deformable = false);
// The same trunk with a feature pyramid of 64 channels.
FasterRCNNOptions small_faster_rcnn_fpn(std::int64_t classes);

// Pictures of several sizes as one batch.
struct PictureBatch {
  Var images;                // [N H W C], normalised
  std::vector<Size2> sizes;  // of each, without what was added on the right and at the bottom
};
// pictures, each [H W C], with zeros up to the largest height and width and on to multiples of
// `divisor`.
PictureBatch batch_pictures(const std::vector<Tensor>& pictures, std::int64_t divisor = 32);

// Candidates that a training step is taken on, of each picture.
struct DetectorSamples {
  std::vector<BoxSample> anchors, regions;  // of the second the true boxes are the last
};

struct DetectorLosses {
  Var objectness, rpn_box, classifier, box;  // scalars

  Var sum() const;
};

// Parts: "backbone.body" (the trunk), "backbone.fpn", "rpn", "roi_heads". Branches that deform are
// "*.offset.*"; published detectors train them at a tenth of the rate and slower:
//   net.set_lr_factor("*.offset.*", 0.1);
class FasterRCNN : public Module {
 public:
  explicit FasterRCNN(const FasterRCNNOptions& options = {});

  // What it finds in each picture, in the pixels of the batch.
  std::vector<ScoredBoxes> operator()(const PictureBatch& batch) const;

  // On a tape. Candidates are drawn by `rng`, of each picture by a key of its own, or given.
  DetectorLosses losses(const PictureBatch& batch, const std::vector<TrueObjects>& truth,
                        const Rng& rng) const;
  DetectorLosses losses(const PictureBatch& batch, const std::vector<TrueObjects>& truth,
                        const DetectorSamples& samples) const;

  // The maps that regions are read from, and how the bins of given regions are moved on them
  // (RoIHeads::trans).
  Vars maps(const Var& images) const;
  Var trans(const PictureBatch& batch, const std::vector<Tensor>& boxes) const;

  // Of PyTorch's files; see layers/nets/torchvision.h.
  std::vector<FlattenedMap> flattened_maps() const;
  // BatchNorm as constants, as torchvision has it for trunks that were trained before.
  void freeze_batch_norm();

  const FasterRCNNOptions& options() const& { return options_; }

 private:
  struct Backbone : Module {
    explicit Backbone(const FasterRCNNOptions& options);

    ResNet body;
    std::optional<FeaturePyramid> fpn;
  };
  // All that comes before candidates are drawn.
  struct FirstStage {
    Vars maps;  // that regions are read from
    RPNOutput anchors;
    std::vector<Tensor> proposals;  // of each picture
  };
  FirstStage first_stage(const PictureBatch& batch) const;
  DetectorLosses losses_of(const FirstStage& first, const std::vector<TrueObjects>& truth,
                           const DetectorSamples& samples) const;

  FasterRCNNOptions options_;
  Backbone backbone_;
  RegionProposalNetwork rpn_;
  RoIHeads roi_heads_;
};

}  // namespace pliant
