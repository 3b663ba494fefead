// What ops do with integers.
#include <algorithm>
#include <cmath>
#include <limits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/distribution_losses.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/layers/train/confusion_matrix.h>
#include <pliant/layers/train/metrics.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max(),
                       kLeast = std::numeric_limits<std::int64_t>::min();

Tensor whole(std::initializer_list<std::int64_t> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

std::vector<std::int64_t> integers(const Var& x) {
  const std::span<const std::int64_t> all = x.value().span<std::int64_t>();
  return {all.begin(), all.end()};
}

using Integers = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("integers: sums, differences and products, which wrap around") {
  const Var a = whole({1, -2, kMost}), b = whole({3, 5, 1});
  CHECK(integers(a + b) == Integers{4, 3, kLeast});
  CHECK(integers(a - b) == Integers{-2, -7, kMost - 1});
  CHECK(integers(a * b) == Integers{3, -10, kMost});
  CHECK(integers(-Var(whole({kLeast, 4}))) == Integers{kLeast, -4});
  CHECK(integers(Var(whole({kMost})) * Var(whole({kMost}))) == Integers{1});
  CHECK(integers(a + 2.0) == Integers{3, 0, kLeast + 1});
  CHECK(integers(Var(whole({1, 2})) + Tensor::from<std::int64_t>({10, 20}, {2, 1})) ==
        Integers{11, 12, 21, 22});
  const Tensor bytes = Tensor::from<std::uint8_t>({200, 100}, {2});  // widened first
  CHECK(integers(Var(bytes) + bytes) == Integers{400, 200});
  CHECK(integers(bytes - Var(Tensor::from<std::int32_t>({201, -1}, {2}))) == Integers{-1, 101});
  CHECK((Var(Tensor::zeros({0, 3}, DType::int64)) + 1.0).shape() == Shape{0, 3});
}

TEST_CASE("integers: the quotient is rounded down and the rest has the divisor's sign") {
  const Tensor a = whole({7, -7, 7, -7, 6, -6, 0, kLeast, kLeast, kMost});
  const Tensor b = whole({2, 2, -2, -2, 3, 3, 5, -1, 1, kLeast});
  CHECK(integers(floor_divide(a, b)) == Integers{3, -4, -4, 3, 2, -2, 0, kLeast, kLeast, -1});
  CHECK(integers(remainder(a, b)) == Integers{1, 1, -1, -1, 0, 0, 0, 0, 0, -1});
  for (std::int64_t u = -9; u <= 9; ++u)
    for (std::int64_t v = -4; v <= 4; ++v) {
      if (v == 0) continue;
      const std::int64_t q = integers(floor_divide(whole({u}), whole({v})))[0];
      const std::int64_t r = integers(remainder(whole({u}), whole({v})))[0];
      CHECK(q * v + r == u);
      CHECK((r == 0 || (r < 0) == (v < 0)));
      CHECK(std::abs(r) < std::abs(v));
    }
  CHECK(error_of([&] { floor_divide(a, 0.0); }) == "floor_divide: b is 0 at place 0");
  CHECK(error_of([&] {
          remainder(whole({1, 2}), whole({1, 0}));
        }) == "remainder: b is 0 at place 1");
}

TEST_CASE("floor_divide and remainder of floating numbers") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor a = Tensor::from({7.5, -7.5, 7.5, -7.5, 1.0, -0.0, 1.0}, {7});
  const Tensor b = Tensor::from({2.0, 2.0, -2.0, -2.0, 0.1, 3.0, inf}, {7});
  CHECK(floor_divide(a, b).to_vector() == Values{3, -4, -4, 3, 9, 0, 0});
  const Values rest = remainder(a, b).value().to_vector();
  CHECK(Values(rest.begin(), rest.begin() + 4) == Values{1.5, 0.5, -0.5, -1.5});
  CHECK(rest[4] == doctest::Approx(0.1));
  CHECK(floor_divide(Tensor::from({1.0, -1.0}, {2}), 0.0).to_vector() == Values{inf, -inf});
  check({"remainder",
         [](const Vars& v) { return remainder(v[0], v[1]); },
         {random({3, 4}, 1, 2.1, 2.9), random({4}, 2, 0.8, 0.95)}});
  const GradcheckResult twice = gradgradcheck(
      [](const Vars& v) { return exp(remainder(v[0], 0.9)); }, {random({5}, 1, 1.0, 1.7)});
  CHECK_MESSAGE(twice.passed, twice.message);
}

TEST_CASE("integers: comparisons give masks of float32") {
  const Tensor a = whole({1, 2, 3}), b = whole({2, 2, 2});
  CHECK(gt(a, b).to_vector() == Values{0, 0, 1});
  CHECK(ge(a, b).to_vector() == Values{0, 1, 1});
  CHECK(lt(a, b).to_vector() == Values{1, 0, 0});
  CHECK(le(a, b).to_vector() == Values{1, 1, 0});
  CHECK(eq(a, 2.0).to_vector() == Values{0, 1, 0});
  CHECK(ne(a, b).to_vector() == Values{1, 0, 1});
  CHECK(eq(a, b).dtype() == DType::float32);
  CHECK(eq(whole({kMost}), whole({kMost - 1})).item() == 0);  // as doubles they are equal
  CHECK(any(eq(a, 3.0)));
  CHECK_FALSE(all(a - Var(b)));
  CHECK(all(a));

  const Tensor logits = Tensor::from<float>({1, 5, 2, 7, 0, 1}, {2, 3});
  const Tensor labels = whole({1, 2});
  CHECK(mean(Var(eq(argmax(logits, 1), labels))).value().item() == 0.5);
}

TEST_CASE("integers: maximum, minimum, where, and what does not mix") {
  const Tensor a = whole({1, kLeast, 3}), b = whole({2, kMost, -3});
  CHECK(integers(maximum(a, b)) == Integers{2, kMost, 3});
  CHECK(integers(minimum(a, b)) == Integers{1, kLeast, -3});
  CHECK(integers(where(gt(a, b), a, b)) == Integers{2, kMost, 3});
  CHECK(integers(where(Tensor::from({0.5, 0.0, 1.0}, {3}), a, b)) == Integers{1, kMost, 3});
  CHECK(where(whole({1, 0}), Tensor::from({1.0, 2.0}, {2}), Tensor::zeros({2}, DType::float64))
            .value()
            .to_vector() == Values{1, 0});
  CHECK(error_of([&] { a + Var(Tensor::zeros({3})); }) ==
        "add: a is int64 but b is float32; convert one with to(DType)");
  CHECK(error_of([&] { Var(a) + 0.5; }) ==
        "scalar: 0.5 beside an int64 tensor is no whole number; convert that with to(DType)");
  CHECK(contains(error_of([&] { where(a, a, Tensor::zeros({3})); }),
                 "where: a is int64 but b is float32"));
}

TEST_CASE("integers: sums, products, extremes and where they are") {
  const Tensor x = Tensor::from<std::int64_t>({3, -1, kMost, 4, 5, 1}, {2, 3});
  CHECK(integers(sum(x)) == Integers{kLeast + 11});
  CHECK(integers(sum(x, {0})) == Integers{7, 4, kLeast});
  CHECK(sum(x, {1}, KeepDim::yes).shape() == Shape{2, 1});
  CHECK(integers(prod(x, 0)) == Integers{12, -5, kMost});
  CHECK(integers(max(x, {1})) == Integers{kMost, 5});
  CHECK(integers(min(x, {0, 1})) == Integers{-1});
  CHECK(integers(argmax(x, 1)) == Integers{2, 1});
  CHECK(integers(argmin(x, 0)) == Integers{0, 0, 1});
  CHECK(integers(argmin(whole({5, kLeast, kMost, kLeast}))) == Integers{1});
  const Tensor bytes = Tensor::full({1000}, 255, DType::uint8);
  CHECK(sum(bytes).value().item() == 255000);
  CHECK(integers(prod(Tensor::from<std::uint8_t>({100, 100}, {2}), 0)) == Integers{10000});
  CHECK(sum(Tensor::zeros({0, 2}, DType::int64)).value().item() == 0);
  CHECK(error_of([&] { max(Tensor::zeros({0}, DType::int64)); }) ==
        "max: an axis that is reduced is empty ([0])");
  const ValuesAndIndices best = max_with_indices(x, 1);
  CHECK(integers(best.values) == Integers{kMost, 5});
  CHECK(integers(best.indices) == Integers{2, 1});
  CHECK(integers(min_with_indices(x, -1, KeepDim::yes).values) == Integers{-1, 1});
  // Long ones, of several parts.
  std::vector<std::int64_t> many(200000);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i] = static_cast<std::int64_t>(i * 7919 % 1000);
  const Tensor long_row = Tensor::from(many, {200000});
  CHECK(sum(long_row).value().item() == 999.0 * 500 * 200);
  CHECK(max(long_row).value().item() == 999);
  CHECK(argmax(long_row).item() ==
        static_cast<double>(std::find(many.begin(), many.end(), 999) - many.begin()));
}

TEST_CASE("integers of any width are moved about as they are") {
  for (const DType dtype : {DType::int64, DType::int32, DType::uint8, DType::bfloat16}) {
    CAPTURE(dtype);
    const Tensor x = Tensor::arange(12).reshape({3, 4}).to(dtype),
                 row = Tensor::arange(4).to(dtype);
    const auto values = [&](const Var& y) {
      CHECK(y.dtype() == dtype);
      return y.value().to_vector();
    };
    CHECK(values(permute(x, {1, 0})) == Values{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
    CHECK(values(slice(x, {1, 1}, {3, 4}, {1, 2})) == Values{5, 7, 9, 11});
    CHECK(values(flip(row, {0})) == Values{3, 2, 1, 0});
    CHECK(values(pad(row, {1}, {2}, 9)) == Values{9, 0, 1, 2, 3, 9, 9});
    CHECK(values(concat({row, row}, 0)) == Values{0, 1, 2, 3, 0, 1, 2, 3});
    CHECK(values(stack({row, row}, 1)) == Values{0, 0, 1, 1, 2, 2, 3, 3});
    CHECK(values(broadcast_to(row.reshape({4, 1}), {2, 4, 2})) ==
          Values{0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3});
    CHECK(values(broadcast_to(row, {2, 4})) == Values{0, 1, 2, 3, 0, 1, 2, 3});
    CHECK(values(roll(row, 1, 0)) == Values{3, 0, 1, 2});
    CHECK(values(index_select(x, 1, whole({3, 0}))) == Values{3, 0, 7, 4, 11, 8});
    CHECK(values(gather(x, 1, Tensor::from<std::int64_t>({0, 1, 2}, {3, 1}))) == Values{0, 5, 10});
  }
}

TEST_CASE("integers: labels and indices of any width") {
  const Tensor x = random({3, 4}, 1), labels = whole({2, 0, 3});
  const Tensor square = random({4, 4}, 2);
  const Tape tape;
  const Var table = tape.variable(square);
  const Gradients want = tape.gradients(sum(pliant::square(embedding(table, labels))));
  for (const DType dtype : {DType::uint8, DType::int32}) {
    CAPTURE(dtype);
    const Tensor narrow = labels.to(dtype), column = narrow.reshape({3, 1});
    const auto same = [](const Var& a, const Var& b) {
      CHECK(a.value().to_vector() == b.value().to_vector());
    };
    same(softmax_cross_entropy(x, narrow), softmax_cross_entropy(x, labels));
    same(softmax_cross_entropy(x, narrow, {.ignore_index = 3}),
         softmax_cross_entropy(x, labels, {.ignore_index = 3}));
    same(nll_loss(log_softmax(x), narrow), nll_loss(log_softmax(x), labels));
    same(one_hot(narrow, 4), one_hot(labels, 4));
    same(embedding(square, narrow), embedding(square, labels));
    same(index_select(square, 1, narrow), index_select(square, 1, labels));
    same(index_add(square, 1, narrow, random({4, 3}, 3)),
         index_add(square, 1, labels, random({4, 3}, 3)));
    same(gather(x, 1, column), gather(x, 1, labels.reshape({3, 1})));
    same(scatter(x, 1, column, Tensor::full({3, 1}, 9, DType::float64)),
         scatter(x, 1, labels.reshape({3, 1}), Tensor::full({3, 1}, 9, DType::float64)));
    same(scatter_add(random({3, 1}, 4), 1, column, 4),
         scatter_add(random({3, 1}, 4), 1, labels.reshape({3, 1}), 4));
    CHECK(count_right(x, narrow) == count_right(x, labels));
    ConfusionMatrix seen(4), as_int64(4);
    seen.add(x, narrow);
    as_int64.add(x, labels);
    same(seen.counts(), as_int64.counts());
    const Tape again;
    const Var v = again.variable(square);
    same(again.gradients(sum(pliant::square(embedding(v, narrow))))[v], want[table]);
  }
  CHECK(contains(error_of([&] { softmax_cross_entropy(x, Tensor::full({3}, 4, DType::uint8)); }),
                 "label 4 of row 0 is not in [0, C = 4)"));
  CHECK(error_of([&] { embedding(x, Tensor::full({1}, -1, DType::int32)); }) ==
        "embedding: index -1 at place 0 is not in [0, 3)");
}

TEST_CASE("integers: a picture beside weights says what makes numbers of it") {
  const Tensor picture = Tensor::full({1, 4, 4, 3}, 255, DType::uint8);
  const Tensor weight = Tensor::zeros({2, 3, 3, 3});
  CHECK(error_of([&] { conv2d(picture, weight, Var()); }) ==
        "conv2d: x is uint8 but weight is float32; to_float(x) makes 0 to 1 of a picture's bytes");
  CHECK(contains(error_of([&] { mul(weight, Tensor::full({2}, 1, DType::uint8)); }),
                 "; to_float(x) makes 0 to 1 of a picture's bytes"));
  CHECK(contains(error_of([&] { mean(picture); }),
                 "got uint8; to_float(x) makes 0 to 1 of a picture's bytes"));
}

TEST_CASE("integers: there and back") {
  const Tensor x = whole({-3, 0, 1 << 20});
  CHECK(integers(convert(convert(x, DType::float32), DType::int64)) == Integers{-3, 0, 1 << 20});
  CHECK(integers(convert(Tensor::from({2.9, -2.9}, {2}), DType::int64)) == Integers{2, -2});
  CHECK(contains(error_of([] { convert(Tensor::full({1}, 300), DType::uint8); }),
                 "uint8 cannot hold 300"));
  const Tape tape;
  const Var on_tape = tape.variable(Tensor::from({1.5, 2.5}, {2}));
  CHECK_FALSE(convert(on_tape, DType::int64).wants_gradient());
  CHECK(convert(on_tape, DType::int64).on_tape());
}
