#include <pliant/data/loader.h>

#include <new>
#include <numeric>

#include <pliant/core/sizes.h>
#include <pliant/data/prefetch.h>

namespace pliant {

std::vector<std::int64_t> randperm(std::int64_t count, const Rng& rng) {
  require(count >= 0, "randperm: count is ", count, ", expected at least 0");
  require_operations("randperm", "numbers", {count});
  std::vector<std::int64_t> order;
  try {
    order.resize(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
    fail("randperm: the system has no memory for ", count, " numbers");
  }
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t last = order.size(); last > 1; --last)
    std::swap(order[last - 1], order[rng.below(last - 1, last)]);
  return order;
}

BatchPlan::BatchPlan(const char* who, std::int64_t samples, const LoaderOptions& options)
    : set_size_(samples), options_(options) {
  require(options.size >= 1, who, ": size is ", options.size, ", expected at least 1");
  require(options.ahead >= 1, who, ": ahead is ", options.ahead, ", expected at least 1");
  require(options.threads >= 1 && options.threads <= kMostPrefetchThreads, who, ": threads is ",
          options.threads, ", expected 1 to ", kMostPrefetchThreads);
  require(samples >= 0, who, ": the set says that it has ", samples, " samples");
  samples_ = options.drop_last ? samples / options.size * options.size : samples;
}

std::int64_t BatchPlan::count() const { return ceil_quotient(samples_, options_.size); }

std::vector<std::int64_t> BatchPlan::order(std::int64_t epoch) const {
  if (!options_.shuffle) return {};
  return randperm(set_size_, options_.shuffle->fork(static_cast<std::uint64_t>(epoch)));
}

}  // namespace pliant
