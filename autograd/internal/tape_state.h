// TapeState: what a Tape and its Vars share. For the .cpp files of autograd/ alone.
#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

// Steps hold slots, never Vars, so nothing here refers to itself.
struct TapeState {
  // The slot of what wants a gradient but is computed inside a checkpoint, whose nodes are not
  // kept.
  static constexpr int kInside = std::numeric_limits<int>::max();
  // Of what was computed off the tape from parameters that are not frozen.
  static constexpr int kOffTape = -2;

  struct Saved {
    Tensor tensor;
    std::uint64_t version = 0;
    int slot = -1;
  };
  // What a slot's gradient must be like.
  struct Kind {
    Shape shape;
    DType dtype;
    Device device;

    explicit Kind(const Tensor& of) : shape(of.shape()), dtype(of.dtype()), device(of.device()) {}
    bool fits(const Tensor& value) const {
      return shape == value.shape() && dtype == value.dtype() && device == value.device();
    }
    friend std::ostream& operator<<(std::ostream& out, const Kind& kind) {
      return out << kind.dtype << ' ' << kind.shape << " on " << kind.device;
    }
  };
  struct Node {
    const char* op = "";
    int output = -1;
    Derivatives derivatives = Derivatives::first;
    std::vector<int> inputs;  // slots; -1: no gradient wanted
    std::vector<Saved> saved;
    GradientFunction gradient;
  };

  TapeOptions options;
  std::atomic<bool> alive = true;
  std::atomic<const void*> user = nullptr;  // the thread at work on it: see TapeUse
  bool spent = false;                       // gradients were taken, and what the nodes kept is gone
  bool passing = false;                     // in the first run of a checkpoint: no nodes are kept
  int reruns = 0;  // in how many second runs of checkpoints we are: buffers stay
  std::vector<Parameter>* watch = nullptr;  // told of every parameter that is lifted
  std::vector<Node> nodes;
  std::vector<Kind> slots;                            // of what each slot's gradient belongs to
  std::vector<std::pair<Parameter, int>> parameters;  // that want a gradient, with their slot
  std::vector<int> variables;
  std::unordered_map<std::uint64_t, int> lifted;  // Parameter::id() -> slot

  int new_slot(const Tensor& value) {
    slots.emplace_back(value);
    return static_cast<int>(slots.size()) - 1;
  }

  int slot_of(const Parameter& parameter) {
    if (watch != nullptr) watch->push_back(parameter);
    if (!options.record || parameter.frozen()) return -1;  // as it is at this use
    const auto known = lifted.find(parameter.id());
    if (known != lifted.end()) return known->second;
    const int slot = new_slot(parameter.value());
    parameters.emplace_back(parameter, slot);
    lifted.emplace(parameter.id(), slot);  // last: what fails above leaves nothing behind
    return slot;
  }

  // What Tape::input() does; `self` is the handle to this.
  Var constant(Tensor value, const std::shared_ptr<TapeState>& self) const {
    if (options.activations && is_floating(value.dtype())) value = value.to(*options.activations);
    return var(std::move(value), self, -1);
  }

  void require_alive(const char* who) const {
    require(alive, who,
            ": the tape of this Var is gone; keep the Tape alive, or take the tensor "
            "out with value()");
  }

  // What a Var shows to nobody else.
  static const std::shared_ptr<TapeState>& of(const Var& var) { return var.tape_; }
  static int slot(const Var& var) { return var.slot_; }
  static bool is_off_tape(const Var& var) { return var.slot_ == kOffTape; }
  static Var var(Tensor value, const std::shared_ptr<TapeState>& tape, int slot) {
    return Var(std::move(value), tape, slot);
  }
};

// The right of this thread to a tape while it lives; an Error if another thread is at work on it.
// A thread that has it may take it again.
class TapeUse {
 public:
  TapeUse(const char* who, TapeState& tape) : tape_(tape) {
    const void* before = nullptr;
    taken_ = tape.user.compare_exchange_strong(before, &self_, std::memory_order_acquire);
    require(taken_ || before == &self_, who,
            ": this tape is in use by another thread; give each thread a Tape of its own (their "
            "Gradients add up by +=), or let one wait for the other");
  }
  // For the end of a tape, which cannot fail: waits.
  explicit TapeUse(TapeState& tape) : tape_(tape) {
    const void* before = nullptr;
    while (!(taken_ = tape.user.compare_exchange_weak(before, &self_, std::memory_order_acquire))) {
      if (before == &self_) return;
      if (before != nullptr) std::this_thread::yield();
      before = nullptr;
    }
  }
  ~TapeUse() {
    if (taken_) tape_.user.store(nullptr, std::memory_order_release);
  }
  TapeUse(const TapeUse&) = delete;
  TapeUse& operator=(const TapeUse&) = delete;

 private:
  inline static thread_local const char self_ = 0;  // its address names the thread
  TapeState& tape_;
  bool taken_ = false;
};

}  // namespace pliant
