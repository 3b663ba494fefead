// The number of a training's step, where kernels read it.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

// What a kernel needs that changes from step to step. Usually it is `now`, worked out on the host;
// a step that is recorded and replayed takes element *number of `table`, which begins with the one
// of step `first`.
template <class S>
struct OfStep {
  S now;
  const S* table = nullptr;
  const std::int64_t* number = nullptr;
  std::int64_t first = 0;

  PLIANT_HD S get() const { return table == nullptr ? now : table[*number - first]; }
};

// ++*number
using NextStep = void(std::int64_t* number);

namespace cpu {
extern Kernel<NextStep> next_step;
}

namespace cuda {
extern Kernel<NextStep> next_step;
}

}  // namespace pliant
