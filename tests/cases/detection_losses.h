// Cases of the losses of detectors and trackers.
#pragma once

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/detection_losses.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases detection_losses_cases() {
  const auto sum_of = [](const DetectionLoss& loss) {
    return loss.classes + convert(loss.boxes, loss.classes.dtype()) * 2.0;
  };
  const Tensor positives = Tensor::from<std::int64_t>({0, 3}, {2}),
               negatives = Tensor::from<std::int64_t>({1, 5, 2}, {3}), two = random({2, 4}, 3);
  const Tensor labels = Tensor::from<std::int64_t>({0, 2, 1, 0}, {4}), four = random({4, 4}, 4);
  const Tensor of_map = Tensor::from<std::int64_t>({1, 0, -1, 1}, {1, 2, 2, 1});
  const Tensor steps = random({1, 2, 2, 4}, 5), weights = random({1, 2, 2, 1}, 6, 0, 1);
  return {{"rpn_loss",
           [=](const Vars& v) {
             return sum_of(rpn_loss(v[0], v[1], beside(v[1], two),
                                    {beside(v[0], positives), beside(v[0], negatives)}));
           },
           {random({6}, 1), random({6, 4}, 2)}},
          {"fast_rcnn_loss",
           [=](const Vars& v) {
             return sum_of(fast_rcnn_loss(v[0], v[1], beside(v[0], labels), beside(v[1], four)));
           },
           {random({4, 3}, 1), random({4, 12}, 2)}},
          {"siamrpn_loss",
           [=](const Vars& v) {
             return sum_of(siamrpn_loss(v[0], v[1], beside(v[0], of_map), beside(v[1], steps),
                                        beside(v[1], weights)));
           },
           {random({1, 2, 2, 2}, 1), random({1, 2, 2, 4}, 2)}}};
}

}  // namespace pliant::test
