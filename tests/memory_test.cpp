#include <doctest/doctest.h>

#include <vector>

#include <pliant/core/memory.h>
#include <pliant/core/tensor.h>

using namespace pliant;

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
