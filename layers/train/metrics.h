// What a classifier is judged by, counted on the host: it waits for the device. layers/train/tally.h
// counts on the device, for steps that are captured.
#pragma once

#include <cstdint>

#include <pliant/autograd/var.h>
#include <pliant/core/tensor.h>

namespace pliant {

// Rows whose label is among the k largest logits, equals in the order of the classes: logits
// [N C], labels int64 [N], each in [0, C). NaN is larger than any number.
std::int64_t count_right(const Var& logits, const Tensor& labels, std::int64_t k = 1);

// Their share of the rows; of no rows NaN.
double accuracy(const Var& logits, const Tensor& labels, std::int64_t k = 1);

}  // namespace pliant
