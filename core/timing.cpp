#include <pliant/core/timing.h>

#include <chrono>

namespace pliant {

double seconds_of(Device device, const std::function<void()>& work) {
  require(work != nullptr, "seconds_of: the function is empty");
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return cuda::seconds_of(work);
  }
  require(device.is_cpu(), "timing: this build has no CUDA");
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

DeviceFacts facts_of(Device device) {
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return cuda::facts();
  }
  return {"cpu", 0};
}

}  // namespace pliant
