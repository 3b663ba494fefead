// Ops and layers of nets over sequences.
#include <pliant/autograd/ops/attention.h>
#include <pliant/autograd/ops/conv1d.h>
#include <pliant/autograd/ops/rms_norm.h>
#include <pliant/layers/recurrent.h>
#include <pliant/layers/transformer.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {
namespace {

RecurrentOptions recurrent_options(Call& call) {
  return {.layers = call.integer("layers"),
          .bias = call.flag("bias") ? Bias::yes : Bias::no,
          .bidirectional = call.flag("bidirectional") ? Bidirectional::yes : Bidirectional::no,
          .batch_first = call.flag("batch_first") ? BatchFirst::yes : BatchFirst::no};
}

AttentionMasks masks(Call& call, const std::string& key_mask = "key_mask") {
  AttentionMasks masks{.causal = call.flag("causal")};
  if (call.has_input(key_mask)) masks.key_mask = call.indices(key_mask);
  return masks;
}

TransformerLayerOptions transformer_options(Call& call) {
  return {.feed_forward = call.integer("feed_forward"),
          .dropout = 0,
          .activation = call.text("activation") == "gelu" ? FeedForward::gelu : FeedForward::relu,
          .norm_first = call.flag("norm_first") ? NormFirst::yes : NormFirst::no};
}

void run_rms_norm(Call& call) {
  RMSNormOptions options;
  if (call.has("eps")) options.eps = call.real("eps");
  call.output("y", rms_norm(call.variable("x"), call.optional_variable("weight"), options));
}

void run_conv1d(Call& call) {
  const std::vector<std::int64_t> padding = call.integers("padding");
  call.output("y",
              conv1d(call.variable("x"), call.variable("weight"), call.optional_variable("bias"),
                     {.stride = call.integer("stride"),
                      .padding = {padding.at(0), padding.at(1)},
                      .dilation = call.integer("dilation"),
                      .groups = call.integer("groups")}));
}

void run_scaled_dot_product_attention(Call& call) {
  AttentionOptions options{.bias = call.optional_variable("bias"), .causal = call.flag("causal")};
  if (call.has_input("mask")) options.mask = call.indices("mask");
  if (call.has("scale")) options.scale = call.real("scale");
  call.output("y", scaled_dot_product_attention(call.variable("query"), call.variable("key"),
                                                call.variable("value"), options));
}

void run_gru(Call& call) {
  const Var x = call.variable("x");
  GRU net(x.dim(-1), call.integer("hidden"), recurrent_options(call));
  call.parameters(net);
  const GRUResult result = net(x, call.optional_variable("h0"));
  call.output("y", result.y);
  call.output("hn", result.hidden);
}

void run_lstm(Call& call) {
  const Var x = call.variable("x");
  LSTM net(x.dim(-1), call.integer("hidden"), recurrent_options(call));
  call.parameters(net);
  const LSTMResult result = net(x, call.optional_variable("h0"), call.optional_variable("c0"));
  call.output("y", result.y);
  call.output("hn", result.hidden);
  call.output("cn", result.cell);
}

void run_multihead_attention(Call& call) {
  const Var query = call.variable("query"), key = call.variable("key"),
            value = call.variable("value");
  MultiheadAttention net(query.dim(-1), call.integer("heads"),
                         {.bias = call.flag("bias") ? Bias::yes : Bias::no,
                          .key_features = key.dim(-1),
                          .value_features = value.dim(-1)});
  call.parameters(net);
  call.output("y", net(query, key, value, masks(call)));
}

void run_transformer_encoder_layer(Call& call) {
  const Var x = call.variable("x");
  TransformerEncoderLayer net(x.dim(-1), call.integer("heads"), transformer_options(call));
  call.parameters(net);
  call.output("y", net(x, masks(call)));
}

void run_transformer_decoder_layer(Call& call) {
  const Var x = call.variable("x"), memory = call.variable("memory");
  TransformerDecoderLayer net(x.dim(-1), call.integer("heads"), transformer_options(call));
  call.parameters(net);
  AttentionMasks of_memory;
  if (call.has_input("memory_key_mask")) of_memory.key_mask = call.indices("memory_key_mask");
  call.output("y", net(x, memory, masks(call), of_memory));
}

}  // namespace

GoldenOps nets_ops() {
  return {
      {"conv1d", run_conv1d},
      {"gru", run_gru},
      {"lstm", run_lstm},
      {"multihead_attention", run_multihead_attention},
      {"rms_norm", run_rms_norm},
      {"scaled_dot_product_attention", run_scaled_dot_product_attention},
      {"transformer_decoder_layer", run_transformer_decoder_layer},
      {"transformer_encoder_layer", run_transformer_encoder_layer},
  };
}

}  // namespace pliant::conformance
