// Cases of boxes coded beside anchors.
#pragma once

#include <pliant/autograd/ops/box_coding.h>
#include <pliant/tests/cases/boxes.h>

namespace pliant::test {

inline OpCases box_coding_cases() {
  const Tensor anchors = random_boxes(3, 5);
  return {{"encode_boxes",
           [](const Vars& v) { return encode_boxes(v[0], v[1]); },
           {random_boxes(3, 7), anchors}},
          {"decode_boxes",
           [](const Vars& v) { return decode_boxes(v[0], v[1]); },
           {random({3, 8}, 7), anchors}}};
}

}  // namespace pliant::test
