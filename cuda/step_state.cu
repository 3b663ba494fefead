#include <pliant/core/kernels/step_state.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {

void cuda::next_step(std::int64_t* number) {
  each("StepState", 1, [=] __device__(std::int64_t) { ++*number; });
}

}  // namespace pliant
