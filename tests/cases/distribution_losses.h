#pragma once

#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/distribution_losses.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// nll_loss, kl_div, and softmax_cross_entropy with probabilities.
inline OpCases distribution_losses_cases() {
  OpCases all;
  for (const LossReduction reduction :
       {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
    for (const bool weighted : {false, true})
      for (const Shape& shape : {Shape{4, 3}, Shape{3}, Shape{2, 3, 1, 5}, Shape{1, 1}}) {
        const Shape rows(std::span(shape.begin(), shape.end() - 1));
        Tensor labels = Tensor::zeros(rows, DType::int64);
        for (std::int64_t i = 0; i < labels.size(); ++i)
          labels.mutable_data<std::int64_t>()[i] = i % 4 == 1 ? -100 : i * 7 % shape.back();
        const Tensor weights = random({shape.back()}, 5, 0.2, 3);
        const auto weights_of = [=](const Var& x) {
          return weighted ? beside(x, weights) : Tensor();
        };
        all.push_back({"nll_loss",
                       [=](const Vars& v) {
                         return nll_loss(
                             v[0], beside(v[0], labels),
                             {.class_weights = weights_of(v[0]), .reduction = reduction});
                       },
                       {random(shape, 1, -3, 0)}});
        for (const double smoothing : {0.0, 0.3})
          all.push_back({"softmax_cross_entropy with probabilities",
                         [=](const Vars& v) {
                           return softmax_cross_entropy(v[0], v[1],
                                                        {.label_smoothing = smoothing,
                                                         .class_weights = weights_of(v[0]),
                                                         .reduction = reduction});
                         },
                         {random(shape, 1, -3, 3), random(shape, 2, 0, 1)}});
      }
    for (const bool log_target : {false, true})
      all.push_back({"kl_div",
                     [=](const Vars& v) {
                       return kl_div(v[0], v[1],
                                     {.log_target = log_target, .reduction = reduction});
                     },
                     {random({3, 5}, 3, -3, 0), random({3, 5}, 4, 0.1, 1)}});
  }
  return all;
}

}  // namespace pliant::test
