// Steps of optimizers, element by element, by PyTorch's rules. A parameter is changed in place.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/step_state.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class T>
struct SgdStep {
  T lr, momentum, dampening, weight_decay;
  bool nesterov;
  bool first;  // this parameter's first step: the buffer becomes the gradient
};

// buffer holds the momentum of this element and is not touched if there is none.
template <class T>
PLIANT_HD void sgd_update(const SgdStep<T>& step, T gradient, T& parameter, T& buffer) {
  const T g = gradient + step.weight_decay * parameter;
  T direction = g;
  if (step.momentum != T(0)) {
    buffer = step.first ? g : step.momentum * buffer + (T(1) - step.dampening) * g;
    direction = step.nesterov ? g + step.momentum * buffer : buffer;
  }
  parameter -= step.lr * direction;
}

// The moments' bias towards their start at zero is corrected by c1 = 1 - beta1^t and c2 = 1 -
// beta2^t, where t = 1, 2, .. counts this parameter's steps:
//
//   lr * (first / c1) / (sqrt(second / c2) + eps) = rate * first / (sqrt(second) + floor)
//
// with rate = lr * sqrt(c2) / c1 and floor = eps * sqrt(c2), which leaves one division an element.
// 1 - beta is handed over ready: in float32 a difference near 0 would lose digits.
template <class T>
struct AdamStep {
  T rate, floor;
  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T weight_decay;
  T keep;  // what the parameter is multiplied by first: AdamW's 1 - lr * decay, else 1
};

template <class T>
PLIANT_HD void adam_update(const AdamStep<T>& step, T gradient, T& parameter, T& first, T& second) {
  const T g = gradient + step.weight_decay * parameter;
  first = step.beta1 * first + step.one_minus_beta1 * g;
  second = step.beta2 * second + step.one_minus_beta2 * g * g;
  parameter = step.keep * parameter - step.rate * first / (std::sqrt(second) + step.floor);
}
// With amsgrad: by the largest second moment so far.
template <class T>
PLIANT_HD void amsgrad_update(const AdamStep<T>& step, T gradient, T& parameter, T& first,
                              T& second, T& largest) {
  const T g = gradient + step.weight_decay * parameter;
  first = step.beta1 * first + step.one_minus_beta1 * g;
  second = step.beta2 * second + step.one_minus_beta2 * g * g;
  largest = largest < second ? second : largest;
  parameter = step.keep * parameter - step.rate * first / (std::sqrt(largest) + step.floor);
}

// Adam with Nesterov's momentum: beside the first moment stands the gradient itself.
//
//   (by_gradient * g + by_first * first) / (sqrt(second) + floor)
//
// with floor as Adam's; the factors have the rate, sqrt(c2) and the momenta in them.
template <class T>
struct NAdamStep {
  T by_gradient, by_first, floor;
  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T weight_decay;
  T keep;  // as Adam's
};

template <class T>
PLIANT_HD void nadam_update(const NAdamStep<T>& step, T gradient, T& parameter, T& first,
                            T& second) {
  const T g = gradient + step.weight_decay * parameter;
  first = step.beta1 * first + step.one_minus_beta1 * g;
  second = step.beta2 * second + step.one_minus_beta2 * g * g;
  parameter = step.keep * parameter -
              (step.by_gradient * g + step.by_first * first) / (std::sqrt(second) + step.floor);
}

template <class T>
struct LionStep {
  T lr;
  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T keep;  // as AdamW's
};

template <class T>
PLIANT_HD void lion_update(const LionStep<T>& step, T gradient, T& parameter, T& mean) {
  const T towards = step.beta1 * mean + step.one_minus_beta1 * gradient;
  const T sign = towards > T(0) ? T(1) : towards < T(0) ? T(-1) : towards;  // NaN stays
  parameter = step.keep * parameter - step.lr * sign;
  mean = step.beta2 * mean + step.one_minus_beta2 * gradient;
}

template <class T>
struct RmsPropStep {
  T lr, alpha, one_minus_alpha, eps, weight_decay, momentum;
};

// mean_square is always there; mean (of a centered one) and buffer (of momentum) are null if there
// are none. What is under the root is a variance: rounding may take it below 0, which counts as 0.
template <class T>
PLIANT_HD void rmsprop_update(const RmsPropStep<T>& step, T gradient, T& parameter, T& mean_square,
                              T* mean, T* buffer) {
  const T g = gradient + step.weight_decay * parameter;
  mean_square = step.alpha * mean_square + step.one_minus_alpha * g * g;
  T variance = mean_square;
  if (mean != nullptr) {
    *mean = step.alpha * *mean + step.one_minus_alpha * g;
    variance -= *mean * *mean;
    if (variance < T(0)) variance = T(0);
  }
  T direction = g / (std::sqrt(variance) + step.eps);
  if (buffer != nullptr) direction = *buffer = step.momentum * *buffer + direction;
  parameter -= step.lr * direction;
}

template <class T>
struct AdagradStep {
  T lr;  // decayed already
  T eps, weight_decay;
  T start;     // of the sum
  bool first;  // this parameter's first step
};

template <class T>
PLIANT_HD void adagrad_update(const AdagradStep<T>& step, T gradient, T& parameter, T& sum) {
  const T g = gradient + step.weight_decay * parameter;
  sum = (step.first ? step.start : sum) + g * g;
  parameter -= step.lr * g / (std::sqrt(sum) + step.eps);
}

// An exponential moving average: share is the weight of the new value. Where it is 1, and where the
// two are equal already, the average becomes the value exactly.
template <class T>
PLIANT_HD void average_update(T share, T value, T& average) {
  average = share == T(1) ? value : average + share * (value - average);
}

// Over n elements. What an optimizer was not told to remember is null.
template <class T>
using SgdKernel = void(const OfStep<SgdStep<T>>&, std::int64_t n, const T* gradient, T* parameter,
                       T* buffer);
template <class T>
using AdamKernel = void(const OfStep<AdamStep<T>>&, std::int64_t n, const T* gradient, T* parameter,
                        T* first, T* second, T* largest);
template <class T>
using NAdamKernel = void(const OfStep<NAdamStep<T>>&, std::int64_t n, const T* gradient,
                         T* parameter, T* first, T* second);
template <class T>
using LionKernel = void(const OfStep<LionStep<T>>&, std::int64_t n, const T* gradient, T* parameter,
                        T* mean);
template <class T>
using RmsPropKernel = void(const OfStep<RmsPropStep<T>>&, std::int64_t n, const T* gradient,
                           T* parameter, T* mean_square, T* mean, T* buffer);
template <class T>
using AdagradKernel = void(const OfStep<AdagradStep<T>>&, std::int64_t n, const T* gradient,
                           T* parameter, T* sum);
template <class T>
using AverageKernel = void(T share, std::int64_t n, const T* value, T* average);

namespace cpu {
extern FloatKernel<SgdKernel> sgd_step;
extern FloatKernel<AdamKernel> adam_step;
extern FloatKernel<NAdamKernel> nadam_step;
extern FloatKernel<LionKernel> lion_step;
extern FloatKernel<RmsPropKernel> rmsprop_step;
extern FloatKernel<AdagradKernel> adagrad_step;
extern FloatKernel<AverageKernel> average_step;
}  // namespace cpu

namespace cuda {
extern FloatKernel<SgdKernel> sgd_step;
extern FloatKernel<AdamKernel> adam_step;
extern FloatKernel<NAdamKernel> nadam_step;
extern FloatKernel<LionKernel> lion_step;
extern FloatKernel<RmsPropKernel> rmsprop_step;
extern FloatKernel<AdagradKernel> adagrad_step;
extern FloatKernel<AverageKernel> average_step;
}  // namespace cuda

}  // namespace pliant
