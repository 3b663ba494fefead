#include <pliant/core/kernels/optimizer.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void sgd(const OfStep<SgdStep<T>>& step, std::int64_t n, const T* gradient, T* parameter,
         T* buffer) {
  cuda::each("Sgd", n, [=] __device__(std::int64_t i) {
    T none = 0;
    sgd_update(step.get(), gradient[i], parameter[i], buffer == nullptr ? none : buffer[i]);
  });
}

template <class T>
void adam(const OfStep<AdamStep<T>>& step, std::int64_t n, const T* gradient, T* parameter,
          T* first, T* second) {
  cuda::each("Adam", n, [=] __device__(std::int64_t i) {
    adam_update(step.get(), gradient[i], parameter[i], first[i], second[i]);
  });
}

template <class T>
void rmsprop(const OfStep<RmsPropStep<T>>& step, std::int64_t n, const T* gradient, T* parameter,
             T* mean_square, T* mean, T* buffer) {
  cuda::each("RmsProp", n, [=] __device__(std::int64_t i) {
    rmsprop_update(step.get(), gradient[i], parameter[i], mean_square[i],
                   mean == nullptr ? nullptr : mean + i, buffer == nullptr ? nullptr : buffer + i);
  });
}

template <class T>
void adagrad(const OfStep<AdagradStep<T>>& step, std::int64_t n, const T* gradient, T* parameter,
             T* sum) {
  cuda::each("Adagrad", n, [=] __device__(std::int64_t i) {
    adagrad_update(step.get(), gradient[i], parameter[i], sum[i]);
  });
}

template <class T>
void average(T share, std::int64_t n, const T* value, T* to) {
  cuda::each("MovingAverage", n,
             [=] __device__(std::int64_t i) { average_update(share, value[i], to[i]); });
}

}  // namespace

void cuda::sgd_step(const OfStep<SgdStep<float>>& step, std::int64_t n, const float* gradient,
                    float* parameter, float* buffer) {
  sgd(step, n, gradient, parameter, buffer);
}
void cuda::sgd_step(const OfStep<SgdStep<double>>& step, std::int64_t n, const double* gradient,
                    double* parameter, double* buffer) {
  sgd(step, n, gradient, parameter, buffer);
}
void cuda::adam_step(const OfStep<AdamStep<float>>& step, std::int64_t n, const float* gradient,
                     float* parameter, float* first, float* second) {
  adam(step, n, gradient, parameter, first, second);
}
void cuda::adam_step(const OfStep<AdamStep<double>>& step, std::int64_t n, const double* gradient,
                     double* parameter, double* first, double* second) {
  adam(step, n, gradient, parameter, first, second);
}
void cuda::rmsprop_step(const OfStep<RmsPropStep<float>>& step, std::int64_t n,
                        const float* gradient, float* parameter, float* mean_square, float* mean,
                        float* buffer) {
  rmsprop(step, n, gradient, parameter, mean_square, mean, buffer);
}
void cuda::rmsprop_step(const OfStep<RmsPropStep<double>>& step, std::int64_t n,
                        const double* gradient, double* parameter, double* mean_square,
                        double* mean, double* buffer) {
  rmsprop(step, n, gradient, parameter, mean_square, mean, buffer);
}
void cuda::adagrad_step(const OfStep<AdagradStep<float>>& step, std::int64_t n,
                        const float* gradient, float* parameter, float* sum) {
  adagrad(step, n, gradient, parameter, sum);
}
void cuda::adagrad_step(const OfStep<AdagradStep<double>>& step, std::int64_t n,
                        const double* gradient, double* parameter, double* sum) {
  adagrad(step, n, gradient, parameter, sum);
}
void cuda::average_step(float share, std::int64_t n, const float* value, float* to) {
  average(share, n, value, to);
}
void cuda::average_step(double share, std::int64_t n, const double* value, double* to) {
  average(share, n, value, to);
}

}  // namespace pliant
