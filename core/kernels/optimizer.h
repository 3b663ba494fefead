// Steps of optimizers, element by element, by PyTorch's rules. A parameter is changed in place.
#pragma once

#include <cmath>
#include <cstdint>

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

// Corrections of the moments' bias towards their start at zero: 1 - beta1^t, and the square root
// of 1 - beta2^t, where t = 1, 2, .. counts this parameter's steps. 1 - beta is handed over ready:
// in float32 a difference near 0 would lose digits.
template <class T>
struct AdamStep {
  T lr_over_correction1, root_correction2;
  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T eps, weight_decay;
};

template <class T>
PLIANT_HD void adam_update(const AdamStep<T>& step, T gradient, T& parameter, T& first, T& second) {
  const T g = gradient + step.weight_decay * parameter;
  first = step.beta1 * first + step.one_minus_beta1 * g;
  second = step.beta2 * second + step.one_minus_beta2 * g * g;
  const T root = std::sqrt(second) / step.root_correction2;
  parameter -= step.lr_over_correction1 * first / (root + step.eps);
}

// Over n elements. buffer may be null if the momentum is 0.
template <class T>
using SgdKernel = void(const SgdStep<T>&, std::int64_t n, const T* gradient, T* parameter,
                       T* buffer);
template <class T>
using AdamKernel = void(const AdamStep<T>&, std::int64_t n, const T* gradient, T* parameter,
                        T* first, T* second);

namespace cpu {
SgdKernel<float> sgd_step;
SgdKernel<double> sgd_step;
AdamKernel<float> adam_step;
AdamKernel<double> adam_step;
}  // namespace cpu

namespace cuda {
SgdKernel<float> sgd_step;
SgdKernel<double> sgd_step;
AdamKernel<float> adam_step;
AdamKernel<double> adam_step;
}  // namespace cuda

}  // namespace pliant
