// Var: a tensor on its way through a net, with its place on a tape if it has one.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>
#include <vector>

#include <pliant/autograd/parameter.h>
#include <pliant/core/random.h>
#include <pliant/core/step_state.h>
#include <pliant/core/tensor.h>

namespace pliant {

struct TapeState;
class BatchPart;
class NodeView;
class Var;

using Vars = std::vector<Var>;
// From a node's cotangent and saved values to one gradient per input; an undefined Var stands for
// none.
using GradientFunction = std::function<Vars(const NodeView&)>;

// What a gradient function can be taken for. `all`: with create_graph it is written in public ops
// (always, or where NodeView::creates_graph() says so) and is itself differentiated. `first`: it
// runs kernels, and a second derivative is an Error that names the op.
enum class Derivatives : unsigned char { first, all };

// A Tensor converts to a constant Var. A Var shares its tape's state, so using one after its tape
// is gone is an Error that says so.
//
// One that was computed off the tape from a parameter which is not frozen remembers it: to join it
// with a Var of a tape that records is an Error, for the parameter would get no gradient there.
// What is meant as a constant says so by detach(), or is taken out by value().
class Var {
 public:
  Var() = default;
  Var(Tensor value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  // A handle: ops that have nothing to do give the tensor that they were given, and so does
  // reshape(). clone() it before writing to it.
  const Tensor& value() const& { return value_; }
  Tensor value() && { return std::move(value_); }
  bool defined() const { return value_.defined(); }
  const Shape& shape() const& { return value_.shape(); }
  Shape shape() && { return value_.shape(); }
  int rank() const { return value_.rank(); }
  std::int64_t dim(int axis) const { return value_.dim(axis); }
  std::int64_t size() const { return value_.size(); }
  DType dtype() const { return value_.dtype(); }
  Device device() const { return value_.device(); }
  // The one element of a Var of size 1, a loss say. Waits for the device.
  double item() const { return value_.item(); }

  bool on_tape() const { return tape_ != nullptr; }
  bool wants_gradient() const { return slot_ >= 0; }
  // Whether layers should behave as in training: true only on a tape of Mode::training.
  bool training() const;
  // Whether a layer that computes new statistics should keep them.
  bool updates_buffers() const;
  // The key for random layers: the tape's. An Error off the tape and on one that was given none.
  Rng rng() const;
  bool has_rng() const;
  // The state of the tape's step; undefined where it was given none.
  StepState step_state() const;
  // The part of a batch that the tape sees; null where it sees the whole, and off a tape. The second
  // is null too where the other parts cannot be asked.
  const BatchPart* part() const;
  const BatchPart* coupled_part() const;

  // A parameter beside this value: on its tape, or off it if this is.
  Var lift(const Parameter& parameter) const;
  // A constant beside this value, as Tape::input() puts it on the tape: a recurrent net's first
  // state, say. What lies on this tape already stays as it is.
  Var lift(const Var& constant) const;

 private:
  friend class Tape;
  friend class Gradients;
  friend class Backward;
  friend struct TapeState;
  friend Var record(const char* op, Tensor value, std::span<const Var> inputs,
                    std::span<const Var> saved, GradientFunction gradient, Derivatives derivatives);

  Var(Tensor value, std::shared_ptr<TapeState> tape, int slot)
      : value_(std::move(value)), tape_(std::move(tape)), slot_(slot) {}

  Tensor value_;
  std::shared_ptr<TapeState> tape_;
  int slot_ = -1;  // index of its gradient on the tape; -1: no gradient wanted
                   // (TapeState::kInside: one is, but the node is not kept; TapeState::kOffTape:
                   // off the tape, from parameters that are not frozen)
};

// As its tensor is printed.
inline std::ostream& operator<<(std::ostream& out, const Var& var) { return out << var.value(); }

// The same value as a constant: no gradient passes, on a tape it stays where it is. A view.
Var detach(const Var& x);

}  // namespace pliant
