// Optimizers: from gradients to a step of the parameters, in place.
//
//   Adam adam(net.parameters(), {.lr = 1e-3});
//   adam.set_lr(one_cycle_lr(step, {...}));
//   adam.step(tape.gradients(loss));
//
// Squares of gradients are kept in the parameter's type: of a float32 one, a gradient beyond 1.8e19
// makes Adam's, RMSprop's and Adagrad's infinite, and the element stays where it is from then on.
// Gradients::clip() before the step, whose norm() is right for all finite gradients.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pliant/autograd/gradients.h>
#include <pliant/core/kernels/step_state.h>
#include <pliant/core/step_state.h>
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
  // is not frozen; the others, and their state, stay. All is checked before anything moves. That
  // one which is not frozen has no gradient is told on standard error, once for each, unless
  // may_lack of the options names it: it was left off the tape, or the loss does not depend on it.
  // If none has a gradient (they are another net's), that is an Error.
  void step(const Gradients& gradients);
  // The same by the state's learning rate and number, for steps that are captured: where they are
  // read by the kernels. lr() and set_lr() have no part in it. The state's device must be that of
  // the parameters.
  void step(const Gradients& gradients, const StepState& state);

  // The learning rate of the next steps; groups and parameters multiply it by their factors.
  double lr() const { return lr_; }
  void set_lr(double lr);

  // What the optimizer remembers, by path: "stem.weight/steps" and, say, "stem.weight/momentum".
  // Parameters that were never moved have nothing to remember. The learning rate is the schedule's.
  State state() const;
  // A state of an optimizer of the same kind and paths; anything else in it is an Error.
  void load(const State& state);

 protected:
  using Move = std::function<void()>;
  struct Slot {
    Parameter parameter;
    double lr_factor;
    double weight_decay;
    bool may_lack = false;       // a gradient; or that it lacked one was told
    std::int64_t steps = 0;      // that moved this parameter
    std::vector<Tensor> memory;  // one per name in memory_names, shaped as the parameter
  };
  Optimizer(const char* name, std::vector<const char*> memory_names,
            const std::vector<ParameterGroup>& groups, double lr, double weight_decay,
            const std::vector<std::string>& may_lack);

  // What an update's kernel is given: make(lr, t) of this step, or a table of those of the steps
  // to come of a state. `lr` has the factors in it, t = 1, 2, .. counts the steps that move the
  // parameter. Of one type S for each dtype.
  template <class S, class Make>
  OfStep<S> of_step(const Slot& slot, Make make);

 private:
  // What tells apart the tables of two slots of a dtype.
  struct Pace {
    DType dtype;
    double lr_factor, own_lr_factor, weight_decay;
    std::int64_t lead;  // steps that moved the parameter beyond the state's number
    auto operator<=>(const Pace&) const = default;  // NOLINT(modernize-use-nullptr): 0 of its own
  };
  struct Table {
    Tensor constants;    // as bytes
    std::int64_t first;  // number of the step that it begins with
  };

  // What moves one parameter, made whole before any is moved: only the kernel is left to be called.
  // slot.steps does not count this step yet.
  virtual Move update(Slot& slot, const Tensor& gradient) = 0;
  void check(const Slot& slot, const Tensor& gradient) const;
  void make_room(Slot& slot) const;
  void report(const std::vector<Slot*>& lacking);
  void step_all(const Gradients& gradients);

  const char* name_;  // for messages
  std::vector<const char*> memory_names_;
  std::vector<Slot> slots_;
  double lr_;
  bool by_state_ = false;  // whether the step under way is
  StepState state_;        // of the last step that was
  std::map<Pace, Table> tables_;
};

// Patterns of paths in every options' may_lack: parameters that not every step has a gradient for.
// One that matches none is an Error.

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

// g = gradient + weight_decay * p; m and v are running means of g and g^2 with rates beta1, beta2;
// p -= lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). (Kingma and Ba 2015, as
// torch.optim.Adam; t counts the steps that moved this parameter)
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  std::vector<std::string> may_lack = {};
};

class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Parameter> parameters, const AdamOptions& options = {})
      : Adam(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Adam(const std::vector<ParameterGroup>& groups, const AdamOptions& options = {})
      : Adam("Adam", Decay::joins_gradient, groups, options) {}

 protected:
  enum class Decay : unsigned char { joins_gradient, decoupled };
  Adam(const char* name, Decay decay, const std::vector<ParameterGroup>& groups,
       const AdamOptions& options);

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
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
  std::vector<std::string> may_lack = {};
};

class AdamW : public Adam {
 public:
  explicit AdamW(std::vector<Parameter> parameters, const AdamWOptions& options = {})
      : AdamW(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit AdamW(const std::vector<ParameterGroup>& groups, const AdamWOptions& options = {})
      : Adam("AdamW", Decay::decoupled, groups,
             {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay,
              options.may_lack}) {}
};

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
