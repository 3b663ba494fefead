// From a detector's numbers to boxes, for one image. Which boxes stay is decided on the host;
// nothing here has a gradient.
#pragma once

#include <limits>

#include <pliant/autograd/ops/box_coding.h>

namespace pliant {

// Boxes in descending order of their scores.
struct ScoredBoxes {
  Tensor boxes;   // [K 4], corners
  Tensor scores;  // [K]
  Tensor labels;  // int64 [K]; undefined where there are none
};

struct ProposalOptions {
  std::int64_t before_nms = 2000;  // of the largest logits
  std::int64_t after_nms = 1000;
  double nms_threshold = 0.7;
  double min_side = 1e-3;
  double min_score = 0;  // a score below it goes
  BoxCoding coding = {};
};

// What a region proposal network proposes (torchvision's order of steps): the anchors [A 4] of the
// largest logits [A], moved by their deltas [A 4], cut to the image; without those whose sides are
// short or whose score, the logit's sigmoid, is low; after suppression the best.
ScoredBoxes region_proposals(const Tensor& logits, const Tensor& deltas, const Tensor& anchors,
                             Size2 image, const ProposalOptions& options = {});

struct DetectionOptions {
  double min_score = 0.05;  // what is above it stays
  double min_side = 1e-2;
  double nms_threshold = 0.5;
  std::int64_t most = 100;  // over all classes
  BoxCoding coding = {.weights = {10, 10, 5, 5}};
};

// What a Fast R-CNN head finds: of proposals [R 4] with logits [R C], class 0 the background, and
// deltas [R 4*C], every class of every proposal whose probability is above min_score, as a box cut
// to the image; suppression within a class; the best. Labels are 1 .. C-1.
ScoredBoxes detections(const Tensor& logits, const Tensor& deltas, const Tensor& proposals,
                       Size2 image, const DetectionOptions& options = {});

}  // namespace pliant
