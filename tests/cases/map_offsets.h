// Cases of maps each of whose elements is read elsewhere.
#pragma once

#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/tests/generic_places.h>

namespace pliant::test {

inline OpCases map_offsets_cases() {
  const auto warp = [](const Vars& v) { return map_offsets(v[0], v[1]); };
  const auto flat_at_integers = [](const Vars& v) {
    return map_offsets(v[0], v[1], {.at_integers = AtIntegers::zero});
  };
  const auto generic = [](Shape shape) {
    shape[3] *= 2;
    return generic_places(shape, 2, -2, 3, 0.9);
  };
  OpCases all;
  for (const Shape& shape :
       {Shape{2, 4, 5, 3}, Shape{1, 1, 1, 1}, Shape{0, 3, 3, 2}, Shape{3, 7, 2, 5}})
    all.push_back({"map_offsets", warp, {random(shape, 1), generic(shape)}, 1e-4});
  all.push_back({"map_offsets, flat at integers",
                 flat_at_integers,
                 {random({2, 4, 5, 3}, 1), generic({2, 4, 5, 3})},
                 1e-4});
  const std::vector<Tensor> whole = {random({2, 5, 4, 3}, 1), offsets({2, 5, 4, 6}, 2)};
  return joined({all, without_differences(
                          {{"map_offsets, whole offsets", warp, whole},
                           {"map_offsets, flat at whole offsets", flat_at_integers, whole}})});
}

}  // namespace pliant::test
