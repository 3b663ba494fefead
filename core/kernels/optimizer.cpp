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

template <class T>
void rmsprop(const RmsPropStep<T>& step, std::int64_t n, const T* gradient, T* parameter,
             T* mean_square, T* mean, T* buffer) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      rmsprop_update(step, gradient[i], parameter[i], mean_square[i],
                     mean == nullptr ? nullptr : mean + i,
                     buffer == nullptr ? nullptr : buffer + i);
  });
}

template <class T>
void adagrad(const AdagradStep<T>& step, std::int64_t n, const T* gradient, T* parameter, T* sum) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      adagrad_update(step, gradient[i], parameter[i], sum[i]);
  });
}

template <class T>
void average(T share, std::int64_t n, const T* value, T* to) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) average_update(share, value[i], to[i]);
  });
}

}  // namespace

void cpu::sgd_step(const OfStep<SgdStep<float>>& step, std::int64_t n, const float* gradient,
                   float* parameter, float* buffer) {
  sgd(step.get(), n, gradient, parameter, buffer);
}
void cpu::sgd_step(const OfStep<SgdStep<double>>& step, std::int64_t n, const double* gradient,
                   double* parameter, double* buffer) {
  sgd(step.get(), n, gradient, parameter, buffer);
}
void cpu::adam_step(const OfStep<AdamStep<float>>& step, std::int64_t n, const float* gradient,
                    float* parameter, float* first, float* second) {
  adam(step.get(), n, gradient, parameter, first, second);
}
void cpu::adam_step(const OfStep<AdamStep<double>>& step, std::int64_t n, const double* gradient,
                    double* parameter, double* first, double* second) {
  adam(step.get(), n, gradient, parameter, first, second);
}
void cpu::rmsprop_step(const OfStep<RmsPropStep<float>>& step, std::int64_t n,
                       const float* gradient, float* parameter, float* mean_square, float* mean,
                       float* buffer) {
  rmsprop(step.get(), n, gradient, parameter, mean_square, mean, buffer);
}
void cpu::rmsprop_step(const OfStep<RmsPropStep<double>>& step, std::int64_t n,
                       const double* gradient, double* parameter, double* mean_square, double* mean,
                       double* buffer) {
  rmsprop(step.get(), n, gradient, parameter, mean_square, mean, buffer);
}
void cpu::adagrad_step(const OfStep<AdagradStep<float>>& step, std::int64_t n,
                       const float* gradient, float* parameter, float* sum) {
  adagrad(step.get(), n, gradient, parameter, sum);
}
void cpu::adagrad_step(const OfStep<AdagradStep<double>>& step, std::int64_t n,
                       const double* gradient, double* parameter, double* sum) {
  adagrad(step.get(), n, gradient, parameter, sum);
}
void cpu::average_step(float share, std::int64_t n, const float* value, float* to) {
  average(share, n, value, to);
}
void cpu::average_step(double share, std::int64_t n, const double* value, double* to) {
  average(share, n, value, to);
}

}  // namespace pliant
