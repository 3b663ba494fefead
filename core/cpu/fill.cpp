#include <pliant/core/kernels/fill.h>

#include <algorithm>

namespace pliant {
namespace {

template <class T>
void fill_all(std::int64_t n, T value, T* y) {
  std::fill_n(y, n, value);
}

}  // namespace

constinit AnyKernel<Fill> cpu::fill{fill_all, fill_all, fill_all, fill_all, fill_all, fill_all};

}  // namespace pliant
