#include <pliant/core/kernels/unary.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

template <class T, class F>
void each(std::int64_t n, F f) {
  parallel_blocks(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) f(i);
  });
}

// The op is fixed outside the loops, so that they vectorise.
template <class T>
void forward(UnaryOp op, std::int64_t n, const T* x, T* y) {
  switch (op) {
    case UnaryOp::relu:
      return each<T>(n, [=](std::int64_t i) { y[i] = apply(UnaryOp::relu, x[i]); });
    case UnaryOp::sigmoid:
      return each<T>(n, [=](std::int64_t i) { y[i] = apply(UnaryOp::sigmoid, x[i]); });
  }
}

template <class T>
void gradient(UnaryOp op, std::int64_t n, const T* y, const T* dy, T* dx) {
  switch (op) {
    case UnaryOp::relu:
      return each<T>(n, [=](std::int64_t i) { dx[i] = dy[i] * derivative(UnaryOp::relu, y[i]); });
    case UnaryOp::sigmoid:
      return each<T>(n,
                     [=](std::int64_t i) { dx[i] = dy[i] * derivative(UnaryOp::sigmoid, y[i]); });
  }
}

}  // namespace

void cpu::unary_forward(UnaryOp op, std::int64_t n, const float* x, float* y) {
  forward(op, n, x, y);
}
void cpu::unary_forward(UnaryOp op, std::int64_t n, const double* x, double* y) {
  forward(op, n, x, y);
}
void cpu::unary_gradient(UnaryOp op, std::int64_t n, const float* y, const float* dy, float* dx) {
  gradient(op, n, y, dy, dx);
}
void cpu::unary_gradient(UnaryOp op, std::int64_t n, const double* y, const double* dy,
                         double* dx) {
  gradient(op, n, y, dy, dx);
}

}  // namespace pliant
