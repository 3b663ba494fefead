// Sgd: gradient descent, with momentum if wanted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

// g = gradient + weight_decay * p; buffer = g at the first step, then momentum * buffer +
// (1 - dampening) * g; p -= lr * (nesterov ? g + momentum * buffer : buffer). No buffer and plain
// p -= lr * g without momentum. (PyTorch's torch.optim.SGD)
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  std::vector<std::string> may_lack = {};
};

class Sgd : public Optimizer {
 public:
  explicit Sgd(std::vector<Parameter> parameters, const SgdOptions& options = {})
      : Sgd(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Sgd(const std::vector<ParameterGroup>& groups, const SgdOptions& options = {});

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
  SgdOptions options_;
};

}  // namespace pliant
