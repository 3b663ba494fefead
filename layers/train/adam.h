// Adam and AdamW.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

// g = gradient + weight_decay * p; m and v are running means of g and g^2 with rates beta1, beta2;
// p -= lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). (Kingma and Ba 2015, as
// torch.optim.Adam; t counts the steps that moved this parameter). With amsgrad the largest v so far
// takes the place of v in the last line (Reddi, Kale and Kumar 2018).
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  std::vector<std::string> may_lack = {};
};

class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Parameter> parameters, const AdamOptions& options = {})
      : Adam(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Adam(const std::vector<ParameterGroup>& groups, const AdamOptions& options = {})
      : Adam("Adam", Decay::joins_gradient, memory_of(options), groups, options) {}

 protected:
  enum class Decay : unsigned char { joins_gradient, decoupled };
  Adam(const char* name, Decay decay, const MemoryOf& memory,
       const std::vector<ParameterGroup>& groups, const AdamOptions& options);
  static MemoryOf memory_of(const AdamOptions& options);
  Move update(Slot& slot, const Tensor& gradient) override;

 private:
  const char* name_;
  Decay decay_;
  AdamOptions options_;
};

// Adam whose weight decay stays out of the moments: p *= 1 - lr * weight_decay first, then Adam's
// step with g = gradient. (Loshchilov and Hutter 2019, as torch.optim.AdamW)
struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;
  std::vector<std::string> may_lack = {};
};

class AdamW : public Adam {
 public:
  explicit AdamW(std::vector<Parameter> parameters, const AdamWOptions& options = {})
      : AdamW(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit AdamW(const std::vector<ParameterGroup>& groups, const AdamWOptions& options = {})
      : Adam("AdamW", Decay::decoupled, memory_of(adam(options)), groups, adam(options)) {}

 private:
  static AdamOptions adam(const AdamWOptions& options) {
    return {.lr = options.lr,
            .beta1 = options.beta1,
            .beta2 = options.beta2,
            .eps = options.eps,
            .weight_decay = options.weight_decay,
            .amsgrad = options.amsgrad,
            .may_lack = options.may_lack};
  }
};

}  // namespace pliant
