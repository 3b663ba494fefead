// StepShare: what a rank has of a step of a training.
#pragma once

#include <cstdint>
#include <vector>

namespace pliant {

// Where the share of rank `rank` begins, of so many things in order.
inline std::int64_t share_begin(std::int64_t things, std::int64_t rank, std::int64_t ranks) {
  return things * rank / ranks;
}

// A step's batch is cut into parts, in order; a rank has some of them, one after another.
struct StepShare {
  struct Part {
    std::int64_t first, count;  // samples, counted from the step's first
  };
  std::int64_t samples = 0, parts = 0;  // of the step
  std::int64_t first_part = 0;          // number of mine[0] among them
  std::vector<Part> mine;               // may be none: parts share out by share_begin()
};

}  // namespace pliant
