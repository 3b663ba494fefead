// What this machine can do at best, which floor.py holds the kernels against: bytes copied, and
// products of a matrix product that stays in cache; on all threads.
#include <benchmark/benchmark.h>

#include <algorithm>

#include <pliant/bench/aligned_values.h>
#include <pliant/core/cpu/gemm.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// Argument: elements; what is copied is read once and written once.
void copy(benchmark::State& state) {
  const std::int64_t size = state.range(0);
  const bench::Values from = bench::normal(size, 1);
  bench::Values to = from;
  for (auto _ : state) {
    parallel_blocks(size, 65536, [&](std::int64_t begin, std::int64_t end) {
      std::copy(from.data() + begin, from.data() + end, to.data() + begin);
    });
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * size * 8);
}
// A map of a few megabytes, as between the layers of a net, and one beyond every cache.
BENCHMARK(copy)->Arg(1 << 20)->Arg(1 << 25)->UseRealTime();

void product(benchmark::State& state) {
  constexpr std::int64_t kRows = 96, kSize = 256;
  const std::int64_t threads = thread_count();
  const bench::Values a = bench::normal(threads * kRows * kSize, 1),
                      b = bench::normal(kSize * kSize, 2);
  bench::Values c = a, packed = bench::normal(cpu::packed_size<float>(kSize, kSize), 3);
  const auto right = cpu::pack<float>(kSize, kSize, {b.data(), kSize}, packed.data());
  constexpr std::int64_t kTimes = 100;
  for (auto _ : state)
    parallel_for(threads, [&](std::int64_t i) {
      for (std::int64_t time = 0; time < kTimes; ++time)
        cpu::gemm(kRows, a.data() + i * kRows * kSize, kSize, right, c.data() + i * kRows * kSize,
                  kSize);
    });
  state.counters["FLOP/s"] =
      benchmark::Counter(2.0 * static_cast<double>(threads * kTimes * kRows * kSize * kSize),
                         benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(product)->UseRealTime();

}  // namespace
}  // namespace pliant
