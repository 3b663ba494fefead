// Attention by scaled dot products (Vaswani et al. 2017).
#pragma once

#include <optional>

#include <pliant/autograd/tape.h>

namespace pliant {

struct AttentionOptions {
  // Of any dtype: query i attends to key j where mask[.. i j] is not 0. Broadcasts to [.. L S]:
  // [N 1 1 S] leaves out padding. (PyTorch's boolean attn_mask; its layers' masks say the
  // opposite.)
  Tensor mask = {};
  // Added to the scores, with a gradient; broadcasts to [.. L S]. (PyTorch's floating attn_mask.)
  Var bias = {};
  bool causal = false;               // query i attends to keys 0 .. i alone
  std::optional<double> scale = {};  // of the products; 1 / sqrt(E) unless given
  // Weights are dropped with this probability by a key, as dropout() does it, number
  // (.. * L + i) * S + j for one.
  double dropout = 0;
  Rng key = Rng();
  StepState step = {};
};

// softmax(scale * query key^T + bias) value: query [.. L E], key [.. S E], value [.. S V] ->
// [.. L V]; the leading axes broadcast, and E is at least 1. A query that may attend to nothing, be
// it by the mask, by a bias of -infinity or because S is 0, gives 0 and has no gradient, as in
// PyTorch. Scores are made by blocks and made again for the gradient, so memory grows with L + S,
// not L * S (unless the bias wants a gradient). Gradients of first order by a kernel, of higher
// ones by ops that do hold all scores. bfloat16 computes in float32.
Var scaled_dot_product_attention(const Var& query, const Var& key, const Var& value,
                                 const AttentionOptions& options = {});

}  // namespace pliant
