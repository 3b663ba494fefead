#include <pliant/core/column_memory.h>

#include <algorithm>
#include <atomic>

#include <pliant/core/error.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {
std::atomic<std::int64_t> limit{0};
}  // namespace

void set_column_memory(std::int64_t bytes) {
  require(bytes >= 0,
          "set_column_memory: expected a number of bytes, or 0 for the library's choice,", " got ",
          bytes);
  limit = bytes;
}

std::int64_t column_memory() { return limit; }

std::int64_t cpu::column_rows(std::int64_t row_bytes) {
  constexpr std::int64_t kCached = std::int64_t{448} * 1024;  // half of a usual second-level cache
  row_bytes = std::max<std::int64_t>(row_bytes, 1);
  if (const std::int64_t bytes = limit; bytes > 0)
    return std::max<std::int64_t>(bytes / thread_count() / row_bytes, 1);
  return std::clamp<std::int64_t>(kCached / row_bytes / 64, 1, 4) * 64;
}

}  // namespace pliant
