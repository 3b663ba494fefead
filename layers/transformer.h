// Layers of a transformer (Vaswani et al. 2017), by PyTorch's names and defaults but for the batch,
// which comes first here.
#pragma once

#include <cstdint>

#include <pliant/layers/dropout.h>
#include <pliant/layers/layer_norm.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/multihead_attention.h>

namespace pliant {

enum class FeedForward : unsigned char { relu, gelu };  // between its two linear layers
// Where a branch is normalised: its sum with x, or x as it enters (Xiong et al. 2020).
enum class NormFirst : unsigned char { no, yes };

struct TransformerLayerOptions {
  std::int64_t feed_forward = 2048;  // features between linear1 and linear2
  double dropout = 0.1;              // of the attention's weights, of linear1, and of each branch
  FeedForward activation = FeedForward::relu;
  NormFirst norm_first = NormFirst::no;
  double eps = 1e-5;  // of the norms
  BatchFirst batch_first = BatchFirst::yes;
};

// [N L E] -> the same. With the branches A(x) = dropout1(self_attn(x)) and F(x) =
// dropout2(linear2(dropout(activation(linear1(x))))) y = norm2(z + F(z)), z = norm1(x + A(x)); norm
// first: y = z + F(norm2(z)), z = x + A(norm1(x)). Dropout in training, from the tape's key.
class TransformerEncoderLayer : public Module {
 public:
  TransformerEncoderLayer(std::int64_t features, std::int64_t heads,
                          const TransformerLayerOptions& options = {});

  Var operator()(const Var& x, const AttentionMasks& masks = {}) const;

  MultiheadAttention self_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2;

 private:
  TransformerLayerOptions options_;
  Dropout dropout_, dropout1_, dropout2_;
};

// x [N L E], memory [N S E], what an encoder made -> [N L E]: the same with a branch between, by
// which x attends to the memory: multihead_attn, norm2, dropout2; the feed-forward's are norm3,
// dropout3.
class TransformerDecoderLayer : public Module {
 public:
  TransformerDecoderLayer(std::int64_t features, std::int64_t heads,
                          const TransformerLayerOptions& options = {});

  Var operator()(const Var& x, const Var& memory, const AttentionMasks& masks = {},
                 const AttentionMasks& memory_masks = {}) const;

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;

 private:
  TransformerLayerOptions options_;
  Dropout dropout_, dropout1_, dropout2_, dropout3_;
};

}  // namespace pliant
