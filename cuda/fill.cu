#include <pliant/core/kernels/fill.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "fill";

template <class T>
void fill_all(std::int64_t n, T value, T* y) {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    if (value == 0) return cuda::set_to_zero(kOp, y, n);
  cuda::each(kOp, n, [=] __device__(std::int64_t i) { y[i] = value; });
}

}  // namespace

constinit AnyKernel<Fill> cuda::fill{fill_all, fill_all, fill_all, fill_all, fill_all, fill_all};

}  // namespace pliant
