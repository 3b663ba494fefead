#include <pliant/core/kernels/gelu.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void forward(std::int64_t n, const T* x, T* y) {
  cuda::each("gelu", n, [=] __device__(std::int64_t i) { y[i] = gelu_value(x[i]); });
}

template <class T>
void gradient(std::int64_t n, const T* x, const T* dy, T* dx) {
  cuda::each("gelu", n, [=] __device__(std::int64_t i) { dx[i] = dy[i] * gelu_derivative(x[i]); });
}

}  // namespace

void cuda::gelu_forward(std::int64_t n, const float* x, float* y) { forward(n, x, y); }
void cuda::gelu_forward(std::int64_t n, const double* x, double* y) { forward(n, x, y); }
void cuda::gelu_gradient(std::int64_t n, const float* x, const float* dy, float* dx) {
  gradient(n, x, dy, dx);
}
void cuda::gelu_gradient(std::int64_t n, const double* x, const double* dy, double* dx) {
  gradient(n, x, dy, dx);
}

}  // namespace pliant
