#include <pliant/core/kernels/step_state.h>

namespace pliant {

void cpu::next_step(std::int64_t* number) { ++*number; }

}  // namespace pliant
