// Lion.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

// p *= 1 - lr * weight_decay; p -= lr * sign(beta1 * m + (1 - beta1) * gradient); then m = beta2 *
// m + (1 - beta2) * gradient. (Chen et al. 2023; every element moves by the rate itself, so that is
// three to ten times smaller than AdamW's, and weight_decay as many times larger)
struct LionOptions {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;
  std::vector<std::string> may_lack = {};
};

class Lion : public Optimizer {
 public:
  explicit Lion(std::vector<Parameter> parameters, const LionOptions& options = {})
      : Lion(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Lion(const std::vector<ParameterGroup>& groups, const LionOptions& options = {});

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
  LionOptions options_;
};

}  // namespace pliant
