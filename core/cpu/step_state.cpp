#include <pliant/core/kernels/step_state.h>

namespace pliant {

namespace {

void advance(std::int64_t* number) { ++*number; }

}  // namespace

constinit Kernel<NextStep> cpu::next_step{advance};

}  // namespace pliant
