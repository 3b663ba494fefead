// What detectors are trained with: sums over the candidates that were drawn for it.
#pragma once

#include <pliant/autograd/ops/box_matching.h>

namespace pliant {

struct DetectionLoss {
  Var classes, boxes;  // scalars
};

// Of a region proposal network (torchvision's): logits [A] and deltas [A 4] of all anchors, the
// targets [P 4] of the positives of `sample`. Binary cross-entropy, its mean over the sample;
// smooth L1 with beta 1/9, its sum over the positives divided by the size of the sample. Of no
// sample: NaN.
DetectionLoss rpn_loss(const Var& logits, const Var& deltas, const Tensor& targets,
                       const BoxSample& sample);

// Of a Fast R-CNN head (torchvision's): logits [R C], deltas [R 4*C], labels int64 [R], 0 the
// background, targets [R 4], of which those of the background are not read. Cross-entropy, its mean
// over the regions; smooth L1 with beta 1/9 of the label's own four deltas, its sum divided by R.
DetectionLoss fast_rcnn_loss(const Var& logits, const Var& deltas, const Tensor& labels,
                             const Tensor& targets);

// Of a Siamese tracker (pysot's), K anchors at each place of a map: logits [N H W 2*K], those of
// the background first; deltas [N H W 4*K], all dx first; labels int64 [N H W K], 1, 0 or -1 (does
// not count); targets like the deltas; weights [N H W K], of each anchor's deltas. Half the mean
// cross-entropy of the positives and half that of the negatives, each 0 where there are none; the
// weighted sum of |delta - target| divided by N. pysot adds them up as classes + 1.2 boxes.
DetectionLoss siamrpn_loss(const Var& logits, const Var& deltas, const Tensor& labels,
                           const Tensor& targets, const Tensor& weights);

}  // namespace pliant
