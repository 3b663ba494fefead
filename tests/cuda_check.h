// How the GPU is held against the CPU on one case after the other.
#pragma once

#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <pliant/tests/gpu_under_test.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

using DTypes = std::vector<DType>;

// Of bfloat16, two roundings.
inline double tolerance(DType dtype) {
  return dtype == DType::float64 ? 1e-11 : dtype == DType::float32 ? 2e-5 : 0.01;
}

// Whether a case is among those asked for, PLIANT_CASES: those whose name has this text in it.
inline bool is_wanted(const OpCase& c) {
  const char* const text = std::getenv("PLIANT_CASES");
  return text == nullptr || contains(c.name, text);
}

// An Error of a case must not take the blame for those that follow, nor they for it. A kernel's
// fault ends the context: then nothing that follows says anything, and the process ends here.
inline void guarded(const OpCase& c, DType dtype, const std::function<void()>& work) {
  if (!is_wanted(c)) return;
  CAPTURE(c.name);
  CAPTURE(dtype);
  const std::string failure = error_of(work);
  CHECK_MESSAGE(failure.empty(), failure);
  if (failure.empty()) return;
  const std::string now =
      error_of([] { static_cast<void>(Tensor::full({1}, 1, DType::float32, gpu()).to_vector()); });
  if (now.empty()) return;
  std::cerr << "the GPU is lost to this process since the case \"" << c.name << "\" in " << dtype
            << ": " << failure << std::endl;
  std::_Exit(EXIT_FAILURE);
}

inline void check_case(const OpCase& c, DType dtype) {
  guarded(c, dtype, [&] {
    const std::vector<Tensor> on_cpu = run(c, dtype, Device::cpu());
    const std::vector<Tensor> on_gpu = run(c, dtype, gpu());
    const std::vector<Tensor> again = run(c, dtype, gpu());
    REQUIRE(on_cpu.size() == on_gpu.size());
    for (std::size_t i = 0; i < on_cpu.size(); ++i) {
      CAPTURE(i);
      CHECK(on_cpu[i].dtype() == on_gpu[i].dtype());
      CHECK(deviation(on_cpu[i], on_gpu[i]) < tolerance(dtype));
      CHECK(max_difference(on_gpu[i], again[i]) == 0.0);  // the same bits
    }
  });
}

inline void check_cases(const OpCases& cases, const DTypes& dtypes) {
  for (const OpCase& c : cases)
    for (const DType dtype : dtypes) check_case(c, dtype);
}

// Each case gives what the CPU gives, and the same bits twice.
inline void check_on_gpu(const OpCases& cases) {
  check_cases(cases, {DType::float32, DType::float64, DType::bfloat16});
}

// Results that need not be near the CPU's to the last bits, nor the same twice.
inline void check_near(const OpCase& c, DType dtype, double tolerance) {
  guarded(c, dtype, [&] {
    const std::vector<Tensor> on_cpu = run(c, dtype, Device::cpu());
    const std::vector<Tensor> on_gpu = run(c, dtype, gpu());
    REQUIRE(on_cpu.size() == on_gpu.size());
    for (std::size_t i = 0; i < on_cpu.size(); ++i)
      CHECK(deviation(on_cpu[i], on_gpu[i]) < tolerance);
  });
}

}  // namespace pliant::test
