// Cases of boxes' forms, areas and overlaps.
#pragma once

#include <pliant/autograd/ops/boxes.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// [N 4] of their numbers.
inline Tensor boxes(std::initializer_list<double> numbers) {
  return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size()) / 4, 4});
}

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

inline OpCases boxes_cases() {
  const Tensor a = random_boxes(4, 1), b = random_boxes(3, 5);
  return {
      {"box_iou", [](const Vars& v) { return box_iou(v[0], v[1]); }, {a, b}},
      {"box_iou of pixels",
       [](const Vars& v) { return box_iou(v[0], v[1], BoxSides::inclusive); },
       {a, b}},
      {"generalized_box_iou",
       [](const Vars& v) { return generalized_box_iou(v[0], v[1]); },
       {a, b}},
      {"distance_box_iou", [](const Vars& v) { return distance_box_iou(v[0], v[1]); }, {a, b}},
      {"box_area", [](const Vars& v) { return box_area(v[0]); }, {a}},
      {"convert_boxes",
       [](const Vars& v) { return convert_boxes(v[0], BoxForm::xyxy, BoxForm::cxcywh); },
       {a}},
      {"clip_boxes",
       [](const Vars& v) {
         return clip_boxes(v[0], {3, 4});
       },
       {a}},
  };
}

}  // namespace pliant::test
