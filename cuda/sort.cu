#include <pliant/cuda/sort.h>

#include <bit>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

// By the lowest `bits` of the keys.
template <class Key>
const std::int32_t* sort(const char* op, std::int64_t n, const Key* keys, Key* sorted_keys,
                         int bits, Workspace& workspace) {
  std::int32_t* const numbers = workspace.take<std::int32_t>(n);
  std::int32_t* const sorted = workspace.take<std::int32_t>(n);
  cuda::each(op, n, [=] __device__(std::int64_t i) { numbers[i] = static_cast<std::int32_t>(i); });
  std::size_t bytes = 0;
  const auto run = [&](void* room) {
    cuda::check(cub::DeviceRadixSort::SortPairs(room, bytes, keys, sorted_keys, numbers, sorted, n,
                                                0, bits, cuda::stream()),
                op, "cub::DeviceRadixSort");
  };
  run(nullptr);
  const cuda::Traced traced(op, "cub::DeviceRadixSort");
  run(workspace.take<char>(static_cast<std::int64_t>(bytes)));
  return sorted;
}

}  // namespace

cuda::Sorted cuda::sort_by_key(const char* op, std::int64_t n, const std::int32_t* keys,
                               std::int64_t largest, Workspace& workspace) {
  std::int32_t* const sorted_keys = workspace.take<std::int32_t>(n);
  const int bits = std::bit_width(static_cast<std::uint64_t>(largest));
  return {sorted_keys, sort(op, n, keys, sorted_keys, bits, workspace)};
}

const std::int32_t* cuda::sort_by_key(const char* op, std::int64_t n, const std::uint64_t* keys,
                                      Workspace& workspace) {
  return sort(op, n, keys, workspace.take<std::uint64_t>(n), 64, workspace);
}

void cuda::sum_before(const char* op, std::int64_t n, const std::int64_t* counts,
                      std::int64_t* sums, Workspace& workspace) {
  std::size_t bytes = 0;
  const auto scan = [&](void* room) {
    check(cub::DeviceScan::ExclusiveSum(room, bytes, counts, sums, n, stream()), op,
          "cub::DeviceScan");
  };
  scan(nullptr);
  const Traced traced(op, "cub::DeviceScan");
  scan(workspace.take<char>(static_cast<std::int64_t>(bytes)));
}

}  // namespace pliant
