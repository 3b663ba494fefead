// Cases of losses of predictions beside targets.
#pragma once

#include <cmath>

#include <pliant/autograd/ops/losses.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct PairLoss {
  const char* name;
  std::function<Var(const Var&, const Var&, LossReduction)> reduced;
  std::function<double(double, double)> of_one;

  Var op(const Var& x, const Var& t) const { return reduced(x, t, LossReduction::mean); }
};

inline double naive_bce(double x, double t, double weight) {
  const double p = 1 / (1 + std::exp(-x));
  return -(weight * t * std::log(p) + (1 - t) * std::log(1 - p));
}

inline double naive_smooth(double d, double beta) {
  return std::abs(d) < beta ? d * d / (2 * beta) : std::abs(d) - beta / 2;
}

inline const std::vector<PairLoss>& pair_losses() {
  static const std::vector<PairLoss> all = {
      {"mse_loss", [](const Var& x, const Var& t, LossReduction r) { return mse_loss(x, t, r); },
       [](double x, double t) { return (x - t) * (x - t); }},
      {"l1_loss", [](const Var& x, const Var& t, LossReduction r) { return l1_loss(x, t, r); },
       [](double x, double t) { return std::abs(x - t); }},
      {"smooth_l1_loss",
       [](const Var& x, const Var& t, LossReduction r) { return smooth_l1_loss(x, t, 1, r); },
       [](double x, double t) { return naive_smooth(x - t, 1); }},
      {"smooth_l1_loss",
       [](const Var& x, const Var& t, LossReduction r) { return smooth_l1_loss(x, t, 0.3, r); },
       [](double x, double t) { return naive_smooth(x - t, 0.3); }},
      {"smooth_l1_loss",
       [](const Var& x, const Var& t, LossReduction r) { return smooth_l1_loss(x, t, 0, r); },
       [](double x, double t) { return std::abs(x - t); }},
      {"huber_loss",
       [](const Var& x, const Var& t, LossReduction r) { return huber_loss(x, t, 0.6, r); },
       [](double x, double t) { return 0.6 * naive_smooth(x - t, 0.6); }},
      {"binary_cross_entropy_with_logits",
       [](const Var& x, const Var& t, LossReduction r) {
         return binary_cross_entropy_with_logits(x, t, {.reduction = r});
       },
       [](double x, double t) { return naive_bce(x, t, 1); }},
      {"binary_cross_entropy_with_logits",
       [](const Var& x, const Var& t, LossReduction r) {
         return binary_cross_entropy_with_logits(x, t, {.positive_weight = 2.5, .reduction = r});
       },
       [](double x, double t) { return naive_bce(x, t, 2.5); }},
  };
  return all;
}

// With weights of classes and of elements.
inline Var weighted_cross_entropy(const Var& v, LossReduction reduction) {
  return binary_cross_entropy_with_logits(
      v, beside(v, random({2, 3, 4}, 2)),
      {.positive_weight = 2,
       .reduction = reduction,
       .positive_weights = beside(v, random({4}, 3, 0.2, 3)),
       .element_weights = beside(v, random({2, 1, 1}, 4, 0, 2))});
}

inline OpCases losses_cases() {
  OpCases all;
  for (const PairLoss& loss : pair_losses())
    for (const LossReduction reduction :
         {LossReduction::mean, LossReduction::sum, LossReduction::none})
      for (const Shape& shape :
           {Shape{}, Shape{1, 1}, Shape{7}, Shape{3, 5}, Shape{2, 3, 1, 4}, Shape{0, 3}}) {
        if (reduction == LossReduction::mean && shape.size() == 0) continue;  // NaN
        const Tensor x = random(shape, 1, -2, 2), t = random(shape, 2, 0.05, 0.95);
        all.push_back({loss.name,
                       [=, f = loss.reduced](const Vars& v) { return f(v[0], v[1], reduction); },
                       {x, t}});
        if (reduction == LossReduction::mean)
          all.push_back(
              {std::string(loss.name) + ", beside a constant",
               [=, f = loss.reduced](const Vars& v) { return f(v[0], beside(v[0], t), reduction); },
               {x}});
      }
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::none})
    all.push_back({"binary_cross_entropy_with_logits, weighted",
                   [=](const Vars& v) { return weighted_cross_entropy(v[0], reduction); },
                   {random({2, 3, 4}, 1, -2, 2)}});
  return joined(
      {all, without_differences({{"smooth_l1_loss of many",
                                  [](const Vars& v) { return smooth_l1_loss(v[0], v[1]); },
                                  {random({7, 33}, 1, -3, 3), random({7, 33}, 2, 0.3, 3)}}})});
}

}  // namespace pliant::test
