// Teams of neighbouring threads that add up together (collectives.cuh): how many, and what.
#pragma once

#include <cstdint>

namespace pliant::cuda {

inline constexpr int kWarp = 32;

// The most threads, a power of two up to `most`, that each have something to do in `count` things.
inline int team_of(std::int64_t count, int most) {
  int team = 1;
  while (2 * team <= most && 2 * team <= count) team *= 2;
  return team;
}

template <class T, int kSums>
struct Sums {
  T value[kSums] = {};
};

}  // namespace pliant::cuda
