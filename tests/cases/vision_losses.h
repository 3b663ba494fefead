#pragma once

#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/vision_losses.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// n boxes [n 4] with sides of at least 0.5.
inline Tensor random_boxes(std::int64_t n, std::uint64_t seed) {
  const Tensor corners = random({n, 2}, seed, 0, 3), sides = random({n, 2}, seed + 1, 0.5, 3);
  Tensor boxes = Tensor::empty({n, 4}, DType::float64);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < 2; ++j) {
      const double from = corners.data<double>()[2 * i + j];
      boxes.mutable_data<double>()[4 * i + j] = from;
      boxes.mutable_data<double>()[4 * i + 2 + j] = from + sides.data<double>()[2 * i + j];
    }
  return boxes;
}

inline std::vector<OpCase> vision_losses_cases() {
  std::vector<OpCase> all;
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
