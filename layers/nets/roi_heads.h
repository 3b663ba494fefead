// The second stage of Faster R-CNN (Girshick 2015; Ren 2015): the classes and boxes of regions, with
// torchvision's rules and names, and with deformable pooling (Dai 2017).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <pliant/layers/deform_roi_pool.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/nets/region_proposal_network.h>
#include <pliant/layers/nets/resnet.h>

namespace pliant {

// How regions are read from a map.
enum class RoIPooling : unsigned char {
  align,       // RoIAlign by torchvision's rule
  fixed,       // deformable pooling whose bins stay where they are: the control of the next
  deformable,  // deformable pooling
};

struct RoIHeadOptions {
  std::int64_t classes = 91;  // with the background, which is 0
  RoIPooling pooling = RoIPooling::align;
  std::int64_t bins = 7;            // of a region, along each axis
  std::int64_t sampling_ratio = 2;  // of align; deformable pooling takes 4 x 4 samples of a bin
  std::vector<double> spatial_scales = {1.0 / 16};  // of each map
  std::int64_t reduced = 0;    // channels that a 1x1 convolution makes of the maps before; 0: none
  std::int64_t hidden = 1024;  // features of the two linear layers
  // Residual blocks on every region, and the mean of what they give, instead of these layers.
  std::vector<ResNetBlockOptions> blocks = {};
  BoxMatching matching = {.high = 0.5, .low = 0.5, .low_quality = false};
  BoxSampling sampling = {.size = 512, .positive_fraction = 0.25};
  DetectionOptions detection = {};
};

// What the head says of R regions.
struct RoIOutput {
  Var logits;  // [R classes]
  Var deltas;  // [R 4*classes]
};

// Regions to train on, of one picture.
struct RoITargets {
  Tensor boxes;   // [R 4]
  Tensor labels;  // int64 [R], 0 the background
  Tensor deltas;  // [R 4], not read where it is the background
};

// "box_head" has the linear layers "fc6" and "fc7" with ReLU, or the blocks "layer4.0" ..;
// "box_predictor" has "cls_score" and "bbox_pred". "box_roi_pool" is the branch of deformable
// pooling, "reduce" the 1x1 convolution, with ReLU. Pooled bins go row by row with channels
// innermost: flattened_map() is for PyTorch's files. cls_score starts with deviation .01, bbox_pred
// with .001.
class RoIHeads : public Module {
 public:
  explicit RoIHeads(std::int64_t channels, const RoIHeadOptions& options = {});

  // Of the regions [R 4] of every picture, one picture after the other.
  RoIOutput operator()(const Vars& maps, const std::vector<Tensor>& boxes) const;

  // Proposals and the true boxes after them, which are candidates too.
  static Tensor candidates(const Tensor& proposals, const TrueObjects& truth);
  BoxSample sample(const Tensor& candidates, const TrueObjects& truth, const Rng& rng) const;
  // Of these candidates the sampled ones, the positives first.
  RoITargets targets(const Tensor& candidates, const TrueObjects& truth,
                     const BoxSample& sample) const;
  DetectionLoss loss(const RoIOutput& output, const std::vector<RoITargets>& targets) const;

  std::vector<ScoredBoxes> detections(const RoIOutput& output, const std::vector<Tensor>& boxes,
                                      const std::vector<Size2>& sizes) const;

  // How far the bins of regions are moved: trans [R bins bins 2] of deform_roi_pool; undefined
  // without deformable pooling.
  Var trans(const Vars& maps, const std::vector<Tensor>& boxes) const;

  const RoIHeadOptions& options() const& { return options_; }

 private:
  struct BoxHead : Module {
    BoxHead(std::int64_t channels, const RoIHeadOptions& options);

    Var operator()(const Var& pooled) const;

    std::int64_t features = 0;
    std::optional<Linear> fc6, fc7;
    ModuleList<ResNetBlock> layer4;
  };
  struct BoxPredictor : Module {
    BoxPredictor(std::int64_t features, std::int64_t classes);

    Linear cls_score, bbox_pred;
  };

  Tensor matches(const Tensor& candidates, const TrueObjects& truth) const;
  Vars reduced(const Vars& maps) const;
  DeformRoIPoolOptions pool_options() const;
  Var pooled(const Vars& maps, const Tensor& rois) const;

  RoIHeadOptions options_;
  std::int64_t channels_;  // of the maps that regions are read from
  std::optional<Conv2d> reduce_;
  std::optional<DeformRoIPool> box_roi_pool_;
  BoxHead box_head_;
  BoxPredictor box_predictor_;
};

}  // namespace pliant
