// The CPU in the place of a GPU, for tests of the CUDA half on machines without one. Kernels are
// compiled as C++ and run by the CPU's threads; this library answers where the CUDA runtime,
// cuBLASLt and cuDNN would. It is stricter than a device where it can be: what memory holds at first is NaN,
// kernels take their elements in an order that changes from launch to launch, and a recording
// stream refuses what CUDA's would. Under AddressSanitizer, device memory is closed to the host,
// and a kernel may not have caught the address of a variable there.
//
// Included before anything else by every .cu file.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include <cstddef>
#include <functional>

namespace pliant::gpu_on_cpu {

enum class Order : unsigned char { forwards, backwards };  // of a kernel's elements

// Does the work now, or keeps it for the graph while the stream records.
cudaError_t launch(std::function<void(Order)> work);

// What becomes of a plan of cuDNN's that is carried out.
enum class Plans : unsigned char { run, refuse, lose_the_device };

// What the device may be told to do wrong, for tests of what becomes of it.
struct Faults {
  bool is_lost = false;        // as after a kernel's illegal address: every call fails
  int refused_algorithms = 0;  // the heuristic offers so many first that do not run
  bool no_epilogues = false;   // it calls them an invalid value
  bool no_batches = false;     // and has no algorithm for more than one product at a time
  int unloadable_engines = 0;  // cuDNN's first ones, whose plans are refused as they are made
  Plans plans = Plans::run;
};
Faults& faults();

// Under AddressSanitizer, an Error that begins with `op` if one of a closure's words is the address
// of something on the host's heap, or on the stack above `frame`.
void check_words(const char* op, const void* closure, std::size_t bytes, const void* frame);

template <class... Closures>
void check_kernel(const char* op, const Closures&... closures) {
  const auto check = [op]<class Closure>(const Closure& closure) {
    Closure words = closure;
    __builtin_clear_padding(&words);  // which holds whatever was there before
    check_words(op, &words, sizeof words, &closure);
  };
  (check(closures), ...);
}

}  // namespace pliant::gpu_on_cpu

// CUDA's, of the atomicity that threads of the CPU need.
template <class T>
void atomicAdd(T* to, T value) {
  T held, sum;
  __atomic_load(to, &held, __ATOMIC_RELAXED);
  do {
    sum = held + value;
  } while (!__atomic_compare_exchange(to, &held, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}
inline void atomicAdd(float4* to, float4 value) {
  atomicAdd(&to->x, value.x);
  atomicAdd(&to->y, value.y);
  atomicAdd(&to->z, value.z);
  atomicAdd(&to->w, value.w);
}
