#pragma once

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/vision_losses.h>
#include <pliant/tests/cases/boxes.h>

namespace pliant::test {

inline OpCases vision_losses_cases() {
  OpCases all;
  for (const LossReduction reduction :
       {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
    for (const double alpha : {0.25, 1.0, -1.0})
      for (const double gamma : {0.0, 1.0, 2.0, 3.5})
        all.push_back({"sigmoid_focal_loss",
                       [=](const Vars& v) {
                         return sigmoid_focal_loss(
                             v[0], v[1], {.alpha = alpha, .gamma = gamma, .reduction = reduction});
                       },
                       {random({3, 5}, 1, -3, 3), random({3, 5}, 2, 0, 1)}});
    for (const Shape& shape : {Shape{2, 3, 4, 2}, Shape{3, 2}, Shape{1, 1, 1}})
      all.push_back({"dice_loss",
                     [=](const Vars& v) {
                       return dice_loss(v[0], v[1], {.smooth = 0.5, .reduction = reduction});
                     },
                     {random(shape, 1, 0.1, 1), random(shape, 2, 0.1, 1)}});
    all.push_back({"generalized_box_iou_loss",
                   [=](const Vars& v) {
                     return generalized_box_iou_loss(v[0], v[1], {.reduction = reduction});
                   },
                   {random_boxes(9, 1), random_boxes(9, 5)}});
    all.push_back({"generalized_box_iou_loss of single boxes",
                   [=](const Vars& v) {
                     return generalized_box_iou_loss(reshape(v[0], {4}), reshape(v[1], {4}),
                                                     {.reduction = reduction});
                   },
                   {random_boxes(1, 3), random_boxes(1, 7)}});
  }
  return all;
}

}  // namespace pliant::test
