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
          T* first, T* second, T* largest) {
  cuda::each("Adam", n, [=] __device__(std::int64_t i) {
    if (largest == nullptr)
      adam_update(step.get(), gradient[i], parameter[i], first[i], second[i]);
    else
      amsgrad_update(step.get(), gradient[i], parameter[i], first[i], second[i], largest[i]);
  });
}

template <class T>
void nadam(const OfStep<NAdamStep<T>>& step, std::int64_t n, const T* gradient, T* parameter,
           T* first, T* second) {
  cuda::each("NAdam", n, [=] __device__(std::int64_t i) {
    nadam_update(step.get(), gradient[i], parameter[i], first[i], second[i]);
  });
}

template <class T>
void lion(const OfStep<LionStep<T>>& step, std::int64_t n, const T* gradient, T* parameter,
          T* mean) {
  cuda::each("Lion", n, [=] __device__(std::int64_t i) {
    lion_update(step.get(), gradient[i], parameter[i], mean[i]);
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

constinit FloatKernel<SgdKernel> cuda::sgd_step{sgd, sgd};
constinit FloatKernel<AdamKernel> cuda::adam_step{adam, adam};
constinit FloatKernel<NAdamKernel> cuda::nadam_step{nadam, nadam};
constinit FloatKernel<LionKernel> cuda::lion_step{lion, lion};
constinit FloatKernel<RmsPropKernel> cuda::rmsprop_step{rmsprop, rmsprop};
constinit FloatKernel<AdagradKernel> cuda::adagrad_step{adagrad, adagrad};
constinit FloatKernel<AverageKernel> cuda::average_step{average, average};

}  // namespace pliant
