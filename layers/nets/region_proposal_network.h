// The region proposal network of Faster R-CNN (Ren 2015), with torchvision's rules and names.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/autograd/ops/detection_losses.h>
#include <pliant/autograd/ops/detections.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/sequential.h>

namespace pliant {

// What is to be found in a picture, in the pixels of the batch; there may be none.
struct TrueObjects {
  Tensor boxes;   // [G 4], corners
  Tensor labels;  // int64 [G], from 1: 0 is the background
};

struct RPNOptions {
  std::int64_t hidden = 0;  // channels; 0: as many as the maps have
  // Of anchors: those of every place of a map, for each map.
  std::vector<std::vector<double>> sizes = {{32, 64, 128, 256, 512}};
  std::vector<double> ratios = {0.5, 1, 2};
  // The first Faster R-CNN's two logits of an anchor, of the background and of an object, which
  // softmax compares: their difference is the logit.
  bool two_logits = false;
  BoxMatching matching = {};
  BoxSampling sampling = {};
  ProposalOptions training = {.after_nms = 2000};
  ProposalOptions inference = {.before_nms = 1000};
};

// What it says of all anchors of a batch, map by map, row by row, column by column.
struct RPNOutput {
  Var logits;                         // [N A]
  Var deltas;                         // [N A 4]
  Tensor anchors;                     // [A 4], of every picture
  std::vector<std::int64_t> of_maps;  // how many each map has
};

// On maps of `channels` channels "head" has a 3x3 convolution "conv.0.0" with ReLU and the 1x1 ones
// "cls_logits" and "bbox_pred", all with biases, which start as zeros and their weights with
// deviation .01.
class RegionProposalNetwork : public Module {
 public:
  explicit RegionProposalNetwork(std::int64_t channels, const RPNOptions& options = {});

  // Of a batch of that many pixels.
  RPNOutput operator()(const Vars& maps, Size2 batch) const;

  // Of each picture the boxes [P 4] where an object may be, the best first. Suppression is within a
  // map. Constants.
  std::vector<Tensor> proposals(const RPNOutput& output, const std::vector<Size2>& sizes) const;
  // Anchors to train on, of each picture by a key of its own.
  std::vector<BoxSample> sample(const RPNOutput& output, const std::vector<TrueObjects>& truth,
                                const Rng& rng) const;
  // Means over the samples of all pictures.
  DetectionLoss loss(const RPNOutput& output, const std::vector<TrueObjects>& truth,
                     const std::vector<BoxSample>& samples) const;

  const RPNOptions& options() const& { return options_; }

 private:
  // cls_logits and bbox_pred of a map.
  struct Head : Module {
    Head(std::int64_t channels, const RPNOptions& options);

    Sequential conv;
    Conv2d cls_logits, bbox_pred;
  };

  Tensor matches(const Tensor& anchors, const TrueObjects& truth) const;

  RPNOptions options_;
  Head head_;
};

}  // namespace pliant
