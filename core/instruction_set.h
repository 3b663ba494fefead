// Which vector instructions the products of matrices use: the widest that both this build and this
// processor have. The rest of the library is compiled for one processor (PLIANT_NATIVE).
#pragma once

#include <atomic>
#include <vector>

namespace pliant {

enum class InstructionSet : unsigned char {
  baseline,  // what every processor of its kind has: SSE2 on x86-64
  avx2,      // AVX2 and FMA: x86-64-v3
  avx512,    // x86-64-v4
};

const char* name_of(InstructionSet set);
// What there is, narrowest first; never empty.
std::vector<InstructionSet> available_instruction_sets();

// The environment variable PLIANT_INSTRUCTIONS (baseline, avx2 or avx512) asks for less than the
// widest; what is not there is an Error at first use. Results differ in their last bits from one
// set to another.
inline InstructionSet instruction_set();
// From here on; not to be called while anything is computed. What is not available is an Error.
void set_instruction_set(InstructionSet set);

namespace detail {
extern std::atomic<int> instruction_set;  // below 0: not chosen yet
InstructionSet choose_instruction_set();
}  // namespace detail

// Inline, because every tile of a product asks.
inline InstructionSet instruction_set() {
  const int set = detail::instruction_set.load(std::memory_order_relaxed);
  return set < 0 ? detail::choose_instruction_set() : static_cast<InstructionSet>(set);
}

}  // namespace pliant
