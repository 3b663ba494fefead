// Tape: records what is computed from its Vars and gives gradients of a loss.
//
//   Tape tape;
//   Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
//   optimizer.step(tape.gradients(loss));
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pliant/autograd/gradients.h>
#include <pliant/autograd/parameter.h>
#include <pliant/autograd/var.h>
#include <pliant/core/error_op.h>
#include <pliant/core/random.h>

namespace pliant {

enum class Mode : unsigned char {
  training,   // layers train: batch statistics, dropout
  inference,  // layers infer, but the tape still records gradients
};

enum class Buffers : unsigned char {
  update,  // layers keep the statistics they compute in training
  keep,    // buffers stay as they are
};

struct TapeOptions {
  Mode mode = Mode::training;
  bool record = true;  // false: training behaviour, no gradients
  Buffers buffers = Buffers::update;
  std::optional<Rng> rng = {};  // the key of random layers; fork it by step
  // Of a step that is captured: random layers fork their keys by its number, where it is read by
  // their kernels.
  StepState step = {};
  // Mixed precision: floating inputs are rounded to bfloat16, and so is every activation after
  // them (autograd/ops/convert.h).
  std::optional<DType> activations = {};
  // Of a tape that sees a part of a batch: see autograd/batch_part.h. Outlives the tape.
  const BatchPart* part = nullptr;
};

struct GradientsOptions {
  Tensor cotangent = {};  // of a loss that is not a scalar; same shape as the loss
  // Records the gradients themselves, so that they can stand in another loss: Gradients::var()
  // gives them on the tape, nothing is released, and gradients() may be called again. An op without
  // a second derivative is an Error that names it.
  bool create_graph = false;
  // Told of each parameter's gradient as soon as nothing is to be added to it, while those of the
  // layers before are still to come. It may read the tensor and must not change it.
  std::function<void(const Parameter&, const Tensor&)> ready = {};
};

// Neither copied nor moved. Gradients are taken once, what the steps kept being released on the
// way; with create_graph as often as wanted. Threads may use a tape one after another; use by two
// at the same time is an Error.
class Tape {
 public:
  explicit Tape(const TapeOptions& options = {});
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // On the tape, no gradient wanted: the data, in the dtype of TapeOptions::activations.
  Var input(Tensor value) const;
  // On the tape, gradient wanted.
  Var variable(Tensor value) const;
  // A parameter on the tape: the same Var at every call. A frozen one wants no gradient.
  Var operator()(const Parameter& parameter) const;

  // Gradients of `loss` by every parameter and variable on the tape, and by the intermediates
  // named in `wanted`.
  Gradients gradients(const Var& loss, const std::vector<Var>& wanted = {},
                      const GradientsOptions& options = {}) const;

  // Tensors that the recorded steps keep for their gradients, in bytes.
  std::int64_t saved_bytes() const;

 private:
  std::shared_ptr<TapeState> state_;
};

class Backward;

// What a gradient function sees of its node: the cotangent of the output and what was saved.
class NodeView {
 public:
  const Var& cotangent() const { return cotangent_; }
  // Number `index` of what record() was told to save: a constant, or with create_graph the Var it
  // was. If it was changed in place since, that is an Error naming the op.
  Var saved(std::size_t index) const;
  // Whether the gradient by input number `index` is wanted; if not, an undefined Var will do.
  bool wants(std::size_t index) const;
  // Whether the gradients are to be differentiated too. An op recorded as Derivatives::all then
  // computes them with public ops, where it would take a kernel.
  bool creates_graph() const;

 private:
  friend class Backward;
  friend struct CheckpointNode;
  NodeView(Backward& backward, std::size_t node, Var cotangent)
      : backward_(backward), node_(node), cotangent_(std::move(cotangent)) {}
  Backward& backward_;
  std::size_t node_;
  Var cotangent_;
};

// The end of every op: gives `value` its place on the tape of `inputs`, if they have one. The node
// keeps `saved` (undefined ones are allowed; `value` itself may be among them) and the function
// only if some input wants a gradient. `op` outlives the tape: a literal.
Var record(const char* op, Tensor value, std::span<const Var> inputs, std::span<const Var> saved,
           GradientFunction gradient, Derivatives derivatives = Derivatives::first);
inline Var record(const char* op, Tensor value, std::span<const Var> inputs,
                  std::initializer_list<Var> saved, GradientFunction gradient,
                  Derivatives derivatives = Derivatives::first) {
  return record(op, std::move(value), inputs, std::span(saved.begin(), saved.size()),
                std::move(gradient), derivatives);
}
inline Var record(const char* op, Tensor value, std::initializer_list<Var> inputs,
                  std::initializer_list<Var> saved, GradientFunction gradient,
                  Derivatives derivatives = Derivatives::first) {
  return record(op, std::move(value), std::span(inputs.begin(), inputs.size()),
                std::span(saved.begin(), saved.size()), std::move(gradient), derivatives);
}

// `var` if `condition`, else an undefined Var: for what a node need not save.
inline Var keep_if(bool condition, const Var& var) { return condition ? var : Var(); }

}  // namespace pliant
