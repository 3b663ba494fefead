// What a training step asks of the system's allocator: nothing for tensors once the pool is warm,
// and little for the tape. Counted by this program's own operator new.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <new>
#include <vector>

#include <doctest/doctest.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/memory.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/train/optimizer.h>

namespace {

thread_local long allocations = 0;  // by this thread, so far

// NOLINTBEGIN(cppcoreguidelines-no-malloc): this is where memory comes from.

void* counted(std::size_t bytes) {
  ++allocations;
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)

using namespace pliant;

namespace {

// Allocations of f(v), recorded, when the tape's own vectors need not grow.
long recording(const std::function<Var(const Var&)>& f) {
  const Tape tape;
  const Var v = tape.variable(Tensor::full({2, 8, 8, 32}, 0.5));
  long least = 1000000;
  for (int i = 0; i < 20; ++i) {
    const long before = allocations;
    const Var y = f(v);
    least = std::min(least, allocations - before);
    CHECK(y.wants_gradient());
  }
  return least;
}

}  // namespace

TEST_CASE("allocations: an operator new of this program is counted") {
  const long before = allocations;
  const std::vector<int> something(10);
  CHECK(allocations == before + 1);
}

TEST_CASE("allocations: a recorded op of one result makes at most four") {
  const Tensor weight = Tensor::full({32, 3, 3, 32}, 0.1), bias = Tensor::zeros({32});
  CHECK(recording([](const Var& x) { return relu(x); }) <= 4);
  CHECK(recording([](const Var& x) { return x + x; }) <= 4);
  CHECK(recording([](const Var& x) { return x * x; }) <= 4);
  CHECK(recording([](const Var& x) { return exp(x); }) <= 4);
  CHECK(recording([](const Var& x) { return sigmoid(x); }) <= 4);
  CHECK(recording([](const Var& x) { return max_pool2d(x, {.kernel = 2}); }) <= 5);  // and indices
  CHECK(recording([&](const Var& x) { return conv2d(x, weight, bias, {.padding = 1}); }) <= 4);
}

TEST_CASE("allocations: from the fourth training step on the pool has every block") {
  Sequential net(Conv2d(3, 32, {.kernel = 3, .padding = 1}), Relu(), BatchNorm2d(32),
                 DeformConv2d(32, 40, {.kernel = 3, .stride = 2, .padding = 1}), Relu(),
                 Conv2d(40, 32, {.kernel = 3, .padding = 1, .groups = 4}), GlobalAvgPool2d(),
                 Linear(32, 10));
  net.initialise(Rng(1));
  Adam adam(net.parameters(), {.lr = 1e-3});
  const Tensor images = Tensor::full({4, 12, 10, 3}, 0.5),
               labels = Tensor::zeros({4}, DType::int64);
  std::int64_t warm = 0;
  for (int step = 0; step < 8; ++step) {
    if (step == 3) warm = memory_pool_misses();
    const Tape tape;
  }
  if (warm > 0) CHECK(memory_pool_misses() == warm);
}
