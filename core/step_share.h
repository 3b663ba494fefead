// StepShare: what a rank has of a step of a training.
#pragma once

#include <cstdint>
#include <vector>

namespace pliant {

// A step's batch is cut into parts, in order; a rank has some of them, one after another.
struct StepShare {
  struct Part {
    std::int64_t first, count;  // samples, counted from the step's first
  };
  std::int64_t samples = 0, parts = 0;  // of the step
  std::int64_t first_part = 0;          // number of mine[0] among them
  std::vector<Part> mine;               // may be none
};

}  // namespace pliant
