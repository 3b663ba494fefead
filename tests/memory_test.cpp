#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/internal/block_pool.h>
#include <pliant/core/memory.h>
#include <pliant/core/tensor.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

// The most memory that this process has had so far, in bytes.
std::int64_t peak_of_process() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;)
    if (std::int64_t kilobytes = 0; word == "VmHWM:" && in >> kilobytes) return kilobytes * 1024;
  return 0;
}

// What the pool may hold, having held `largest` live bytes.
std::int64_t bound(std::int64_t largest) { return largest + largest / 4 + 64 * kMiB; }

}  // namespace

TEST_CASE("memory in use and its peak follow tensors") {
  const Device cpu = Device::cpu();
  const std::int64_t before = memory_use(cpu).current;
  reset_memory_peak(cpu);
  {
    const Tensor a = Tensor::empty({1000}, DType::float32);
    CHECK(memory_use(cpu).current == before + 4000);
    const std::vector<Tensor> handles(2, a);
    { const Tensor b = Tensor::empty({500}, DType::float64); }
    CHECK(memory_use(cpu).current == before + 4000);
  }
  CHECK(memory_use(cpu).current == before);
  CHECK(memory_use(cpu).peak == before + 8000);
  reset_memory_peak(cpu);
  CHECK(memory_use(cpu).peak == before);
}

// A sanitizer sees to every block itself, so that none is kept.
TEST_CASE("memory: every size class is a block's own size and at most an eighth more" *
          doctest::skip(kSanitized)) {
  BlockPool pool;
  for (std::int64_t bytes = 1; bytes < 40 * kMiB; bytes += 1 + bytes / 7) {
    void* const memory = pool.take(bytes);
    REQUIRE(memory != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % kAlignment == 0);
    CHECK(pool.held() >= bytes);
    CHECK(pool.held() <= bytes + bytes / 8 + 2 * kAlignment);
    static_cast<char*>(memory)[bytes - 1] = 1;
    pool.give_back(memory, bytes);
    pool.trim();
    CHECK(pool.held() == 0);
  }
  CHECK(pool.take(std::int64_t{1} << 62) == nullptr);
}

TEST_CASE("memory: sizes that grow and shrink stay within the bound, and the last are kept" *
          doctest::skip(kSanitized)) {
  BlockPool pool;
  std::int64_t largest = 0;
  for (const std::int64_t step : {1, -1})
    for (std::int64_t i = step > 0 ? 1 : 400; i >= 1 && i <= 400; i += step) {
      const std::int64_t bytes = i * 1'000'000;
      largest = std::max(largest, bytes);
      pool.give_back(pool.take(bytes), bytes);
      CHECK(pool.held() <= bound(largest));
    }
  const std::int64_t before = pool.misses();
  for (int i = 0; i < 100; ++i)
    for (const std::int64_t bytes : {30'000'000, 7, 30'000'001, 5'000})
      pool.give_back(pool.take(bytes), bytes);
  CHECK(pool.misses() <= before + 4);
  pool.trim();
}

TEST_CASE("memory alone: growing tensors" * doctest::skip()) {
  const std::int64_t before = peak_of_process();
  for (std::int64_t i = 1; i <= 400; i += 21) {
    Tensor t = Tensor::empty({i * kMiB}, DType::uint8);
    for (std::int64_t at = 0; at < t.size(); at += 4096) t.mutable_data<std::uint8_t>()[at] = 1;
  }
  CHECK(peak_of_process() - before > 300 * kMiB);
  CHECK(peak_of_process() - before <= bound(400 * kMiB));
}

TEST_CASE("memory alone: a net on images of different heights" * doctest::skip()) {
  const Tensor first = Tensor::full({32, 3, 3, 3}, .1), second = Tensor::full({32, 3, 3, 32}, .1);
  const std::int64_t before = peak_of_process();
  reset_memory_peak(Device::cpu());
  for (std::int64_t i = 0; i < 80; ++i) {
    const Tape tape;
    const Var image = tape.variable(Tensor::full({1, 64 + 7 * i % 80 * 3, 256, 3}, .5));
    tape.gradients(
        sum(conv2d(conv2d(image, first, {}, {.padding = 1}), second, {}, {.stride = 2})));
  }
  CHECK(peak_of_process() - before <= bound(memory_use(Device::cpu()).peak));
}

TEST_CASE("memory: a process's peak is bounded by the largest total of its tensors") {
  if (kSanitized) return;
  for (const char* const name :
       {"memory alone: growing tensors", "memory alone: a net on images of different heights"}) {
    const Anew run = run_anew("PLIANT_THREADS=2", name);
    CHECK_MESSAGE(run.status == 0, run.output);
    CHECK(contains(run.output, "1 passed"));
  }
}
