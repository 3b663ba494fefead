#include <pliant/autograd/ops/rearrange.h>

#include <numeric>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/tests/cases/rearrange.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// 0, 1, 2 ..
Tensor counted(const Shape& shape) {
  return Tensor::arange(shape.size()).to(DType::float64).reshape(shape);
}

std::vector<double> numbers(const Var& x) { return x.value().to_vector(); }

}  // namespace

TEST_CASE("rearrange: gradients, threads") { check(rearrange_cases()); }

TEST_CASE("rearrange: squeeze, unsqueeze, flatten, transpose") {
  const Tensor x = counted({1, 2, 1, 3});
  CHECK(squeeze(x).shape() == Shape{2, 3});
  CHECK(squeeze(x, {-2}).shape() == Shape{1, 2, 3});
  CHECK(squeeze(x, {}).shape() == Shape{2, 3});
  CHECK(unsqueeze(x, 0).shape() == Shape{1, 1, 2, 1, 3});
  CHECK(unsqueeze(x, -1).shape() == Shape{1, 2, 1, 3, 1});
  CHECK(unsqueeze(Tensor::scalar(1), 0).shape() == Shape{1});
  CHECK(flatten(x).shape() == Shape{6});
  CHECK(flatten(x, 1, 2).shape() == Shape{1, 2, 3});
  CHECK(flatten(Tensor::scalar(1)).shape() == Shape{1});
  CHECK(numbers(transpose(counted({2, 3}), 0, 1)) == std::vector<double>{0, 3, 1, 4, 2, 5});
  CHECK(transpose(x, -1, 1).shape() == Shape{1, 3, 1, 2});
  CHECK(error_of([&] { squeeze(x, {1}); }) ==
        "squeeze: axis 1 of [1 2 1 3] has extent 2, expected 1");
  CHECK(error_of([&] {
          squeeze(x, {0, -4});
        }) == "squeeze: axis -4 of [1 2 1 3] is named twice, expected each axis once");
  CHECK(contains(error_of([&] { unsqueeze(x, 5); }), "unsqueeze: axis 5 for [1 2 1 3]"));
  CHECK(contains(error_of([&] { transpose(x, 0, 4); }), "transpose: axis 4 is out of range"));
  CHECK(contains(error_of([&] { flatten(x, 2, 1); }), "flatten: axes 2 to 1"));
  CHECK(error_of([] { squeeze(Var()); }) == "squeeze: x is undefined");
}

TEST_CASE("rearrange: split is undone by concat") {
  const Tensor x = counted({2, 5});
  const Vars parts = split(x, 2, 1);
  REQUIRE(parts.size() == 3);
  CHECK(numbers(parts[0]) == std::vector<double>{0, 1, 5, 6});
  CHECK(numbers(parts[2]) == std::vector<double>{4, 9});
  const Vars uneven = split(x, {1, 0, 4}, -1);
  CHECK(uneven[1].shape() == Shape{2, 0});
  CHECK(numbers(uneven[2]) == std::vector<double>{1, 2, 3, 4, 6, 7, 8, 9});
  CHECK(split(counted({0, 3}), 2, 0).size() == 1);
  CHECK(split(x, {5}, 1).size() == 1);  // one size, not one element each
  CHECK(error_of([&] {
          split(x, {2, 2}, 1);
        }) == "split: the parts have 4 elements, axis 1 of [2 5] has 5");
  CHECK(contains(error_of([&] { split(x, {2, 9}, 1); }), "a part of 9 elements after 2 of the 5"));
  CHECK(contains(error_of([&] { split(x, 0, 1); }), "split: parts of 0 elements"));
}

TEST_CASE("rearrange: repeat and roll") {
  CHECK(numbers(repeat(counted({2, 2}), {1, 2})) == std::vector<double>{0, 1, 0, 1, 2, 3, 2, 3});
  CHECK(numbers(repeat(counted({2}), {2, 2})) == std::vector<double>{0, 1, 0, 1, 0, 1, 0, 1});
  CHECK(repeat(counted({2, 3}), {0, 1}).shape() == Shape{0, 3});
  CHECK(numbers(repeat(counted({2, 1, 1, 1, 1, 1, 2}), {1, 2, 1, 1, 1, 1, 2})) ==
        std::vector<double>{0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3});
  CHECK(repeat(counted({1, 1, 1, 1, 1}), {2, 2, 2, 2, 2}).shape() == Shape{2, 2, 2, 2, 2});
  CHECK(numbers(roll(counted({5}), 2, 0)) == std::vector<double>{3, 4, 0, 1, 2});
  CHECK(numbers(roll(counted({5}), -12, 0)) == std::vector<double>{2, 3, 4, 0, 1});
  CHECK(numbers(roll(counted({2, 2}), 1, -1)) == std::vector<double>{1, 0, 3, 2});
  CHECK(contains(error_of([] { repeat(counted({2, 3}), {2}); }), "repeat: 1 counts for [2 3]"));
  CHECK(contains(error_of([] { repeat(counted({2}), {-1}); }), "repeat: a count is -1"));
}

TEST_CASE("rearrange: triangles") {
  CHECK(numbers(tril(counted({3, 3}))) == std::vector<double>{0, 0, 0, 3, 4, 0, 6, 7, 8});
  CHECK(numbers(tril(counted({2, 3}), 1)) == std::vector<double>{0, 1, 0, 3, 4, 5});
  CHECK(numbers(triu(counted({2, 3}), 1)) == std::vector<double>{0, 1, 2, 0, 0, 5});
  const Tensor far = Tensor::full({1, 2, 2}, std::nan(""), DType::float32);
  CHECK(numbers(tril(far))[1] == 0);  // what is left out has no influence
  CHECK(
      contains(error_of([] { tril(counted({3})); }), "tril: expected matrices [... R C], got [3]"));
}

TEST_CASE("rearrange: pixel_shuffle in PyTorch's order, and back") {
  // Channel c r^2 + i r + j of pixel (h, w) goes to channel c of (h r + i, w r + j).
  const Tensor x = counted({2, 3, 2, 8});
  const Tensor y = pixel_shuffle(x, 2).value();
  REQUIRE(y.shape() == Shape{2, 6, 4, 2});
  const double* const from = x.data<double>();
  const double* const to = y.data<double>();
  for (int h = 0; h < 6; ++h)
    for (int w = 0; w < 4; ++w)
      for (int c = 0; c < 2; ++c)
        CHECK(to[(h * 4 + w) * 2 + c] == from[(h / 2 * 2 + w / 2) * 8 + c * 4 + h % 2 * 2 + w % 2]);
  CHECK(numbers(pixel_unshuffle(y, 2)) == numbers(x));
  CHECK(contains(error_of([&] { pixel_shuffle(x, 3); }), "8 channels do not divide into 9"));
  CHECK(contains(error_of([&] { pixel_unshuffle(x, 2); }), "a map of 3 x 2 does not divide"));
}

TEST_CASE("rearrange: index_select along any axis") {
  const Tensor x = counted({2, 3, 2});
  const Tensor picked = Tensor::from<std::int64_t>({2, 0, 2}, {3});
  CHECK(numbers(index_select(x, 1, picked)) ==
        std::vector<double>{4, 5, 0, 1, 4, 5, 10, 11, 6, 7, 10, 11});
  CHECK(numbers(index_select(counted({3, 2}), 0, picked)) == std::vector<double>{4, 5, 0, 1, 4, 5});
  CHECK(index_select(x, -1, Tensor::zeros({0}, DType::int64)).shape() == Shape{2, 3, 0});
  CHECK(contains(error_of([&] { index_select(x, 0, Tensor::zeros({2})); }),
                 "index_select: the indices must be integers [K]"));
  CHECK(error_of([&] { index_select(x, 0, picked); }) ==
        "index_select: index 2 at place 0 is not in [0, 2)");
  CHECK(squeeze(counted({1, 3, 1}), -1).shape() == Shape{1, 3});
  CHECK(squeeze(counted({1, 3, 1}), {}).shape() == Shape{3});
}
