#include <pliant/core/kernels/unary.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

template <class T>
void forward(const UnaryCall& call, std::int64_t n, const T* x, T* y) {
  visit_unary<Wide<T>>(call, [=](auto f) {
    parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = T(f.value(Wide<T>(x[i])));
    });
  });
}

template <class T>
void gradient(const UnaryCall& call, std::int64_t n, const T* s, const T* dy, T* dx) {
  visit_unary<Wide<T>>(call, [=](auto f) {
    parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) dx[i] = T(dy[i] * f.slope(Wide<T>(s[i])));
    });
  });
}

}  // namespace

void cpu::unary_forward(const UnaryCall& call, std::int64_t n, const float* x, float* y) {
  forward(call, n, x, y);
}
void cpu::unary_forward(const UnaryCall& call, std::int64_t n, const double* x, double* y) {
  forward(call, n, x, y);
}
void cpu::unary_forward(const UnaryCall& call, std::int64_t n, const BFloat16* x, BFloat16* y) {
  forward(call, n, x, y);
}
void cpu::unary_gradient(const UnaryCall& call, std::int64_t n, const float* s, const float* dy,
                         float* dx) {
  gradient(call, n, s, dy, dx);
}
void cpu::unary_gradient(const UnaryCall& call, std::int64_t n, const double* s, const double* dy,
                         double* dx) {
  gradient(call, n, s, dy, dx);
}
void cpu::unary_gradient(const UnaryCall& call, std::int64_t n, const BFloat16* s,
                         const BFloat16* dy, BFloat16* dx) {
  gradient(call, n, s, dy, dx);
}

}  // namespace pliant
