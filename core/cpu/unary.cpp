#include <pliant/core/kernels/unary.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

// Each task has a copy of the function on its stack: the numbers in one that is shared could change
// with every element that is written, for all that the compiler knows, and its choices would branch.
template <class T>
void forward(const UnaryCall& call, std::int64_t n, const T* x, T* y) {
  visit_unary<Wide<T>>(call, [=](auto f) {
    parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
      const auto own = f;
      for (std::int64_t i = begin; i < end; ++i) y[i] = T(own.value(Wide<T>(x[i])));
    });
  });
}

template <class T>
void gradient(const UnaryCall& call, std::int64_t n, const T* s, const T* dy, T* dx) {
  visit_unary<Wide<T>>(call, [=](auto f) {
    parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
      const auto own = f;
      for (std::int64_t i = begin; i < end; ++i) dx[i] = T(dy[i] * own.slope(Wide<T>(s[i])));
    });
  });
}

}  // namespace

constinit FloatingKernel<UnaryForward> cpu::unary_forward{forward, forward, forward};
constinit FloatingKernel<UnaryGradient> cpu::unary_gradient{gradient, gradient, gradient};

}  // namespace pliant
