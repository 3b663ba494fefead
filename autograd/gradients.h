// Gradients: what Tape::gradients returns; parameters in the order of their construction.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <pliant/autograd/parameter.h>
#include <pliant/autograd/var.h>

namespace pliant {

class Backward;

// Each gradient has storage of its own, apart from the others and from all that the caller has;
// copies of a Gradients share it. References into a temporary are refused or given by value.
class Gradients {
 public:
  struct Entry {
    Parameter parameter;
    Tensor gradient;
  };

  Gradients() = default;
  // Of the caller's own making, one for each parameter at most.
  explicit Gradients(std::vector<Entry> entries);

  // Every parameter that the loss depends on, in the order of parameters(), never of addresses.
  const std::vector<Entry>& entries() const& { return entries_; }
  std::vector<Entry> entries() && { return std::move(entries_); }

  bool contains(const Parameter& parameter) const { return find(parameter) != nullptr; }
  bool contains(const Var& var) const { return find(var) != nullptr; }
  // The gradient, or nullptr if the loss does not depend on the parameter or it is frozen.
  const Tensor* find(const Parameter& parameter) const&;
  const Tensor* find(const Var& var) const&;
  const Tensor* find(const Parameter& parameter) && = delete;
  const Tensor* find(const Var& var) && = delete;
  // The same; what is not there is an Error that names it.
  const Tensor& operator[](const Parameter& parameter) const&;
  Tensor operator[](const Parameter& parameter) && { return std::as_const(*this)[parameter]; }
  // By a tape.variable(), or an intermediate that was named in the call of gradients().
  const Tensor& operator[](const Var& var) const&;
  Tensor operator[](const Var& var) && { return std::as_const(*this)[var]; }

  // The gradient as the call of gradients() gave it: with create_graph on the tape, else the
  // tensor as a constant.
  Var var(const Parameter& parameter) const;
  Var var(const Var& wanted) const;

  // Adds the gradients of another batch by parameters; those found in one alone are kept, and so are
  // gradients by Vars, which are of one tape. In the dtype of
  // the gradients, as PyTorch's .grad: docs/numerics.md has what float32 loses over many batches.
  Gradients& operator+=(const Gradients& other);
  // Multiplies every gradient.
  Gradients& operator*=(double factor);
  // Euclidean norm over all parameters' gradients, summed in float64.
  double norm() const;
  // Scales all so that norm() is at most `max_norm`; returns the norm before. Gradients with a NaN
  // stay as they are, and NaN is returned; infinite ones become NaN and the rest beside them zeros.
  double clip(double max_norm);
  // Brings every element into [-limit, limit]; limit above 0.
  void clip_values(double limit);

 private:
  friend class Backward;
  struct OfVar {
    int slot;
    Tensor gradient;
    Var on_tape;  // undefined without create_graph
  };
  const OfVar* of(const Var& var) const;

  std::vector<Entry> entries_;
  std::vector<std::pair<std::uint64_t, Var>> on_tape_;  // with create_graph, by Parameter::id()
  std::vector<OfVar> vars_;
  std::shared_ptr<TapeState> tape_;
};

}  // namespace pliant
