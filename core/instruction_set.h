// Which vector instructions the kernels use: the widest that both this build and this processor
// have. Everything else is compiled for any processor of its kind, unless PLIANT_NATIVE is on; then
// there is one set, that of the machine that built it.
#pragma once

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

// The environment variable PLIANT_INSTRUCTIONS (baseline, avx2 or avx512), read when the program
// starts, asks for less than the widest; what is not there is an Error at the first computation.
// Results differ in their last bits from one set to another, for AVX2 and AVX-512 round a * b + c
// once; those of one set are the same bits always.
InstructionSet instruction_set();
// From here on; not to be called while anything is computed. What is not available is an Error.
void set_instruction_set(InstructionSet set);

}  // namespace pliant
