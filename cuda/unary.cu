#include <pliant/core/kernels/unary.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void forward(UnaryOp op, std::int64_t n, const T* x, T* y) {
  cuda::each("unary", n, [=] __device__(std::int64_t i) { y[i] = apply(op, x[i]); });
}

template <class T>
void gradient(UnaryOp op, std::int64_t n, const T* y, const T* dy, T* dx) {
  cuda::each("unary", n, [=] __device__(std::int64_t i) { dx[i] = dy[i] * derivative(op, y[i]); });
}

}  // namespace

void cuda::unary_forward(UnaryOp op, std::int64_t n, const float* x, float* y) {
  forward(op, n, x, y);
}
void cuda::unary_forward(UnaryOp op, std::int64_t n, const double* x, double* y) {
  forward(op, n, x, y);
}
void cuda::unary_gradient(UnaryOp op, std::int64_t n, const float* y, const float* dy, float* dx) {
  gradient(op, n, y, dy, dx);
}
void cuda::unary_gradient(UnaryOp op, std::int64_t n, const double* y, const double* dy,
                          double* dx) {
  gradient(op, n, y, dy, dx);
}

}  // namespace pliant
