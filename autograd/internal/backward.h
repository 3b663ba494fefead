// Backward: the walk from a loss back over the nodes of a tape. For the .cpp files of autograd/
// alone.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <pliant/autograd/internal/anomaly_check.h>
#include <pliant/autograd/internal/tape_state.h>

namespace pliant {

class Backward {
 public:
  // What Tape::gradients() does.
  static Gradients run(const std::shared_ptr<TapeState>& tape, const Var& loss,
                       const std::vector<Var>& wanted, const GradientsOptions& options);

  // Runs `again`, which records nodes on the tape and returns the Var that stands for the output of
  // the node under way, walks them at once and takes them off the tape (with create_graph they
  // stay). Each gradient is added where and in the order in which it would be had these nodes been
  // on the tape from the start, so that no bit differs.
  void detour(const char* op, const Var& cotangent, const std::function<Var()>& again);

  const std::shared_ptr<TapeState>& tape() const { return tape_; }
  bool creates_graph() const { return graph_; }

 private:
  Backward(const std::shared_ptr<TapeState>& tape, const GradientsOptions& options)
      : tape_(tape),
        graph_(options.create_graph),
        ready_(options.ready),
        looking_(anomaly::looking) {}

  // A gradient under way: that of a Var of many uses is a long sum, which float64 holds from term
  // kFew + 1 on.
  struct Sum {
    static constexpr int kFew = 64;
    Var value;
    DType dtype = DType::float32;  // of its terms
    int terms = 0;
    void add(Var term, bool in_place);
    bool defined() const { return value.defined(); }
    // In the dtype of its terms.
    Var total() const;
  };

  void grow();
  void add(int slot, Var gradient);
  // Steps from the last one to number `first`.
  void walk(std::size_t first);
  // All steps; each parameter's gradient is told of when it is whole.
  void walk_and_tell();
  void visit(std::size_t node);
  // Of each node: the parameters that no node before it reads.
  std::vector<std::vector<std::size_t>> first_reads() const;
  void take(std::size_t node, Var cotangent, const GradientFunction& gradient);
  // The gradient as a tensor that shares storage with nothing else.
  static Tensor own(Var gradient);
  Gradients results(const std::vector<Var>& wanted);

  const std::shared_ptr<TapeState>& tape_;
  const bool graph_;
  const std::function<void(const Parameter&, const Tensor&)>& ready_;
  const anomaly::Looking looking_;
  std::vector<Sum> gradients_;  // by slot
  std::vector<bool> keep_;      // by slot: an intermediate whose gradient is wanted
};

}  // namespace pliant
