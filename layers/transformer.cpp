#include <pliant/layers/transformer.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {
namespace {

MultiheadAttentionOptions attention_of(const TransformerLayerOptions& options) {
  return {.dropout = options.dropout, .batch_first = options.batch_first};
}

LinearOptions first_linear(const TransformerLayerOptions& options) {
  return {.activation =
              options.activation == FeedForward::relu ? Activation::relu : Activation::none};
}

// x and a branch of it.
template <class Branch>
Var with_branch(const Var& x, const LayerNorm& norm, NormFirst first, const Branch& branch) {
  return first == NormFirst::yes ? x + branch(norm(x)) : norm(x + branch(x));
}

Var feed_forward(const Var& x, const Linear& linear1, const Dropout& dropout, const Linear& linear2,
                 FeedForward activation) {
  const Var h = linear1(x);  // and its ReLU
  return linear2(dropout(activation == FeedForward::gelu ? gelu(h) : h));
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t features, std::int64_t heads,
                                                 const TransformerLayerOptions& options)
    : self_attn(own("self_attn", MultiheadAttention(features, heads, attention_of(options)))),
      linear1(own("linear1", Linear(features, options.feed_forward, first_linear(options)))),
      linear2(own("linear2", Linear(options.feed_forward, features))),
      norm1(own("norm1", LayerNorm(features, {.eps = options.eps}))),
      norm2(own("norm2", LayerNorm(features, {.eps = options.eps}))),
      options_(options),
      dropout_(own("dropout", Dropout(options.dropout))),
      dropout1_(own("dropout1", Dropout(options.dropout))),
      dropout2_(own("dropout2", Dropout(options.dropout))) {}

Var TransformerEncoderLayer::operator()(const Var& x, const AttentionMasks& masks) const {
  const ErrorPlace here(path());
  const Var z = with_branch(x, norm1, options_.norm_first,
                            [&](const Var& inside) { return dropout1_(self_attn(inside, masks)); });
  return observed(
      "TransformerEncoderLayer", with_branch(z, norm2, options_.norm_first, [&](const Var& inside) {
        return dropout2_(feed_forward(inside, linear1, dropout_, linear2, options_.activation));
      }));
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t features, std::int64_t heads,
                                                 const TransformerLayerOptions& options)
    : self_attn(own("self_attn", MultiheadAttention(features, heads, attention_of(options)))),
      multihead_attn(
          own("multihead_attn", MultiheadAttention(features, heads, attention_of(options)))),
      linear1(own("linear1", Linear(features, options.feed_forward, first_linear(options)))),
      linear2(own("linear2", Linear(options.feed_forward, features))),
      norm1(own("norm1", LayerNorm(features, {.eps = options.eps}))),
      norm2(own("norm2", LayerNorm(features, {.eps = options.eps}))),
      norm3(own("norm3", LayerNorm(features, {.eps = options.eps}))),
      options_(options),
      dropout_(own("dropout", Dropout(options.dropout))),
      dropout1_(own("dropout1", Dropout(options.dropout))),
      dropout2_(own("dropout2", Dropout(options.dropout))),
      dropout3_(own("dropout3", Dropout(options.dropout))) {}

Var TransformerDecoderLayer::operator()(const Var& x, const Var& memory,
                                        const AttentionMasks& masks,
                                        const AttentionMasks& memory_masks) const {
  const ErrorPlace here(path());
  const NormFirst first = options_.norm_first;
  const Var z = with_branch(x, norm1, first,
                            [&](const Var& inside) { return dropout1_(self_attn(inside, masks)); });
  const Var seen = with_branch(z, norm2, first, [&](const Var& inside) {
    return dropout2_(multihead_attn(inside, memory, memory, memory_masks));
  });
  return observed(
      "TransformerDecoderLayer", with_branch(seen, norm3, first, [&](const Var& inside) {
        return dropout3_(feed_forward(inside, linear1, dropout_, linear2, options_.activation));
      }));
}

}  // namespace pliant
