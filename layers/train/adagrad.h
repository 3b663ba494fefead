// Adagrad.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

// g = gradient + weight_decay * p; s += g^2, from initial_accumulator; p -= lr / (1 + (t - 1) *
// lr_decay) * g / (sqrt(s) + eps), t = 1, 2, .. the steps that moved this parameter. (Duchi, Hazan
// and Singer 2011, as torch.optim.Adagrad)
struct AdagradOptions {
  double lr = 0.01;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator = 0;
  double eps = 1e-10;
  std::vector<std::string> may_lack = {};
};

class Adagrad : public Optimizer {
 public:
  explicit Adagrad(std::vector<Parameter> parameters, const AdagradOptions& options = {})
      : Adagrad(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Adagrad(const std::vector<ParameterGroup>& groups, const AdagradOptions& options = {});

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
  AdagradOptions options_;
};

}  // namespace pliant
