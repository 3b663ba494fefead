#include <pliant/core/kernels/optimizer.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

template <class T>
void sgd(const SgdStep<T>& step, std::int64_t n, const T* gradient, T* parameter, T* buffer) {
  parallel_blocks(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    T none = 0;
    for (std::int64_t i = begin; i < end; ++i)
      sgd_update(step, gradient[i], parameter[i], buffer == nullptr ? none : buffer[i]);
  });
}

template <class T>
void adam(const AdamStep<T>& step, std::int64_t n, const T* gradient, T* parameter, T* first,
          T* second) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      adam_update(step, gradient[i], parameter[i], first[i], second[i]);
  });
}

}  // namespace

void cpu::sgd_step(const SgdStep<float>& step, std::int64_t n, const float* gradient,
                   float* parameter, float* buffer) {
  sgd(step, n, gradient, parameter, buffer);
}
void cpu::sgd_step(const SgdStep<double>& step, std::int64_t n, const double* gradient,
                   double* parameter, double* buffer) {
  sgd(step, n, gradient, parameter, buffer);
}
void cpu::adam_step(const AdamStep<float>& step, std::int64_t n, const float* gradient,
                    float* parameter, float* first, float* second) {
  adam(step, n, gradient, parameter, first, second);
}
void cpu::adam_step(const AdamStep<double>& step, std::int64_t n, const double* gradient,
                    double* parameter, double* first, double* second) {
  adam(step, n, gradient, parameter, first, second);
}

}  // namespace pliant
