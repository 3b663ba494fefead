// Non-maximum suppression, greedy: contract and formula.
//
// Of boxes in descending order of their scores, one is kept unless its IoU with one kept before is
// above the threshold.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

template <class T>
struct NMSGeometry {
  std::int64_t n = 0;
  T threshold = 0;
  T side = 0;             // what x2 - x1 lacks of a width: 0, or 1 where corners name pixels
  std::int64_t most = 0;  // boxes to keep
};

// A box and its area.
template <class T>
struct NMSBox {
  T x1, y1, x2, y2, area;
};

// A side that ends before it begins counts as 0; NaN too.
template <class T>
PLIANT_HD T nms_side(T low, T high, T side) {
  const T length = high - low + side;
  return length > 0 ? length : T(0);
}

template <class T>
PLIANT_HD NMSBox<T> nms_box(const T* corners, T side) {
  return {corners[0], corners[1], corners[2], corners[3],
          nms_side(corners[0], corners[2], side) * nms_side(corners[1], corners[3], side)};
}

// Of two boxes of no area 0/0, which is not above any threshold.
template <class T>
PLIANT_HD T nms_iou(const NMSBox<T>& kept, const NMSBox<T>& box, T side) {
  const T low_x = kept.x1 > box.x1 ? kept.x1 : box.x1, low_y = kept.y1 > box.y1 ? kept.y1 : box.y1;
  const T high_x = kept.x2 < box.x2 ? kept.x2 : box.x2;
  const T high_y = kept.y2 < box.y2 ? kept.y2 : box.y2;
  const T shared = nms_side(low_x, high_x, side) * nms_side(low_y, high_y, side);
  return shared / (kept.area + box.area - shared);
}

template <class T>
PLIANT_HD bool nms_suppresses(const NMSBox<T>& kept, const NMSBox<T>& box, T side, T threshold) {
  return nms_iou(kept, box, side) > threshold;
}

// boxes [n 4]; writes the indices of those kept, ascending, and their number. kept [n].
template <class T>
using NMS = void(const NMSGeometry<T>&, const T* boxes, std::int64_t* kept, std::int64_t* count,
                 Workspace&);

namespace cpu {
extern FloatKernel<NMS> nms;
}  // namespace cpu

}  // namespace pliant
