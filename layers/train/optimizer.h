// Optimizers: from gradients to a step of the parameters, in place.
//
//   Adam adam(net.parameters(), {.lr = 1e-3});
//   adam.set_lr(one_cycle_lr(step, {...}));
//   adam.step(tape.gradients(loss));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pliant/autograd/gradients.h>
#include <pliant/layers/module.h>

namespace pliant {

// Parameters that share what the optimizer is told apart from the rest.
struct ParameterGroup {
  std::vector<Parameter> parameters = {};
  double lr_factor = 1;                     // times the optimizer's learning rate
  std::optional<double> weight_decay = {};  // of their own
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // Moves, in place, every parameter of the optimizer that `gradients` has a gradient for and that
  // is not frozen; the others, and their state, stay.
  void step(const Gradients& gradients);

  // The learning rate of the next steps; groups multiply it by their factor.
  double lr() const { return lr_; }
  void set_lr(double lr);

  // What the optimizer remembers, by path: "stem.weight/steps" and, say, "stem.weight/momentum".
  // Parameters that were never moved have nothing to remember. The learning rate is the schedule's.
  State state() const;
  // A state of an optimizer of the same kind and paths; anything else in it is an Error.
  void load(const State& state);

 protected:
  struct Slot {
    Parameter parameter;
    double lr_factor;
    double weight_decay;
    std::int64_t steps = 0;      // that moved this parameter
    std::vector<Tensor> memory;  // one per name in memory_names, shaped as the parameter
  };

  Optimizer(const char* name, std::vector<const char*> memory_names,
            const std::vector<ParameterGroup>& groups, double lr, double weight_decay);

 private:
  // Moves one parameter; slot.steps counts this step already. `lr` has the group's factor in it.
  virtual void update(Slot& slot, const Tensor& gradient, double lr) = 0;
  void prepare(Slot& slot, const Tensor& gradient) const;

  const char* name_;  // for messages
  std::vector<const char*> memory_names_;
  std::vector<Slot> slots_;
  double lr_;
};

// g = gradient + weight_decay * p; buffer = g at the first step, then momentum * buffer +
// (1 - dampening) * g; p -= lr * (nesterov ? g + momentum * buffer : buffer). No buffer and plain
// p -= lr * g without momentum. (PyTorch's torch.optim.SGD)
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

class Sgd : public Optimizer {
 public:
  explicit Sgd(std::vector<Parameter> parameters, const SgdOptions& options = {})
      : Sgd(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Sgd(const std::vector<ParameterGroup>& groups, const SgdOptions& options = {});

 private:
  void update(Slot& slot, const Tensor& gradient, double lr) override;
  SgdOptions options_;
};

// g = gradient + weight_decay * p; m and v are running means of g and g^2 with rates beta1, beta2;
// p -= lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). (Kingma and Ba 2015, as
// torch.optim.Adam; t counts the steps that moved this parameter)
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
};

class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Parameter> parameters, const AdamOptions& options = {})
      : Adam(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Adam(const std::vector<ParameterGroup>& groups, const AdamOptions& options = {});

 private:
  void update(Slot& slot, const Tensor& gradient, double lr) override;
  AdamOptions options_;
};

}  // namespace pliant
