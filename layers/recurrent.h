// Recurrent layers over sequences: GRU and LSTM, by PyTorch's formulas and names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/multihead_attention.h>

namespace pliant {

enum class Bidirectional : unsigned char { no, yes };

struct RecurrentOptions {
  std::int64_t layers = 1;
  Bias bias = Bias::yes;
  Bidirectional bidirectional = Bidirectional::no;
  BatchFirst batch_first = BatchFirst::yes;  // [N T ..]; no: [T N ..], as PyTorch without it
  double dropout = 0;                        // between layers, in training
};

// What GRU and LSTM have in common. D is 2 for both directions, else 1; of layer l and, with
// `_reverse` behind their names, its backward direction: weight_ih_l<l> [gates*H in], or [.. D*H]
// from the second layer on, weight_hh_l<l> [gates*H H], bias_ih_l<l> and bias_hh_l<l> [gates*H].
// All start uniform within 1/sqrt(H). (torch.nn.RNNBase)
class Recurrent : public Module {
 public:
  std::int64_t hidden() const { return hidden_; }
  // Layers times directions: the first axis of states.
  std::int64_t state_count() const { return static_cast<std::int64_t>(cells_.size()); }

 protected:
  Recurrent(const char* kind, std::int64_t in, std::int64_t hidden, std::int64_t gates,
            const RecurrentOptions& options);

  // The parameters of one layer and direction.
  struct Cell {
    Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  };
  // What a cell makes of a sequence [T N in]: its hidden states [T N H], and the last states [N H].
  struct Steps {
    Var y;
    Vars last;
  };
  using Run = Steps (*)(const Cell& cell, const Var& x, const Vars& first);
  struct Result {
    Var y;
    Vars last;  // [layers*D N H] of each kind
  };
  // `first`: each [layers*D N H], or undefined for zeros.
  Result run(const Var& x, const Vars& first, Run cell_steps) const;

 private:
  Var checked_sequence(const Var& x) const;
  Vars checked_states(const Var& sequence, const Var& x, const Vars& first) const;

  const char* kind_;
  std::int64_t in_, hidden_;
  RecurrentOptions options_;
  std::vector<Cell> cells_;  // by layer, then direction
  Dropout dropout_;
};

struct GRUResult {
  Var y;       // [N T D*H]: the last layer's states
  Var hidden;  // [layers*D N H]: the last of every layer, of a backward direction the one at step 0
};

// x [N T in], or [T in] without a batch, and the first states [layers*D N H], zeros unless given ->
// GRUResult. The step: autograd/ops/recurrent.h; PyTorch's, not that of the first paper.
class GRU : public Recurrent {
 public:
  GRU(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options = {});

  GRUResult operator()(const Var& x, const Var& hidden = {}) const;
};

struct LSTMResult {
  Var y;             // [N T D*H]
  Var hidden, cell;  // [layers*D N H]
};

// The same with two states: h and c.
class LSTM : public Recurrent {
 public:
  LSTM(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options = {});

  LSTMResult operator()(const Var& x, const Var& hidden = {}, const Var& cell = {}) const;
};

}  // namespace pliant
