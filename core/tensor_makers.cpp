// Tensors of counted and of random numbers.
#include <algorithm>
#include <cmath>

#include <pliant/core/parallel.h>
#include <pliant/core/random.h>
#include <pliant/core/sizes.h>
#include <pliant/core/tensor.h>

namespace pliant {
namespace {

constexpr std::int64_t kElementsPerTask = 4096;  // normal numbers take 20 ns each

// Element i, of the type of the tensor, becomes f(i).
template <class T, class F>
Tensor each(const Shape& shape, DType dtype, const F& f) {
  Tensor tensor = Tensor::empty(shape, dtype);
  T* const to = tensor.mutable_data<T>();
  parallel_blocks(tensor.size(), kElementsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = static_cast<T>(f(i));
  });
  return tensor;
}

// Made in float32 or float64, others by way of float32.
template <class F>
Tensor each_floating(const char* who, const Shape& shape, DType dtype, const F& f) {
  require(is_floating(dtype), who, ": the dtype is ", dtype, ", expected a floating one");
  if (dtype == DType::float64) return each<double>(shape, dtype, f);
  return each<float>(shape, DType::float32, f).to(dtype);
}

}  // namespace

Tensor Tensor::arange(std::int64_t begin, std::int64_t end, std::int64_t step) {
  require(step != 0, "arange: the step is 0");
  const bool is_empty = step > 0 ? begin >= end : begin <= end;
  const auto from = static_cast<std::uint64_t>(begin), to = static_cast<std::uint64_t>(end);
  const std::uint64_t span = is_empty   ? 0
                             : step > 0 ? to - from
                                        : from - to;  // fits: wraps rightly
  const auto width = static_cast<std::uint64_t>(step);
  const std::uint64_t steps = is_empty ? 0 : (span - 1) / (step > 0 ? width : 0 - width) + 1;
  require(steps <= std::uint64_t{1} << 62, "arange: ", steps, " numbers, more than any tensor has");
  const auto count = static_cast<std::int64_t>(steps);
  require_operations("arange", "numbers", {count});
  return each<std::int64_t>({count}, DType::int64,
                            [=](std::int64_t i) { return begin + i * step; });
}

Tensor Tensor::linspace(double first, double last, std::int64_t count, DType dtype) {
  require(count >= 0, "linspace: ", count, " numbers, expected at least 0");
  require_operations("linspace", "numbers", {count});
  require(std::isfinite(first) && std::isfinite(last), "linspace: from ", first, " to ", last,
          ", expected finite numbers");
  const auto gaps = static_cast<double>(std::max<std::int64_t>(count - 1, 1));
  const double range = last - first;  // may be too large for a number
  const double step = std::isfinite(range) ? range / gaps : last / gaps - first / gaps;
  return each_floating("linspace", {count}, dtype, [=](std::int64_t i) {
    return i < count / 2 || count == 1 ? std::fma(step, static_cast<double>(i), first)
                                       : std::fma(-step, static_cast<double>(count - 1 - i), last);
  });
}

Tensor Tensor::eye(std::int64_t size, DType dtype) {
  require(size >= 0, "eye: ", size, " rows, expected at least 0");
  require_operations("eye", "numbers", {size, size});
  return each_floating("eye", {size, size}, dtype,
                       [=](std::int64_t i) { return i / size == i % size ? 1.0 : 0.0; });
}

Tensor Tensor::rand(const Shape& shape, const Rng& rng, DType dtype) {
  if (dtype == DType::float64)
    return each<double>(shape, dtype, [=](std::int64_t i) {
      return rng.uniform(static_cast<std::uint64_t>(i), 0, 1);
    });
  const bool few_bits = dtype == DType::bfloat16;
  return each_floating("rand", shape, dtype, [=](std::int64_t i) {
    const auto number = static_cast<std::uint64_t>(i);  // in as many bits as the dtype has
    return few_bits ? static_cast<float>(rng.bits(number) >> 24) * 0x1p-8f : rng.uniform(number);
  });
}

Tensor Tensor::randn(const Shape& shape, const Rng& rng, DType dtype) {
  return each_floating("randn", shape, dtype,
                       [=](std::int64_t i) { return rng.normal(static_cast<std::uint64_t>(i)); });
}

Tensor Tensor::randint(std::int64_t low, std::int64_t high, const Shape& shape, const Rng& rng) {
  require(low < high, "randint: no numbers from ", low, " to below ", high);
  const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  return each<std::int64_t>(shape, DType::int64, [=](std::int64_t i) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) +
                                     rng.below(static_cast<std::uint64_t>(i), span));
  });
}

}  // namespace pliant
