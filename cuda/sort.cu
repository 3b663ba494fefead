#include <pliant/cuda/sort.h>

#include <bit>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include <pliant/cuda/launch.cuh>

namespace pliant {

cuda::Sorted cuda::sort_by_key(const char* op, std::int64_t n, const std::int32_t* keys,
                               std::int64_t largest, Workspace& workspace) {
  std::int32_t* const numbers = workspace.take<std::int32_t>(n);
  std::int32_t* const sorted_keys = workspace.take<std::int32_t>(n);
  std::int32_t* const sorted = workspace.take<std::int32_t>(n);
  each(op, n, [=] __device__(std::int64_t i) { numbers[i] = static_cast<std::int32_t>(i); });
  const int bits = std::bit_width(static_cast<std::uint64_t>(largest));
  std::size_t bytes = 0;
  const auto sort = [&](void* room) {
    check(cub::DeviceRadixSort::SortPairs(room, bytes, keys, sorted_keys, numbers, sorted, n, 0,
                                          bits, stream()),
          op, "cub::DeviceRadixSort");
  };
  sort(nullptr);
  const Traced traced(op, "cub::DeviceRadixSort");
  sort(workspace.take<char>(static_cast<std::int64_t>(bytes)));
  return {sorted_keys, sorted};
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
