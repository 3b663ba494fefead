// MultiheadAttention: attention by several heads that owns its projections.
#pragma once

#include <cstdint>

#include <pliant/autograd/ops/attention.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>

namespace pliant {

enum class BatchFirst : unsigned char { no, yes };

struct MultiheadAttentionOptions {
  double dropout = 0;                        // of the weights, in training
  Bias bias = Bias::yes;                     // of all projections
  std::int64_t key_features = 0;             // kdim; 0: those of the queries
  std::int64_t value_features = 0;           // vdim; 0: those of the queries
  BatchFirst batch_first = BatchFirst::yes;  // [N L E]; no: [L N E], as PyTorch without it
};

// Who may attend to whom. Masks hold where they are not 0, as in scaled_dot_product_attention;
// PyTorch's attn_mask and key_padding_mask of these layers say where not.
struct AttentionMasks {
  Tensor mask = {};      // broadcasts to [N H L S], so [L S] or [N 1 L S]
  Tensor key_mask = {};  // [N S]: the keys that are there and no padding; [S] without a batch
  Var bias = {};         // added to the scores; broadcasts to [N H L S]
  bool causal = false;   // query i attends to keys 0 .. i alone
};

// query [N L E], key [N S key_features], value [N S value_features] -> [N L E]; all without N, too.
// Each of the heads attends with E / heads features of its own (Vaswani et al. 2017). Parameters as
// in PyTorch: in_proj_weight [3E E], its rows the queries', the keys' and the values', or where
// these have other features q_proj_weight, k_proj_weight, v_proj_weight [E features]; in_proj_bias
// [3E]; out_proj.weight [E E], out_proj.bias [E].
class MultiheadAttention : public Module {
 public:
  MultiheadAttention(std::int64_t features, std::int64_t heads,
                     const MultiheadAttentionOptions& options = {});

  Var operator()(const Var& query, const Var& key, const Var& value,
                 const AttentionMasks& masks = {}) const;
  // x attends to itself.
  Var operator()(const Var& x, const AttentionMasks& masks = {}) const;

  Parameter in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight;  // those there are
  Parameter in_proj_bias;                                                 // undefined without one
  Linear out_proj;

 private:
  Vars projected(const Vars& inputs) const;
  Var attend(const Vars& inputs, const AttentionMasks& masks) const;
  AttentionOptions options_of(const Var& query, std::int64_t keys,
                              const AttentionMasks& masks) const;

  std::int64_t features_, heads_;
  MultiheadAttentionOptions options_;
  Dropout dropout_;
};

}  // namespace pliant
