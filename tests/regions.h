// Regions of interest for tests: of two images, in input pixels of maps at half their size.
#pragma once

#include <vector>

#include <pliant/tests/op_case.h>

namespace pliant::test {

inline Tensor regions(const std::vector<double>& numbers) {
  return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size()) / 5, 5});
}

// Inside, over an edge, and of another image.
inline const Tensor& some_regions() {
  static const Tensor rois = regions({0, 2.3, 1.1, 9.7, 12.2, 1, -3.4, 4.2, 6.1,  19.3,  //
                                      1, 5.2, 0.3, 5.9, 7.7,  0, 8.1,  9.2, 15.6, 13.4});
  return rois;
}

inline const Tensor& odd_regions() {
  static const Tensor rois = regions({0, 1.3,   2.2,   9.7,  13.4,  // inside
                                      1, 0.1,   0.3,   16.9, 14.8,  // nearly all of the map
                                      1, -7.3,  -4.1,  6.2,  5.9,   // over the upper left corner
                                      0, 11.7,  9.2,   31.3, 29.1,  // over the lower right one
                                      0, 40.3,  50.2,  61.7, 60.4,  // outside
                                      1, -61.3, -52.7, 83.1, 94.9,  // larger than the map
                                      0, 5.3,   6.1,   5.3,  6.1,   // a point
                                      1, 9.7,   8.4,   4.2,  3.3,   // the wrong way round
                                      0, 2.6,   3.7,   10.8, 7.9});
  return rois;
}

// An op on the regions of a map, as a case.
inline OpCase region_case(const char* name, const Shape& map, const Tensor& rois,
                          const std::function<Var(const Var&, const Tensor&)>& op) {
  return {
      name, [=](const Vars& v) { return op(v[0], beside(v[0], rois)); }, {random(map, 1)}, 1e-4};
}

}  // namespace pliant::test
