#include <pliant/core/kernels/gelu.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 4096;  // elements of a task

template <class T>
void forward(std::int64_t n, const T* x, T* y) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = gelu_value(x[i]);
  });
}

template <class T>
void gradient(std::int64_t n, const T* x, const T* dy, T* dx) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dx[i] = dy[i] * gelu_derivative(x[i]);
  });
}

}  // namespace

void cpu::gelu_forward(std::int64_t n, const float* x, float* y) { forward(n, x, y); }
void cpu::gelu_forward(std::int64_t n, const double* x, double* y) { forward(n, x, y); }
void cpu::gelu_gradient(std::int64_t n, const float* x, const float* dy, float* dx) {
  gradient(n, x, dy, dx);
}
void cpu::gelu_gradient(std::int64_t n, const double* x, const double* dy, double* dx) {
  gradient(n, x, dy, dx);
}

}  // namespace pliant
