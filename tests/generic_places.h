// Places to sample at that keep away from grid lines, where derivatives jump.
#pragma once

#include <cmath>

#include <pliant/tests/op_case.h>

namespace pliant::test {

// Multiples of 1/`parts` from `low` to 3, and up to `most` of a pixel beside them.
inline Tensor generic_places(const Shape& shape, std::uint64_t seed, double low, double high,
                             double most, double parts = 1) {
  const Tensor whole = random(shape, seed, low, high), beside = random(shape, seed + 1, 0.1, most);
  Tensor places = Tensor::empty(shape, DType::float64);
  for (std::int64_t i = 0; i < places.size(); ++i)
    places.mutable_data<double>()[i] =
        std::floor(parts * whole.data<double>()[i]) / parts + beside.data<double>()[i];
  return places;
}

}  // namespace pliant::test
