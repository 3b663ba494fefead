// What a classifier is judged by. confusion_matrix.h has precision, recall, F1 and mean IoU over
// batches of any size, running_mean.h means over them.
//
//   RunningMean top5;
//   for (..) top5.add(mean(in_top_k(logits, labels, 5)), labels.size());
//   std::cout << top5.value();
#pragma once

#include <cstdint>

#include <pliant/autograd/var.h>
#include <pliant/core/tensor.h>

namespace pliant {

// 1 of a row whose label is among the k largest logits, equals in the order of the classes, else 0:
// logits [N C], integer labels [N], each in [0, C) -> float64 [N], where they are. NaN is larger
// than any number. Any other label is an Error on the CPU and gives NaN elsewhere.
Tensor in_top_k(const Var& logits, const Tensor& labels, std::int64_t k = 1);

// Their number, and their share of the rows; of no rows NaN. Both wait for the device.
std::int64_t count_right(const Var& logits, const Tensor& labels, std::int64_t k = 1);
double accuracy(const Var& logits, const Tensor& labels, std::int64_t k = 1);

}  // namespace pliant
