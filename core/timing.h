// How long work takes on a device, and what a benchmark must know of the device.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <pliant/core/device.h>

namespace pliant {

// Seconds from before what `work` queues until the device has done it; the GPU's own clock there.
// Errors of work that ran on the GPU come out here.
double seconds_of(Device device, const std::function<void()>& work);

struct DeviceFacts {
  std::string name;          // "NVIDIA H200"
  std::int64_t cache_bytes;  // of the last level that one kernel leaves its data in; 0: not known
};
DeviceFacts facts_of(Device device);

namespace cuda {
double seconds_of(const std::function<void()>& work);
DeviceFacts facts();
}  // namespace cuda

}  // namespace pliant
