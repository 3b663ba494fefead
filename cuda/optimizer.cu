#include <pliant/core/kernels/optimizer.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void sgd(const SgdStep<T>& step, std::int64_t n, const T* gradient, T* parameter, T* buffer) {
  cuda::each("Sgd", n, [=] __device__(std::int64_t i) {
    T none = 0;
    sgd_update(step, gradient[i], parameter[i], buffer == nullptr ? none : buffer[i]);
  });
}

template <class T>
void adam(const AdamStep<T>& step, std::int64_t n, const T* gradient, T* parameter, T* first,
          T* second) {
  cuda::each("Adam", n, [=] __device__(std::int64_t i) {
    adam_update(step, gradient[i], parameter[i], first[i], second[i]);
  });
}

}  // namespace

void cuda::sgd_step(const SgdStep<float>& step, std::int64_t n, const float* gradient,
                    float* parameter, float* buffer) {
  sgd(step, n, gradient, parameter, buffer);
}
void cuda::sgd_step(const SgdStep<double>& step, std::int64_t n, const double* gradient,
                    double* parameter, double* buffer) {
  sgd(step, n, gradient, parameter, buffer);
}
void cuda::adam_step(const AdamStep<float>& step, std::int64_t n, const float* gradient,
                     float* parameter, float* first, float* second) {
  adam(step, n, gradient, parameter, first, second);
}
void cuda::adam_step(const AdamStep<double>& step, std::int64_t n, const double* gradient,
                     double* parameter, double* first, double* second) {
  adam(step, n, gradient, parameter, first, second);
}

}  // namespace pliant
