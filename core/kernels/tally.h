// What a training counts over its steps, added up where they run.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

// right[i] += guesses[i] == labels[i], i < n; *loss_sum += *loss.
template <class T>
using TallyStep = void(std::int64_t n, const std::int64_t* guesses, const std::int64_t* labels,
                       const T* loss, std::int64_t* right, double* loss_sum);

// Element i of it.
template <class T>
PLIANT_HD void tally_one(std::int64_t i, const std::int64_t* guesses, const std::int64_t* labels,
                         const T* loss, std::int64_t* right, double* loss_sum) {
  right[i] += guesses[i] == labels[i] ? 1 : 0;
  if (i == 0) *loss_sum += static_cast<double>(*loss);
}

namespace cpu {
extern FloatKernel<TallyStep> tally;
}  // namespace cpu

namespace cuda {
extern FloatKernel<TallyStep> tally;
}  // namespace cuda

}  // namespace pliant
