#include <pliant/autograd/ops/attention.h>

#include <limits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/cases/attention.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The formula as it stands, all scores at once.
Var composed(const Vars& v, const Var& bias = {}, bool causal = false) {
  Var scores = matmul(v[0], transpose(v[1], -2, -1)) / std::sqrt(static_cast<double>(v[0].dim(-1)));
  if (bias.defined()) scores = scores + bias;
  if (causal) {
    const Tensor ones = Tensor::full({scores.dim(-2), scores.dim(-1)}, 1, scores.dtype());
    scores = where(tril(ones).value(), scores, scalar_like(-kInfinity, scores));
  }
  return matmul(softmax(scores), v[2]);
}

std::vector<Tensor> inputs(std::int64_t batch, std::int64_t l, std::int64_t s, std::int64_t e,
                           std::int64_t v) {
  return {random({batch, l, e}, 1, -2, 2), random({batch, s, e}, 2, -2, 2),
          random({batch, s, v}, 3)};
}

Tensor mask_of(const Shape& shape, std::uint64_t seed) {
  return gt(random(shape, seed), 0.0).to(DType::uint8);
}

}  // namespace

TEST_CASE("attention: gradients, first and second, on any number of threads") {
  check(attention_cases());
  check_twice(attention_cases());
}

TEST_CASE("attention: blocks of rows and keys join to the formula") {
  for (const auto& sizes : {std::pair<std::int64_t, std::int64_t>{1, 1},
                            {49, 300},
                            {100, 64},
                            {130, 257},
                            {3, 1000},
                            {97, 97}})
    for (const bool causal : {false, true}) {
      const std::int64_t l = sizes.first, s = sizes.second;
      CAPTURE(l);
      CAPTURE(s);
      CAPTURE(causal);
      const std::vector<Tensor> x = inputs(3, l, s, 20, 33);
      const OpCase blocked{"",
                           [=](const Vars& v) {
                             return scaled_dot_product_attention(v[0], v[1], v[2],
                                                                 {.causal = causal});
                           },
                           x};
      const OpCase whole{"", [=](const Vars& v) { return composed(v, {}, causal); }, x};
      const std::vector<Tensor> a = run(blocked, DType::float64), b = run(whole, DType::float64),
                                c = check_same_on_any_threads(blocked);
      REQUIRE(a.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) {
        CHECK(max_difference(a[i], b[i]) < 1e-12);
        CHECK(max_difference(c[i], b[i]) < 2e-5);
      }
    }
}

TEST_CASE("attention: masks hold where they are not 0, for any dtype, broadcast") {
  const std::vector<Tensor> x = {random({2, 3, 4, 5}, 1), random({2, 3, 6, 5}, 2),
                                 random({2, 3, 6, 7}, 3)};
  const Vars v(x.begin(), x.end());
  for (const Shape& shape : {Shape{4, 6}, {2, 1, 1, 6}, {3, 4, 6}, {2, 3, 4, 6}, {4, 1}, {1}}) {
    CAPTURE(shape);
    const Tensor mask = mask_of(shape, 9);
    const Var bias =
        where(mask, Tensor::scalar(0, DType::float64), Tensor::scalar(-1e300, DType::float64));
    const Tensor held = scaled_dot_product_attention(v[0], v[1], v[2], {.mask = mask}).value();
    // Rows with all keys masked are uniform under a finite bias, and 0 under a mask.
    const Tensor there =
        max(broadcast_to(mask.to(DType::float64), {2, 3, 4, 6}), {-1}, KeepDim::yes).value();
    CHECK(max_difference(held, (composed(v, bias) * there).value()) < 1e-12);
    for (const DType dtype : {DType::float64, DType::int64, DType::float32})
      CHECK(same_bits(
          held, scaled_dot_product_attention(v[0], v[1], v[2], {.mask = mask.to(dtype)}).value()));
  }
}

TEST_CASE("attention: a row that attends to nothing is 0 and has no gradient") {
  Tensor mask = Tensor::full({3, 4}, 1, DType::uint8);
  std::fill_n(mask.mutable_data<std::uint8_t>() + 4, 4, std::uint8_t{0});
  const Tape tape;
  const Var q = tape.variable(random({3, 2}, 1)), k = tape.variable(random({4, 2}, 2)),
            v = tape.variable(random({4, 2}, 3));
  const Var y = scaled_dot_product_attention(q, k, v, {.mask = mask});
  CHECK(y.value().to_vector()[2] == 0);
  CHECK(y.value().to_vector()[3] == 0);
  const Gradients gradients = tape.gradients(sum(y * y));
  CHECK(gradients[q].to_vector()[2] == 0);
  CHECK(std::isfinite(sum(gradients[k]).item()));
  CHECK(std::isfinite(sum(gradients[v]).item()));
}

TEST_CASE("attention: huge scores, infinite biases and one key") {
  const Tensor q = random({2, 3}, 1, -1e4, 1e4), k = random({5, 3}, 2, -1e4, 1e4),
               v = random({5, 2}, 3);
  CHECK(max_difference(scaled_dot_product_attention(q, k, v).value(), composed({q, k, v}).value()) <
        1e-12);
  const Tensor far = Tensor::from({-kInfinity, 0.0, -kInfinity, -kInfinity, -kInfinity}, {5});
  const Tensor one = scaled_dot_product_attention(q, k, v, {.bias = Var(far)}).value();
  CHECK(one.to_vector()[0] == v.to_vector()[2]);
  CHECK(one.to_vector()[3] == v.to_vector()[3]);
  Tensor bad = k.clone();
  bad.mutable_data<double>()[0] = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(scaled_dot_product_attention(q, bad, v).value().to_vector()[0]));
}

TEST_CASE("attention: dropped weights are those of dropout()") {
  const std::vector<Tensor> x = inputs(2, 5, 70, 4, 3);
  const Rng key(5);
  const OpCase fused{"",
                     [=](const Vars& v) {
                       return scaled_dot_product_attention(v[0], v[1], v[2],
                                                           {.dropout = 0.4, .key = key});
                     },
                     x};
  const OpCase whole{"",
                     [=](const Vars& v) {
                       const Var weights =
                           softmax(matmul(v[0], transpose(v[1], -2, -1)) / std::sqrt(4.0));
                       return matmul(dropout(weights, 0.4, key), v[2]);
                     },
                     x};
  const std::vector<Tensor> a = run(fused, DType::float64), b = run(whole, DType::float64);
  for (std::size_t i = 0; i < 4; ++i) CHECK(max_difference(a[i], b[i]) < 1e-12);
  check_twice(fused);
}

TEST_CASE("attention: the score matrix is not kept") {
  const Tape tape;
  const Var q = tape.variable(random({1, 4096, 8}, 1, -1, 1, DType::float32));
  const Var y = scaled_dot_product_attention(q, q, q, {.causal = true});
  CHECK(tape.saved_bytes() < 8 * q.size() * 4);
  CHECK(y.shape() == q.shape());
}

TEST_CASE("attention: empty sizes") {
  const auto shape_of = [](const Shape& q, const Shape& k, const Shape& v) {
    const Tape tape;
    const Vars all = {tape.variable(Tensor::full(q, 1)), tape.variable(Tensor::full(k, 1)),
                      tape.variable(Tensor::full(v, 1))};
    const Var y = scaled_dot_product_attention(all[0], all[1], all[2]);
    const Gradients gradients = tape.gradients(sum(y));
    for (const Var& var : all) CHECK(gradients[var].shape() == var.shape());
    CHECK(std::isfinite(sum(y).item()));
    return y.shape();
  };
  CHECK(shape_of({0, 3, 2}, {0, 4, 2}, {0, 4, 5}) == Shape{0, 3, 5});
  CHECK(shape_of({2, 0, 2}, {2, 4, 2}, {2, 4, 5}) == Shape{2, 0, 5});
  CHECK(shape_of({2, 3, 2}, {2, 0, 2}, {2, 0, 5}) == Shape{2, 3, 5});
  CHECK(shape_of({2, 3, 2}, {2, 4, 2}, {2, 4, 0}) == Shape{2, 3, 0});
  const Tensor none = Tensor::zeros({3, 2});
  CHECK(
      max_difference(
          scaled_dot_product_attention(none, Tensor::zeros({0, 2}), Tensor::zeros({0, 1})).value(),
          Tensor::zeros({3, 1})) == 0);
}

TEST_CASE("attention: bfloat16 is float32 rounded") {
  const std::vector<Tensor> x = inputs(2, 5, 6, 4, 3);
  Vars narrow, wide;
  for (const Tensor& t : x) {
    narrow.emplace_back(t.to(DType::bfloat16));
    wide.emplace_back(t.to(DType::bfloat16).to(DType::float32));
  }
  const Tensor y = scaled_dot_product_attention(narrow[0], narrow[1], narrow[2]).value();
  CHECK(y.dtype() == DType::bfloat16);
  CHECK(same_bits(
      y, scaled_dot_product_attention(wide[0], wide[1], wide[2]).value().to(DType::bfloat16)));
}

TEST_CASE("attention: bad arguments say what was expected") {
  const auto message = [](const Var& q, const Var& k, const Var& v,
                          const AttentionOptions& options = {}) {
    return error_of([&] { scaled_dot_product_attention(q, k, v, options); });
  };
  const Tensor x = random({2, 3, 4}, 1);
  CHECK(message(x, {}, x) == "scaled_dot_product_attention: the key is undefined");
  CHECK(message(x, x, random({3}, 1)) ==
        "scaled_dot_product_attention: the value has shape [3], expected [.. L E], [.. S E] and "
        "[.. S V]");
  CHECK(message(x, random({2, 3, 5}, 1), x) ==
        "scaled_dot_product_attention: query [2 3 4], key [2 3 5] and value [2 3 4], expected "
        "[.. L E], [.. S E] and [.. S V] with E of at least 1");
  CHECK(contains(message(x, x, random({2, 5, 4}, 1)), "value [2 5 4]"));
  CHECK(contains(message(random({2, 0}, 1), random({2, 0}, 1), random({2, 1}, 1)),
                 "E of at least 1"));
  CHECK(contains(message(x, random({3, 3, 4}, 1), x), "[2] and [3]"));
  CHECK(contains(message(x, x.to(DType::float32), x), "query is float64 but key is float32"));
  CHECK(message(x, x, x, {.mask = Tensor::zeros({2, 3})}) ==
        "scaled_dot_product_attention: the mask has shape [2 3], expected one that broadcasts to "
        "[2 3 3]");
  CHECK(contains(message(x, x, x, {.bias = Var(random({4, 2, 3, 3}, 1))}),
                 "the bias has shape [4 2 3 3]"));
  CHECK(contains(message(x, x, x, {.bias = Var(random({3, 3}, 1).to(DType::float32))}),
                 "the bias is float32"));
  CHECK(contains(message(x, x, x, {.scale = kInfinity}), "the scale is inf"));
  CHECK(contains(message(x, x, x, {.dropout = 1.5}), "the dropout is 1.5, expected 0 to 1"));
}
