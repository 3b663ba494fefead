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
  require(options.parts >= 1, who, ": a step of ", options.parts, " batches, expected at least 1");
  require(options.ranks >= 1 && options.rank >= 0 && options.rank < options.ranks, who, ": rank ",
          options.rank, " of ", options.ranks);
  const std::int64_t whole = checked_product(who, {options.size, options.parts});
  samples_ = options.drop_last ? samples / whole * whole : samples;
}

std::int64_t BatchPlan::steps() const { return ceil_quotient(count(), options_.parts); }

StepShare BatchPlan::share(std::int64_t step) const {
  StepShare share;
  const std::int64_t begin = step * options_.parts;
  const std::int64_t first_sample = begin * options_.size;
  share.parts = std::min(options_.parts, count() - begin);
  share.samples = std::min(options_.parts * options_.size, samples_ - first_sample);
  share.first_part = share_begin(share.parts, options_.rank, options_.ranks);
  const std::int64_t end = share_begin(share.parts, options_.rank + 1, options_.ranks);
  for (std::int64_t part = share.first_part; part < end; ++part) {
    const std::int64_t first = part * options_.size;
    share.mine.push_back({first, std::min(options_.size, share.samples - first)});
  }
  return share;
}

std::vector<std::int64_t> BatchPlan::own(std::int64_t first) const {
  std::vector<std::int64_t> batches;
  for (std::int64_t step = first / options_.parts; step < steps(); ++step) {
    const StepShare of_step = share(step);
    for (std::size_t i = 0; i < of_step.mine.size(); ++i) {
      const std::int64_t batch =
          step * options_.parts + of_step.first_part + static_cast<std::int64_t>(i);
      if (batch >= first) batches.push_back(batch);
    }
  }
  return batches;
}

std::int64_t BatchPlan::count() const { return ceil_quotient(samples_, options_.size); }

std::vector<std::int64_t> BatchPlan::order(std::int64_t epoch) const {
  if (!options_.shuffle) return {};
  return randperm(set_size_, options_.shuffle->fork(static_cast<std::uint64_t>(epoch)));
}

}  // namespace pliant
