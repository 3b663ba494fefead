#include <pliant/core/kernels/unary.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

// Of one function: a lambda of the device may not stand in a generic one.
template <class F, class T>
void forward_of(F f, std::int64_t n, const T* x, T* y) {
  cuda::each("unary", n, [=] __device__(std::int64_t i) { y[i] = T(f.value(Wide<T>(x[i]))); });
}
template <class F, class T>
void gradient_of(F f, std::int64_t n, const T* s, const T* dy, T* dx) {
  cuda::each("unary", n,
             [=] __device__(std::int64_t i) { dx[i] = T(dy[i] * f.slope(Wide<T>(s[i]))); });
}

template <class T>
void forward(const UnaryCall& call, std::int64_t n, const T* x, T* y) {
  visit_unary<Wide<T>>(call, [=](auto f) { forward_of(f, n, x, y); });
}
template <class T>
void gradient(const UnaryCall& call, std::int64_t n, const T* s, const T* dy, T* dx) {
  visit_unary<Wide<T>>(call, [=](auto f) { gradient_of(f, n, s, dy, dx); });
}

}  // namespace

constinit FloatingKernel<UnaryForward> cuda::unary_forward{forward, forward, forward};
constinit FloatingKernel<UnaryGradient> cuda::unary_gradient{gradient, gradient, gradient};

}  // namespace pliant
