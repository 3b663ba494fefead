#include <pliant/core/instruction_set.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <pliant/core/error.h>

// Made with the kernels (cmake/kernel_entries.cmake), if they are compiled for more than one set.
extern "C" {
using Function = void (*)();
extern Function pliant_functions[];           // what is called
extern const Function pliant_functions_of[];  // all functions of kSets[0], then of kSets[1], ...
extern const std::size_t pliant_function_count;
// Where kernels' tables hold what is called; and where those of kSets[0] do, then of kSets[1], ...
extern Function* const pliant_words[];
extern const Function* const pliant_words_of[];
extern const std::size_t pliant_word_count;
[[noreturn]] void pliant_no_kernel();  // in the place of a kernel before one is chosen
}

namespace pliant {
namespace {

using enum InstructionSet;

// What the kernels are compiled for.
#if defined(PLIANT_KERNEL_SETS)
constexpr bool kChooses = true;
constexpr InstructionSet kSets[] = {PLIANT_KERNEL_SETS};
#else
constexpr bool kChooses = false;
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
constexpr InstructionSet kSets[] = {avx512};
#elif defined(__AVX2__) && defined(__FMA__)
constexpr InstructionSet kSets[] = {avx2};
#else
constexpr InstructionSet kSets[] = {baseline};
#endif
#endif

std::atomic<int> chosen{-1};

#if defined(__x86_64__)
// Of x86-64-v3, what not every compiler's __builtin_cpu_supports knows.
bool has_movbe_f16c_lzcnt() {
  unsigned a = 0, b = 0, c = 0, d = 0, extended = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_MOVBE) != 0 && (c & bit_F16C) != 0 &&
         __get_cpuid(0x80000001, &a, &b, &extended, &d) != 0 && (extended & bit_LZCNT) != 0;
}
#endif

bool has(InstructionSet set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                  __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0 &&
                  has_movbe_f16c_lzcnt();
  if (set == avx2) return v3;
  if (set == avx512)
    return v3 && __builtin_cpu_supports("avx512f") != 0 &&
           __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#endif
  return set == baseline;
}

void require_available(const char* who, InstructionSet set) {
  const std::vector<InstructionSet> sets = available_instruction_sets();
  if (std::find(sets.begin(), sets.end(), set) != sets.end()) return;
  std::string names;
  for (const InstructionSet each : sets)
    names += std::string(names.empty() ? "" : ", ") + name_of(each);
  fail(who, ": this ", has(set) ? "build" : "processor", " has no ", name_of(set), "; there is ",
       names);
}

InstructionSet first_choice() {
  const char* const asked = std::getenv("PLIANT_INSTRUCTIONS");
  if (asked == nullptr) return available_instruction_sets().back();
  for (const InstructionSet set : {baseline, avx2, avx512})
    if (std::string(asked) == name_of(set)) {
      require_available("PLIANT_INSTRUCTIONS", set);
      return set;
    }
  fail("PLIANT_INSTRUCTIONS: expected baseline, avx2 or avx512, got '", asked, "'");
}

void choose(InstructionSet set) {
  if constexpr (kChooses) {
    const auto set_number = static_cast<std::size_t>(
        std::find(std::begin(kSets), std::end(kSets), set) - std::begin(kSets));
    const auto store = [](Function& to, Function function) {
      std::atomic_ref(to).store(function, std::memory_order_relaxed);
    };
    for (std::size_t i = 0; i < pliant_function_count; ++i)
      store(pliant_functions[i], pliant_functions_of[set_number * pliant_function_count + i]);
    for (std::size_t i = 0; i < pliant_word_count; ++i)
      store(*pliant_words[i], *pliant_words_of[set_number * pliant_word_count + i]);
  }
  chosen.store(static_cast<int>(set), std::memory_order_relaxed);
}

// Before every constructor of a global that might compute, after PLIANT_NATIVE's refusal (101).
[[gnu::constructor(102)]] void choose_at_start() {
  try {
    choose(first_choice());
  } catch (const Error&) {  // said when something is computed: the program may only want --help
  }
}

}  // namespace

const char* name_of(InstructionSet set) {
  switch (set) {
    case avx2:
      return "avx2";
    case avx512:
      return "avx512";
    case baseline:
      break;
  }
  return "baseline";
}

std::vector<InstructionSet> available_instruction_sets() {
  std::vector<InstructionSet> sets;
  std::copy_if(std::begin(kSets), std::end(kSets), std::back_inserter(sets), has);
  return sets;
}

InstructionSet instruction_set() {
  if (chosen.load(std::memory_order_relaxed) < 0) choose(first_choice());
  return static_cast<InstructionSet>(chosen.load(std::memory_order_relaxed));
}

void set_instruction_set(InstructionSet set) {
  require_available("set_instruction_set", set);
  choose(set);
}

}  // namespace pliant

void pliant_no_kernel() {
  pliant::instruction_set();  // an Error, or it had chosen at the start
  pliant::fail("PLIANT_INSTRUCTIONS: no kernels are chosen");
}
