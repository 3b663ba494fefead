// RmsProp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

// g = gradient + weight_decay * p; s = alpha * s + (1 - alpha) * g^2 from 0; d = g / (sqrt(s) +
// eps), where a centered one takes the squared running mean of g (alpha too) off s first; with
// momentum b = momentum * b + d from 0 and p -= lr * b, else p -= lr * d. (Tieleman and Hinton
// 2012; centered: Graves 2013; as torch.optim.RMSprop)
struct RmsPropOptions {
  double lr = 0.01;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  std::vector<std::string> may_lack = {};
};

class RmsProp : public Optimizer {
 public:
  explicit RmsProp(std::vector<Parameter> parameters, const RmsPropOptions& options = {})
      : RmsProp(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit RmsProp(const std::vector<ParameterGroup>& groups, const RmsPropOptions& options = {});

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
  RmsPropOptions options_;
};

}  // namespace pliant
