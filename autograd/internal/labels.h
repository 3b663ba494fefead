// What losses of classes check in common: scores [... C] and a label of each row, class weights [C].
#pragma once

#include <pliant/autograd/var.h>

namespace pliant {

// Calls f(element) for those of a floating tensor on the CPU; elsewhere they are not at hand.
template <class F>
void each_at_hand(const char* op, const Tensor& tensor, F&& f) {
  if (!tensor.device().is_cpu()) return;
  visit_any_floating(op, tensor.dtype(), [&]<class T>() {
    for (const T element : tensor.span<T>()) f(static_cast<double>(element));
  });
}

// The scores, called `name`, have classes and one floating kind.
void check_scores(const char* op, const char* name, const Var& scores);
// labels [...] of checked scores, integers in [0, C) or `ignored`, as int64; on the CPU, where they
// are at hand, each is looked at.
Tensor checked_labels(const char* op, const char* name, const Var& scores, const Tensor& labels,
                      std::int64_t ignored);
// w [C] or none, in the dtype of the scores; none is negative, on the CPU.
void check_class_weights(const char* op, const char* name, const Var& scores,
                         const Tensor& weights);

}  // namespace pliant
