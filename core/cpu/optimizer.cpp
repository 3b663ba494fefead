#include <pliant/core/kernels/optimizer.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

template <class T>
void sgd(const OfStep<SgdStep<T>>& of_step, std::int64_t n, const T* gradient, T* parameter,
         T* buffer) {
  const SgdStep<T> step = of_step.get();
  parallel_blocks(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    T none = 0;
    for (std::int64_t i = begin; i < end; ++i)
      sgd_update(step, gradient[i], parameter[i], buffer == nullptr ? none : buffer[i]);
  });
}

template <class T>
void adam(const OfStep<AdamStep<T>>& of_step, std::int64_t n, const T* gradient, T* parameter,
          T* first, T* second, T* largest) {
  const AdamStep<T> step = of_step.get();
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    if (largest == nullptr)
      for (std::int64_t i = begin; i < end; ++i)
        adam_update(step, gradient[i], parameter[i], first[i], second[i]);
    else
      for (std::int64_t i = begin; i < end; ++i)
        amsgrad_update(step, gradient[i], parameter[i], first[i], second[i], largest[i]);
  });
}

template <class T>
void nadam(const OfStep<NAdamStep<T>>& of_step, std::int64_t n, const T* gradient, T* parameter,
           T* first, T* second) {
  const NAdamStep<T> step = of_step.get();
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      nadam_update(step, gradient[i], parameter[i], first[i], second[i]);
  });
}

template <class T>
void lion(const OfStep<LionStep<T>>& of_step, std::int64_t n, const T* gradient, T* parameter,
          T* mean) {
  const LionStep<T> step = of_step.get();
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      lion_update(step, gradient[i], parameter[i], mean[i]);
  });
}

template <class T>
void rmsprop(const OfStep<RmsPropStep<T>>& of_step, std::int64_t n, const T* gradient, T* parameter,
             T* mean_square, T* mean, T* buffer) {
  const RmsPropStep<T> step = of_step.get();
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      rmsprop_update(step, gradient[i], parameter[i], mean_square[i],
                     mean == nullptr ? nullptr : mean + i,
                     buffer == nullptr ? nullptr : buffer + i);
  });
}

template <class T>
void adagrad(const OfStep<AdagradStep<T>>& of_step, std::int64_t n, const T* gradient, T* parameter,
             T* sum) {
  const AdagradStep<T> step = of_step.get();
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

constinit FloatKernel<SgdKernel> cpu::sgd_step{sgd, sgd};
constinit FloatKernel<AdamKernel> cpu::adam_step{adam, adam};
constinit FloatKernel<NAdamKernel> cpu::nadam_step{nadam, nadam};
constinit FloatKernel<LionKernel> cpu::lion_step{lion, lion};
constinit FloatKernel<RmsPropKernel> cpu::rmsprop_step{rmsprop, rmsprop};
constinit FloatKernel<AdagradKernel> cpu::adagrad_step{adagrad, adagrad};
constinit FloatKernel<AverageKernel> cpu::average_step{average, average};

}  // namespace pliant
