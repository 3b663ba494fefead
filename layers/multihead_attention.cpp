#include <pliant/layers/multihead_attention.h>

#include <array>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

constexpr const char* kLayer = "MultiheadAttention";

std::int64_t checked(std::int64_t features, std::int64_t heads) {
  const ErrorOp here(kLayer);
  require(features >= 1 && heads >= 1 && features % heads == 0, kLayer, ": ", features,
          " features do not divide into ", heads, " heads");
  return features;
}

// [N L E] -> [N H L E/H]
Var split_heads(const Var& x, std::int64_t heads) {
  return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}

Var join_heads(const Var& x) {
  return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
}

}  // namespace

MultiheadAttention::MultiheadAttention(std::int64_t features, std::int64_t heads,
                                       const MultiheadAttentionOptions& options)
    : out_proj(checked(features, heads), features, {.bias = options.bias}),
      features_(features),
      heads_(heads),
      options_(options),
      dropout_(options.dropout) {
  const ErrorOp here(kLayer);
  for (std::int64_t* const other : {&options_.key_features, &options_.value_features}) {
    require(*other >= 0, kLayer, ": ", *other, " features of keys or values");
    if (*other == 0) *other = features;
  }
  const auto weight = [&](const char* name, std::int64_t out, std::int64_t in) {
    return own(name, Parameter(Shape{out, in}), init::xavier_uniform());
  };
  if (options_.key_features == features && options_.value_features == features) {
    in_proj_weight = weight("in_proj_weight", checked_product(kLayer, {3, features}), features);
  } else {
    q_proj_weight = weight("q_proj_weight", features, features);
    k_proj_weight = weight("k_proj_weight", features, options_.key_features);
    v_proj_weight = weight("v_proj_weight", features, options_.value_features);
  }
  if (options.bias == Bias::yes)
    in_proj_bias = own("in_proj_bias", Parameter(Shape{3 * features}), init::zeros());
  out_proj = own("out_proj", std::move(out_proj));
  dropout_ = own("dropout", std::move(dropout_));
}

// Queries, keys and values, of one input or of three.
Vars MultiheadAttention::projected(const Vars& inputs) const {
  const Var& x = inputs[0];
  const Var bias = in_proj_bias.defined() ? x.lift(in_proj_bias) : Var();
  if (inputs.size() == 1 && in_proj_weight.defined())
    return split(linear(x, x.lift(in_proj_weight), bias), features_, -1);
  const Vars biases = bias.defined() ? split(bias, features_, 0) : Vars(3);
  const Vars weights = in_proj_weight.defined() ? split(x.lift(in_proj_weight), features_, 0)
                                                : Vars{x.lift(q_proj_weight), x.lift(k_proj_weight),
                                                       x.lift(v_proj_weight)};
  Vars all;
  for (std::size_t i = 0; i < 3; ++i)
    all.push_back(linear(inputs[inputs.size() == 1 ? 0 : i], weights[i], biases[i]));
  return all;
}

AttentionOptions MultiheadAttention::options_of(const Var& query, std::int64_t keys,
                                                const AttentionMasks& masks) const {
  const std::int64_t batch = query.dim(0);
  AttentionOptions options{.mask = masks.mask, .bias = masks.bias, .causal = masks.causal};
  if (masks.key_mask.defined()) {
    const Shape& given = masks.key_mask.shape();
    const bool fits = given == Shape{batch, keys} || (given == Shape{keys} && batch == 1);
    require(fits, kLayer, ": the key_mask has shape ", given, ", expected ", Shape{batch, keys});
    const Tensor held = masks.key_mask.reshape({batch, 1, 1, keys});
    options.mask =
        options.mask.defined()
            ? where(held, options.mask, Tensor::scalar(0, options.mask.dtype(), held.device()))
                  .value()
            : held;
  }
  if (query.training() && options_.dropout > 0) {
    options.dropout = options_.dropout;
    options.key = dropout_.key(query);
    options.step = query.step_state();
  }
  return options;
}

Var MultiheadAttention::attend(const Vars& given, const AttentionMasks& masks) const {
  constexpr std::array<const char*, 3> kNames = {"query", "key", "value"};
  const std::array<std::int64_t, 3> features = {features_, options_.key_features,
                                                options_.value_features};
  const bool batch_first = options_.batch_first == BatchFirst::yes;
  Vars inputs;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Var& x = given[i];
    require(x.defined(), kLayer, ": the ", kNames[i], " is undefined");
    require(
        (x.rank() == 2 || x.rank() == 3) && x.rank() == given[0].rank() && x.dim(-1) == features[i],
        kLayer, ": the ", kNames[i], " has shape ", x.shape(), ", expected ",
        batch_first ? "[N L " : "[L N ", features[i], "], or [L ", features[i],
        "] of all without a batch");
    inputs.push_back(x.rank() == 2 ? unsqueeze(x, 0) : batch_first ? x : transpose(x, 0, 1));
  }
  const auto& last = inputs.back();
  for (const Var& x : inputs)
    require(x.dim(0) == inputs[0].dim(0) && (&x == &inputs[0] || x.dim(1) == last.dim(1)), kLayer,
            ": batches and lengths of query ", given[0].shape(), ", key ",
            given[given.size() / 2].shape(), " and value ", given.back().shape(), " do not fit");
  const std::int64_t batch = inputs[0].dim(0), queries = inputs[0].dim(1), keys = last.dim(1);
  const Vars heads = projected(inputs);
  const Var attended = scaled_dot_product_attention(
      split_heads(heads[0], heads_), split_heads(heads[1], heads_), split_heads(heads[2], heads_),
      options_of(inputs[0], keys, masks));
  const Var y = out_proj(join_heads(attended));
  const std::int64_t products =
      batch * features_ *
      (queries * features_ + keys * (features[1] + features[2]) + 2 * queries * keys);
  const Var as_given = given[0].rank() == 2 ? squeeze(y, {0})
                       : batch_first        ? y
                                            : transpose(y, 0, 1);
  return observed(kLayer, as_given, products);
}

Var MultiheadAttention::operator()(const Var& query, const Var& key, const Var& value,
                                   const AttentionMasks& masks) const {
  const ErrorPlace here(path());
  return attend({query, key, value}, masks);
}

Var MultiheadAttention::operator()(const Var& x, const AttentionMasks& masks) const {
  const ErrorPlace here(path());
  return attend({x}, masks);
}

}  // namespace pliant
