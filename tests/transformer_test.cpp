#include <pliant/layers/transformer.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/layers/sequential.h>
#include <pliant/layers/train/summary.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor filled(const Shape& shape, std::uint64_t seed) {
  return random(shape, seed, -1, 1, DType::float32);
}

using Names = std::vector<std::string>;

Names names_of(const Module& net) {
  Names names;
  for (const auto& [path, tensor] : net.state()) names.push_back(path);
  return names;
}

bool close(const Var& a, const Var& b) { return max_difference(a.value(), b.value()) < 1e-5; }

}  // namespace

TEST_CASE("MultiheadAttention: names, and the heads one by one") {
  MultiheadAttention net(6, 2);
  net.initialise(Rng(1));
  CHECK(names_of(net) ==
        Names{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
  const Var x = filled({2, 5, 6}, 1), memory = filled({2, 4, 6}, 2);
  // The same by hand, from the parts of the weight.
  const Vars w = split(x.lift(net.in_proj_weight), 6, 0), b = split(x.lift(net.in_proj_bias), 6, 0);
  const auto by_hand = [&](const Var& q, const Var& kv, const AttentionOptions& options = {}) {
    const Vars in = {linear(q, w[0], b[0]), linear(kv, w[1], b[1]), linear(kv, w[2], b[2])};
    Vars heads;
    for (std::int64_t h = 0; h < 2; ++h)
      heads.push_back(scaled_dot_product_attention(
          slice_axis(in[0], 2, 3 * h, 3 * h + 3), slice_axis(in[1], 2, 3 * h, 3 * h + 3),
          slice_axis(in[2], 2, 3 * h, 3 * h + 3), options));
    return net.out_proj(concat(heads, 2));
  };
  CHECK(close(net(x), by_hand(x, x)));
  CHECK(close(net(x), net(x, x, x)));
  CHECK(close(net(x, memory, memory), by_hand(x, memory)));
  CHECK(close(net(x, {.causal = true}), by_hand(x, x, {.causal = true})));
  const Tensor there = Tensor::from<std::int64_t>({1, 1, 0, 0, 1, 1, 1, 1}, {2, 4});
  CHECK(close(net(x, memory, memory, {.key_mask = there}),
              by_hand(x, memory, {.mask = there.reshape({2, 1, 4})})));
  const Tensor pairs = gt(filled({5, 4}, 3), -0.5);
  CHECK(
      close(net(x, memory, memory, {.mask = pairs, .key_mask = there}),
            by_hand(x, memory,
                    {.mask = where(there.reshape({2, 1, 4}), pairs, Tensor::scalar(0)).value()})));
  const Var bias = filled({5, 5}, 4);
  CHECK(close(net(x, {.bias = bias}), by_hand(x, x, {.bias = bias})));
  // Without a batch, and with the batch second.
  const Var one = squeeze(slice_axis(x, 0, 0, 1), {0});
  CHECK(close(net(one), squeeze(slice_axis(net(x), 0, 0, 1), {0})));
  MultiheadAttention steps_first(6, 2, {.batch_first = BatchFirst::no});
  steps_first.load(net.state());
  CHECK(close(transpose(steps_first(transpose(x, 0, 1)), 0, 1), net(x)));
}

TEST_CASE("MultiheadAttention: keys and values of other features; no bias") {
  MultiheadAttention net(4, 2, {.bias = Bias::no, .key_features = 3, .value_features = 5});
  net.initialise(Rng(1));
  CHECK(names_of(net) ==
        Names{"q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"});
  CHECK(net.k_proj_weight.shape() == Shape{4, 3});
  const Tape tape;
  const Var y = net(tape.input(filled({2, 3, 4}, 1)), tape.input(filled({2, 6, 3}, 2)),
                    tape.input(filled({2, 6, 5}, 3)));
  CHECK(y.shape() == Shape{2, 3, 4});
  CHECK(tape.gradients(sum(y * y)).entries().size() == 4);
}

TEST_CASE("MultiheadAttention: dropout in training alone, by the tape's key") {
  MultiheadAttention net(4, 2, {.dropout = 0.5});
  net.initialise(Rng(1));
  const Tensor x = filled({2, 6, 4}, 1);
  const auto train = [&](std::uint64_t seed) {
    const Tape tape({.rng = Rng(seed)});
    return net(tape.input(x)).value();
  };
  CHECK(same_bits(train(1), train(1)));
  CHECK(max_difference(train(1), train(2)) > 1e-3);
  CHECK(max_difference(train(1), net(x).value()) > 1e-3);
  const Tape tape;
  CHECK(contains(error_of([&] { net(tape.input(x)); }), "no random key"));
}

TEST_CASE("MultiheadAttention: bad arguments say what was expected") {
  CHECK(error_of([] { MultiheadAttention(6, 4); }) ==
        "MultiheadAttention: 6 features do not divide into 4 heads");
  CHECK(contains(error_of([] { MultiheadAttention(0, 1); }), "0 features"));
  CHECK(contains(error_of([] { MultiheadAttention(4, 2, {.dropout = -1}); }), "rate is -1"));
  MultiheadAttention net(6, 2);
  net.initialise(Rng(1));
  const Var x = filled({2, 5, 6}, 1);
  CHECK(error_of([&] { net(Var()); }) == "MultiheadAttention: the query is undefined");
  CHECK(
      error_of([&] {
        net(x, filled({2, 5, 4}, 1), x);
      }) ==
      "MultiheadAttention: the key has shape [2 5 4], expected [N L 6], or [L 6] of all without a "
      "batch");
  CHECK(
      error_of([&] {
        net(x, x, filled({2, 4, 6}, 1));
      }) ==
      "MultiheadAttention: batches and lengths of query [2 5 6], key [2 5 6] and value [2 4 6] do "
      "not fit");
  CHECK(error_of([&] {
          net(x, {.key_mask = Tensor::zeros({2, 4})});
        }) == "MultiheadAttention: the key_mask has shape [2 4], expected [2 5]");
  CHECK(contains(error_of([&] {
                   net(x, {.mask = Tensor::zeros({4, 5})});
                 }),
                 "the mask has shape [4 5], expected one that broadcasts to [2 2 5 5]"));
}

TEST_CASE("transformer layers: names, both places of the norm, both activations") {
  for (const NormFirst first : {NormFirst::no, NormFirst::yes})
    for (const FeedForward activation : {FeedForward::relu, FeedForward::gelu}) {
      TransformerEncoderLayer encoder(
          6, 2, {.feed_forward = 8, .activation = activation, .norm_first = first});
      encoder.initialise(Rng(1));
      CHECK(names_of(encoder) ==
            Names{"self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight",
                  "self_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight",
                  "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"});
      const Var x = filled({2, 5, 6}, 1);
      const auto feed = [&](const Var& v) {
        const Var h = linear(v, v.lift(encoder.linear1.weight), v.lift(encoder.linear1.bias));
        return encoder.linear2(activation == FeedForward::relu ? relu(h) : gelu(h));
      };
      const auto& [attention, norm1, norm2] =
          std::tie(encoder.self_attn, encoder.norm1, encoder.norm2);
      Var z;
      if (first == NormFirst::yes) {
        z = x + attention(norm1(x));
        z = z + feed(norm2(z));
      } else {
        z = norm1(x + attention(x));
        z = norm2(z + feed(z));
      }
      CHECK(close(encoder(x), z));

      TransformerDecoderLayer decoder(
          6, 2, {.feed_forward = 8, .activation = activation, .norm_first = first});
      decoder.initialise(Rng(1));
      CHECK(decoder.state().size() == 18);
      const Tape tape({.mode = Mode::inference});
      const Var y =
          decoder(tape.input(x.value()), encoder(tape.input(x.value())), {.causal = true});
      CHECK(tape.gradients(sum(y * y)).entries().size() == 18 + 12);
    }
}

TEST_CASE("transformer layers: a causal decoder does not see what comes") {
  TransformerDecoderLayer net(4, 2, {.feed_forward = 8});
  net.initialise(Rng(1));
  const Var x = filled({1, 5, 4}, 1), memory = filled({1, 3, 4}, 2);
  const Var other = concat({slice_axis(x, 1, 0, 3), filled({1, 2, 4}, 9)}, 1);
  const auto begin = [&](const Var& v) {
    return slice_axis(net(v, memory, {.causal = true}), 1, 0, 3).value();
  };
  CHECK(same_bits(begin(x), begin(other)));
  CHECK(max_difference(net(x, memory).value(), net(other, memory).value()) > 1e-3);
}

TEST_CASE("transformer layers: in a Sequential, trained with dropout, in bfloat16, summarised") {
  Sequential net(TransformerEncoderLayer(4, 2, {.feed_forward = 8}),
                 TransformerEncoderLayer(4, 2, {.feed_forward = 8}), Linear(4, 3));
  net.initialise(Rng(1));
  const Tensor x = filled({2, 5, 4}, 1);
  const auto loss = [&](std::uint64_t seed) {
    const Tape tape({.rng = Rng(seed)});
    const Var y = net(tape.input(x));
    return tape.gradients(sum(y * y))[net.layer<Linear>(2).weight];
  };
  CHECK(same_bits(loss(1), loss(1)));
  CHECK(max_difference(loss(1), loss(2)) > 1e-4);
  const Tensor narrow = net(x.to(DType::bfloat16)).value();
  CHECK(narrow.dtype() == DType::bfloat16);
  CHECK(max_difference(narrow.to(DType::float32), net(x).value()) < 0.1);
  CHECK(summary(net, {2, 5, 4}).rows.size() >= 3);
  CHECK(net(Tensor::zeros({0, 5, 4})).shape() == Shape{0, 5, 3});
}

TEST_CASE("transformer layers: gradients by differences") {
  TransformerEncoderLayer net(4, 2, {.feed_forward = 6, .activation = FeedForward::gelu});
  net.initialise(Rng(1));
  net.to(DType::float64);
  const auto f = [&](const Vars& v) { return net(v[0], {.causal = true}); };
  const Tape inference({.mode = Mode::inference});
  // gradcheck trains, so a layer without dropout.
  TransformerEncoderLayer bare(4, 2,
                               {.feed_forward = 6, .dropout = 0, .activation = FeedForward::gelu});
  bare.load(net.state());
  bare.to(DType::float64);
  const auto g = [&](const Vars& v) { return bare(v[0], {.causal = true}); };
  const GradcheckResult result = gradcheck(g, {random({2, 3, 4}, 1)});
  CHECK_MESSAGE(result.passed, result.message);
  const GradcheckResult twice = gradgradcheck(g, {random({1, 3, 4}, 1)});
  CHECK_MESSAGE(twice.passed, twice.message);
  CHECK(max_difference(f({random({2, 3, 4}, 1)}).value(), g({random({2, 3, 4}, 1)}).value()) == 0);
}
