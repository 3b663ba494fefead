// Raw memory of either device: core/internal/block_pool.h on the CPU, the CUDA runtime's pool on the GPU.
#pragma once

#include <cstdint>

#include <pliant/core/device.h>

namespace pliant {

inline constexpr std::int64_t kAlignment = 64;  // bytes; one cache line, one AVX-512 vector

namespace cpu {
void* allocate(std::int64_t bytes);
void release(void* memory, std::int64_t bytes);
// Gives the blocks that the pool keeps (core/internal/block_pool.h says how many) back to the system.
void trim_memory_pool();
}  // namespace cpu

namespace cuda {
void* allocate(std::int64_t bytes, int device);
void release(void* memory, std::int64_t bytes, int device);
// Copies between host and device or within a device; returns when the host may reuse its side.
void copy(void* to, const void* from, std::int64_t bytes);
std::int64_t host_copies();
}  // namespace cuda

// Uninitialised bytes, aligned to kAlignment; what cannot be had is an Error that says how much
// was asked for.
void* allocate(std::int64_t bytes, Device device);
void release(void* memory, std::int64_t bytes, Device device);

// Bytes asked for and not yet given back on a kind of device, now and at most: tensors and
// workspaces, not what the pool keeps.
struct MemoryUse {
  std::int64_t current, peak;
};
MemoryUse memory_use(Device device);
// How often so far a CPU block had to be asked of the system, because the pool held none of its
// size.
std::int64_t memory_pool_misses();
// From here on the peak is counted anew, beginning at what is in use.
void reset_memory_peak(Device device);

// How often data have gone from the host to a GPU or back, so far: each time the host waited.
std::int64_t host_device_copies();

void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::int64_t bytes);

}  // namespace pliant
