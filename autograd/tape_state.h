// TapeState: what a Tape and its Vars share. For the .cpp files of autograd/ alone.
#pragma once

#include <limits>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

// Steps hold slots, never Vars, so nothing here refers to itself.
struct TapeState {
  // The slot of what wants a gradient but is computed inside a checkpoint, whose steps are not
  // kept.
  static constexpr int kInside = std::numeric_limits<int>::max();

  struct Saved {
    Tensor tensor;
    std::uint64_t version = 0;
    int slot = -1;
  };
  struct Step {
    const char* op = "";
    int output = -1;
    Derivatives derivatives = Derivatives::first;
    std::vector<int> inputs;  // slots; -1: no gradient wanted
    std::vector<Saved> saved;
    GradientFunction gradient;
  };

  TapeOptions options;
  bool alive = true;
  bool spent = false;    // gradients were taken, and what the steps kept is gone
  bool passing = false;  // in the first run of a checkpoint: no steps are kept
  int reruns = 0;        // in how many second runs of checkpoints we are: buffers stay
  std::vector<Parameter>* watch = nullptr;  // told of every parameter that is lifted
  std::vector<Step> steps;
  std::vector<Shape> slots;  // shape of what each slot's gradient belongs to
  std::vector<std::pair<Parameter, int>> parameters;  // that want a gradient, with their slot
  std::vector<int> variables;
  std::unordered_map<std::uint64_t, int> lifted;  // Parameter::id() -> slot or -1

  int new_slot(const Shape& shape) {
    slots.push_back(shape);
    return static_cast<int>(slots.size()) - 1;
  }

  int slot_of(const Parameter& parameter) {
    if (watch != nullptr) watch->push_back(parameter);
    const auto [place, is_new] = lifted.try_emplace(parameter.id(), -1);
    if (is_new && options.record && !parameter.frozen()) {
      place->second = new_slot(parameter.shape());
      parameters.emplace_back(parameter, place->second);
    }
    return place->second;
  }

  void require_alive(const char* who) const {
    require(alive, who,
            ": the tape of this Var is gone; keep the Tape alive, or take the tensor "
            "out with value()");
  }

  // What a Var shows to nobody else.
  static const std::shared_ptr<TapeState>& of(const Var& var) { return var.tape_; }
  static int slot(const Var& var) { return var.slot_; }
  static Var var(Tensor value, const std::shared_ptr<TapeState>& tape, int slot) {
    return Var(std::move(value), tape, slot);
  }
};

}  // namespace pliant
