// Losses of detection and segmentation.
#pragma once

#include <pliant/autograd/ops/loss_reduction.h>

namespace pliant {

struct FocalLossOptions {
  double alpha = 0.25;  // in [0, 1]; -1: none
  double gamma = 2;     // 0, or at least 1, where it has a derivative everywhere
  LossReduction reduction = LossReduction::mean;
};
// Of -a (1 - q)^gamma log q, element by element: q is the probability that a sigmoid of the logit
// gives to what the target says, and a is alpha for targets of 1 and 1 - alpha for those of 0; of
// targets between, which weigh both, it is torchvision's. One shape and dtype. (Lin et al. 2017, as
// torchvision's sigmoid_focal_loss, whose reduction is none unless told otherwise; detectors take
// the sum and divide by the number of objects)
Var sigmoid_focal_loss(const Var& logits, const Var& targets, const FocalLossOptions& options = {});

struct DiceLossOptions {
  double smooth =
      1e-5;  // added above and below: 1 - 1 where there is nothing to find; not negative
  LossReduction reduction = LossReduction::mean;
};
// Of 1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth) for each image and class, the sums over
// the pixels: probabilities p, after a sigmoid or softmax, and targets t in [0, 1], both [N ... C].
// Reduction none: [N C]. (Milletari et al. 2016, without squares below, as usual now)
Var dice_loss(const Var& probabilities, const Var& targets, const DiceLossOptions& options = {});

struct GIoULossOptions {
  double eps = 1e-7;  // added to areas that are divided by
  LossReduction reduction = LossReduction::mean;
};
// Of 1 - GIoU for each pair of boxes x1, y1, x2, y2 with x1 < x2 and y1 < y2: [... 4] and [... 4].
// Reduction none: [...]. Where boxes do not meet, what draws them together is the area that their
// common frame has beyond them. A box whose sides are the wrong way round has no common area with
// any and an area of its own by its formula, as in torchvision. (Rezatofighi et al. 2019, as
// torchvision's generalized_box_iou_loss, whose reduction is none unless told otherwise)
Var generalized_box_iou_loss(const Var& boxes, const Var& targets,
                             const GIoULossOptions& options = {});

}  // namespace pliant
