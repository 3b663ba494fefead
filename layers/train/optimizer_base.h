// Optimizer: what all optimizers have in common.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pliant/autograd/gradients.h>
#include <pliant/core/kernels/step_state.h>
#include <pliant/core/step_state.h>
#include <pliant/layers/module.h>
#include <pliant/layers/train/group.h>
#include <pliant/layers/train/schedule.h>

namespace pliant {

class StateReader;

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
  // read by the kernels. lr(), set_lr() and set_schedule() have no part in it. The state's device
  // must be that of the parameters.
  void step(const Gradients& gradients, const StepState& state);
  // How many there were, before a load() too.
  std::int64_t steps() const { return steps_; }

  // The learning rate of the next steps, with a schedule that of the last one; groups and
  // parameters multiply it by their factors.
  double lr() const { return lr_; }
  void set_lr(double lr);  // an Error beside a schedule
  // From now on step() sets the rate: schedule(steps()), so that it goes on after a load(). Of one
  // that counts epochs: [=](std::int64_t step) { return lr(step / batches); }. None: the rate stays.
  void set_schedule(Schedule schedule);

  // Of the parameters whose paths `pattern` matches, where * stands for any run of characters, dots
  // too; later calls win, matching none is an Error. Rates by pattern are the net's:
  // Module::set_lr_factor(). What is captured keeps the decay that it was captured with.
  void set_weight_decay(std::string_view pattern, double decay);

  // Shares what is remembered among the ranks (stage 1 of ZeRO, Rajbhandari et al. 2020): each
  // remembers some of the parameters, about as many elements as the others, moves those and tells
  // the others. The same bits as without. From now on all ranks call step(), state() and load() at
  // the same time, with the same gradients; a state is whole, and fits any number of ranks. Captured
  // steps are an Error.
  void share(const Group& group);

  // What the optimizer remembers, by path: "stem.weight/steps" and, say, "stem.weight/momentum";
  // and steps(), by "/steps". Parameters that were never moved have nothing to remember. The
  // learning rate is the schedule's.
  State state() const;
  // A state of an optimizer of the same kind and paths; anything else in it is an Error.
  void load(const State& state);

 protected:
  using Move = std::function<void()>;
  using Names = std::vector<const char*>;
  struct Slot {
    Parameter parameter;
    double lr_factor;
    double weight_decay;
    Names memory_names;
    bool may_lack = false;            // a gradient; or that it lacked one was told
    std::int64_t steps = 0;           // that moved this parameter
    std::vector<Tensor> memory = {};  // one per name, shaped as the parameter; at the owner alone
    int owner = 0;                    // the rank that moves it
  };
  // Names of what is remembered of a parameter.
  using MemoryOf = std::function<Names(const Parameter&)>;
  Optimizer(const char* name, const MemoryOf& memory, const std::vector<ParameterGroup>& groups,
            double lr, double weight_decay, const std::vector<std::string>& may_lack);
  // Of every parameter the same.
  Optimizer(const char* name, const Names& memory, const std::vector<ParameterGroup>& groups,
            double lr, double weight_decay, const std::vector<std::string>& may_lack)
      : Optimizer(
            name, [&](const Parameter&) { return memory; }, groups, lr, weight_decay, may_lack) {}

  // An Error that says `what`, an option, unless it is a number of at least 0.
  void require_number(const char* what, double number) const;
  // An Error unless both lie in [0, 1).
  void require_betas(double beta1, double beta2) const;

  // The slots whose paths match; none is an Error that says `what` the pattern is.
  std::vector<Slot*> matching(const char* what, std::string_view pattern);

  // What an update's kernel is given: make(lr, t) of this step, or a table of those of the steps
  // to come of a state. `lr` has the factors in it, t = 1, 2, .. counts the steps that move the
  // parameter. For each dtype and `variant` it is of one type S, and nothing else of the slot plays
  // a part in make but its weight decay. (layers/train/internal/of_step.h)
  template <class S, class Make>
  OfStep<S> of_step(const Slot& slot, Make make, double variant = 0);

 private:
  // What tells apart the tables of two slots of a dtype.
  struct Pace {
    DType dtype;
    double lr_factor, own_lr_factor, weight_decay, variant;
    std::int64_t lead;  // steps that moved the parameter beyond the state's number
    auto operator<=>(const Pace&) const = default;  // NOLINT(modernize-use-nullptr): 0 of its own
  };
  struct Table {
    Tensor constants;    // as bytes
    std::int64_t first;  // number of the step that it begins with
  };

  // What moves one parameter, made whole before any is moved: only kernels are left to be called.
  // slot.steps does not count this step yet.
  virtual Move update(Slot& slot, const Tensor& gradient) = 0;
  void check(const Slot& slot, const Tensor& gradient) const;
  void make_room(Slot& slot) const;
  void report(const std::vector<Slot*>& lacking);
  void report_strays(const Gradients& gradients);
  void step_all(const Gradients& gradients);
  bool owns(const Slot& slot) const { return group_.size() == 1 || slot.owner == group_.rank(); }
  void tell_others(const std::vector<std::size_t>& moved);
  Tensor whole_memory(const Slot& slot, std::size_t i) const;
  double checked_rate(double lr) const;
  double checked_decay(double decay) const;
  void check_kind(const Slot& slot, const State& state) const;
  void read(Slot& slot, StateReader& given) const;
  std::int64_t read_steps(const std::string& path, StateReader& given) const;

  const char* name_;  // for messages
  Group group_;
  std::vector<Slot> slots_;
  std::set<std::uint64_t> told_;  // ids of parameters of no module
  double lr_ = 0;
  Schedule schedule_;
  std::int64_t steps_ = 0;
  bool by_state_ = false;  // whether the step under way is
  StepState state_;        // of the last step that was
  std::map<Pace, Table> tables_;
};

}  // namespace pliant
