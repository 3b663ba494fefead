// NAdam.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

// Adam with Nesterov's momentum: g, m and v as Adam's; u_t = beta1 * (1 - 0.96^(t *
// momentum_decay) / 2); p -= lr / (sqrt(v / (1 - beta2^t)) + eps) * ((1 - u_t) * g / (1 - u_1..u_t)
// + u_(t+1) * m / (1 - u_1..u_(t+1))). (Dozat 2016, as torch.optim.NAdam; t counts the steps that
// moved this parameter)
struct NAdamOptions {
  double lr = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;  // AdamW's: p *= 1 - lr * weight_decay, and g = gradient
  std::vector<std::string> may_lack = {};
};

class NAdam : public Optimizer {
 public:
  explicit NAdam(std::vector<Parameter> parameters, const NAdamOptions& options = {})
      : NAdam(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit NAdam(const std::vector<ParameterGroup>& groups, const NAdamOptions& options = {});

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
  double momentum(std::int64_t t) const;
  double momenta(std::int64_t t);  // the product of those of the steps 1 .. t

  NAdamOptions options_;
  std::vector<double> momenta_ = {1};  // of t = 0, 1, .. as far as they were asked for
};

}  // namespace pliant
