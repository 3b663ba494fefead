#include <pliant/core/instruction_set.h>

#include <cstdlib>
#include <string>

#include <pliant/core/error.h>

namespace pliant {
namespace {

bool has(InstructionSet set) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                    __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0;
  if (set == InstructionSet::avx2) return avx2;
  if (set == InstructionSet::avx512)
    return avx2 && __builtin_cpu_supports("avx512f") != 0 &&
           __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#endif
  return set == InstructionSet::baseline;
}

void require_available(const char* who, InstructionSet set) {
  std::string names;
  for (const InstructionSet each : available_instruction_sets())
    names += std::string(names.empty() ? "" : ", ") + name_of(each);
  require(has(set), who, ": this processor has no ", name_of(set), "; there is ", names);
}

InstructionSet first_choice() {
  const char* const asked = std::getenv("PLIANT_INSTRUCTIONS");
  if (asked == nullptr) return available_instruction_sets().back();
  for (const InstructionSet set :
       {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512})
    if (std::string(asked) == name_of(set)) {
      require_available("PLIANT_INSTRUCTIONS", set);
      return set;
    }
  fail("PLIANT_INSTRUCTIONS: expected baseline, avx2 or avx512, got '", asked, "'");
}

}  // namespace

const char* name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::baseline:
      break;
  }
  return "baseline";
}

std::vector<InstructionSet> available_instruction_sets() {
  std::vector<InstructionSet> sets;
  for (const InstructionSet set :
       {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512})
    if (has(set)) sets.push_back(set);
  return sets;
}

void set_instruction_set(InstructionSet set) {
  require_available("set_instruction_set", set);
  detail::instruction_set.store(static_cast<int>(set), std::memory_order_relaxed);
}

std::atomic<int> detail::instruction_set{-1};

InstructionSet detail::choose_instruction_set() {
  const InstructionSet set = first_choice();
  instruction_set.store(static_cast<int>(set), std::memory_order_relaxed);
  return set;
}

}  // namespace pliant
