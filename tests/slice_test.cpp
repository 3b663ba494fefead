#include <pliant/autograd/ops/slice.h>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernels/copy_box.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/cases/slice.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Calls f(index, place) for every element of a shape: its index along each axis and its place.
template <class F>
void for_each_index(const Shape& shape, F f) {
  Shape index = shape;
  for (std::int64_t at = 0; at < shape.size(); ++at) {
    std::int64_t rest = at;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      index[i] = rest % shape[i];
      rest /= shape[i];
    }
    f(index, at);
  }
}

std::int64_t place_of(const Shape& index, const Shape& shape) {
  std::int64_t place = 0;
  for (int i = 0; i < shape.rank(); ++i) place = place * shape[i] + index[i];
  return place;
}

}  // namespace

TEST_CASE("slice, pad, concat, stack, flip: gradients, threads") { check(slice_cases()); }

TEST_CASE("select: one element of an axis, without the axis") {
  const Tensor x = random({2, 3, 4}, 1);
  CHECK(select(x, 1, 2).shape() == Shape{2, 4});
  CHECK(select(x, 1, -1).value().to_vector() == slice_axis(x, 1, 2, 3).value().to_vector());
  CHECK(select(x, -1, 0).value().to_vector() == slice_axis(x, 2, 0, 1).value().to_vector());
  CHECK(error_of([&] { select(x, 0, 2); }) ==
        "select: index 2 is not along axis 0 of [2 3 4], expected -2 to 1");
  CHECK(error_of([&] { select(x, 0, -3); }) ==
        "select: index -3 is not along axis 0 of [2 3 4], expected -2 to 1");
  CHECK(error_of([&] { select(Tensor::zeros({0}), 0, 0); }) ==
        "select: index 0 is not along axis 0 of [0], which has none");
  CHECK(error_of([&] { select(x, 3, 0); }) == "select: axis 3 is out of range for [2 3 4]");
  CHECK(error_of([] { select(Var(), 0, 0); }) == "select: x is undefined");
  const Tape tape;
  const Var v = tape.variable(x);
  CHECK(tape.gradients(sum(select(v, 0, 1)))[v].to_vector()[12] == 1);
}

TEST_CASE("slice: windows and steps against the definition") {
  for (const SliceCase& c : slice_shapes()) {
    CAPTURE(c.shape);
    const Tensor x = random(c.shape, 1);
    const Tensor y = slice(x, c.start, c.stop, c.step).value();
    const std::vector<double> from = x.to_vector(), to = y.to_vector();
    std::int64_t wrong = 0;
    for_each_index(y.shape(), [&](Shape index, std::int64_t at) {
      for (int i = 0; i < index.rank(); ++i) {
        const auto axis = static_cast<std::size_t>(i);
        index[i] = c.start[axis] + index[i] * c.step[axis];
        wrong += index[i] >= c.stop[axis];
      }
      wrong += to[static_cast<std::size_t>(at)] !=
               from[static_cast<std::size_t>(place_of(index, c.shape))];
    });
    CHECK(wrong == 0);
    for (int i = 0; i < y.rank(); ++i) {  // one step further lies outside
      const auto axis = static_cast<std::size_t>(i);
      CHECK(c.start[axis] + y.shape()[i] * c.step[axis] >= c.stop[axis]);
    }
  }
}

TEST_CASE("slice: negative indices count from the end; one axis alone") {
  const Tensor x = Tensor::from({0.0, 1.0, 2.0, 3.0, 4.0, 5.0}, {2, 3});
  const auto values = [](const Var& y) { return y.value().to_vector(); };
  CHECK(values(slice(x, {-1, -3}, {2, -1})) == std::vector<double>{3, 4});
  CHECK(values(slice_axis(x, -1, 0, 3, 2)) == std::vector<double>{0, 2, 3, 5});
  CHECK(values(slice_axis(x, 0, -1, 2)) == std::vector<double>{3, 4, 5});
  CHECK(slice_axis(x, 1, 1, 1).shape() == Shape{2, 0});
}

TEST_CASE("pad: values and gradients") {
  for (const PadCase& c : pad_shapes()) {
    CAPTURE(c.shape);
    const Tensor x = random(c.shape, 2);
    const Tensor y = pad(x, c.before, c.after, -1.5).value();
    const std::vector<double> from = x.to_vector(), to = y.to_vector();
    std::int64_t inside = 0;
    for_each_index(y.shape(), [&](Shape index, std::int64_t at) {
      bool is_inside = true;
      for (int i = 0; i < index.rank(); ++i) {
        index[i] -= c.before[static_cast<std::size_t>(i)];
        is_inside = is_inside && index[i] >= 0 && index[i] < c.shape[i];
      }
      inside += is_inside;
      CHECK(to[static_cast<std::size_t>(at)] ==
            (is_inside ? from[static_cast<std::size_t>(place_of(index, c.shape))] : -1.5));
    });
    CHECK(inside == x.size());
  }
}

TEST_CASE("concat and stack: along every axis, put together and taken apart again") {
  for (int axis = -3; axis < 3; ++axis) {
    std::vector<Tensor> parts;
    for (const std::int64_t extent : {3, 1, 0, 5}) {
      Shape shape{2, 3, 4};
      shape[shape.axis(axis, "test")] = extent;
      parts.push_back(random(shape, static_cast<std::uint64_t>(extent) + 1));
    }
    const Vars all(parts.begin(), parts.end());
    const Var y = concat(all, axis);
    std::int64_t begin = 0;
    for (const Tensor& part : parts) {
      const std::int64_t end = begin + part.dim(axis);
      CHECK(max_difference(slice_axis(y, axis, begin, end).value(), part) == 0);
      begin = end;
    }
    CHECK(y.dim(axis) == begin);
  }
  for (int axis = -3; axis < 3; ++axis) {
    const std::vector<Tensor> parts = {random({2, 5}, 1), random({2, 5}, 2), random({2, 5}, 3)};
    const Var y = stack(Vars(parts.begin(), parts.end()), axis);
    CHECK(y.dim(axis) == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      CHECK(max_difference(slice_axis(y, axis, at, at + 1).value().reshape({2, 5}), parts[i]) == 0);
    }
  }
  const Var scalars = stack({Tensor::scalar(1.0), Tensor::scalar(2.0)});
  CHECK(scalars.value().to_vector() == std::vector<double>{1, 2});
  CHECK(concat({random({2, 3}, 4)}, 1).shape() == Shape{2, 3});
}

TEST_CASE("concat: the same tensor twice; a part that wants no gradient") {
  const Tape tape;
  const Var x = tape.variable(random({2, 3}, 5)), fixed = tape.input(random({2, 1}, 6));
  const Var y = concat({x, fixed, x}, 1);
  const Tensor dy = random(y.shape(), 7);
  const Tensor dx = tape.gradients(y, {}, {.cotangent = dy})[x];
  const std::vector<double> from = dy.to_vector(), got = dx.to_vector();
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      CHECK(got[i * 3 + j] == from[i * 7 + j] + from[i * 7 + 4 + j]);
}

TEST_CASE("copy_box: axes that can be walked as one are one") {
  const Shape big{4, 6, 5}, small{4, 6, 5};
  const Sides zero{0, 0, 0}, one{1, 1, 1}, two{1, 2, 1};
  CHECK(copy_box_geometry(small, {big, zero, one}, {small, zero, one}).rank == 1);
  CHECK(copy_box_geometry({4, 3, 5}, {big, zero, two}, {{4, 3, 5}, zero, one}).rank == 2);
  CHECK(copy_box_geometry({1, 1, 1}, {big, one, one}, {{1, 1, 1}, zero, one}).x_start == 36);
}

TEST_CASE("slice, pad, concat, stack: bad arguments") {
  const Tensor x = random({2, 3}, 1);
  CHECK(error_of([&] {
          slice(x, {0}, {1, 2});
        }) == "slice: 1 numbers given as start for [2 3], expected 2");
  CHECK(error_of([&] {
          slice(x, {0, 0}, {1});
        }) == "slice: 1 numbers given as stop for [2 3], expected 2");
  CHECK(error_of([&] {
          slice(x, {0, 0}, {1, 2}, {1});
        }) == "slice: 1 numbers given as step for [2 3], expected 2");
  CHECK(error_of([&] {
          slice(x, {0, 0}, {1, 4});
        }) == "slice: 0 to 4 is no range of axis 1 of [2 3]");
  CHECK(error_of([&] {
          slice(x, {0, 2}, {1, 1});
        }) == "slice: 2 to 1 is no range of axis 1 of [2 3]");
  CHECK(error_of([&] {
          slice(x, {-3, 0}, {1, 1});
        }) == "slice: -3 to 1 is no range of axis 0 of [2 3]");
  CHECK(error_of([&] {
          slice(x, {0, 0}, {2, 3}, {1, 0});
        }) == "slice: the step along axis 1 is 0, expected at least 1");
  CHECK(error_of([&] { slice_axis(x, 2, 0, 1); }) ==
        "slice_axis: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { slice_axis(Var(), 0, 0, 1); }) == "slice_axis: x is undefined");
  CHECK(error_of([&] { slice(Var(), {}, {}); }) == "slice: x is undefined");
  CHECK(error_of([&] {
          pad(x, {0}, {0, 0});
        }) == "pad: 1 numbers given as before for [2 3], expected 2");
  CHECK(error_of([&] {
          pad(x, {0, 0}, {0});
        }) == "pad: 1 numbers given as after for [2 3], expected 2");
  CHECK(error_of([&] {
          pad(x, {0, -4}, {0, 0});
        }) ==
        "pad: -4 before and 0 after axis 1 of [2 3], expected at most 2^40, and no more taken "
        "away than there is");
  CHECK(error_of([&] { pad(Var(), {}, {}); }) == "pad: x is undefined");
  CHECK(error_of([&] { concat({}, 0); }) == "concat: no tensors given");
  CHECK(error_of([&] { stack({}, 0); }) == "stack: no tensors given");
  CHECK(error_of([&] { concat({x, Var()}, 0); }) == "concat: tensor 1 of 2 is undefined");
  CHECK(error_of([&] {
          concat({x, random({2}, 1)}, 0);
        }) == "concat: shapes [2 3] and [2] differ in rank");
  CHECK(error_of([&] {
          concat({x, random({2, 4}, 1)}, 0);
        }) == "concat: shapes [2 3] and [2 4] differ along axis 1, not along 0 alone");
  CHECK(error_of([&] {
          concat({x, Tensor::zeros({2, 3})}, 0);
        }) == "concat: the first is float64 but another is float32; convert one with to(DType)");
  CHECK(error_of([&] { concat({x}, 2); }) == "concat: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { stack({x, random({3, 2}, 1)}); }) == "stack: shapes [2 3] and [3 2] differ");
  CHECK(contains(error_of([&] { stack({x}, 3); }), "stack: axis 3 is out of range"));
}

TEST_CASE("flip: against the definition") {
  for (const FlipCase& c : flip_shapes()) {
    CAPTURE(c.shape);
    const Tensor x = random(c.shape, 1), y = flip(x, c.axes).value();
    REQUIRE(y.shape() == c.shape);
    const std::vector<double> from = x.to_vector(), to = y.to_vector();
    std::int64_t wrong = 0;
    for_each_index(c.shape, [&](Shape index, std::int64_t at) {
      for (const int axis : c.axes) {
        const int i = c.shape.axis(axis, "test");
        index[i] = c.shape[i] - 1 - index[i];
      }
      wrong += to[static_cast<std::size_t>(at)] !=
               from[static_cast<std::size_t>(place_of(index, c.shape))];
    });
    CHECK(wrong == 0);
  }
  const Tensor x = random({2, 3}, 1);
  CHECK(error_of([&] { flip(x, {2}); }) == "flip: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { flip(x, {1, -1}); }) == "flip: axis -1 is named twice");
  CHECK(error_of([&] { flip(Var(), {0}); }) == "flip: x is undefined");
}

TEST_CASE("pad: what stands beyond the ends") {
  const Tensor x = Tensor::from({1.0, 2.0, 3.0, 4.0}, {4});
  const auto values = [&](std::int64_t before, std::int64_t after, auto rule) {
    return pad(x, {before}, {after}, rule).value().to_vector();
  };
  CHECK(values(3, 2, PadMode::reflect) == std::vector<double>{4, 3, 2, 1, 2, 3, 4, 3, 2});
  CHECK(values(2, 2, PadMode::replicate) == std::vector<double>{1, 1, 1, 2, 3, 4, 4, 4});
  CHECK(values(4, 1, PadMode::circular) == std::vector<double>{1, 2, 3, 4, 1, 2, 3, 4, 1});
  CHECK(values(-1, 2, PadMode::reflect) == std::vector<double>{2, 3, 4, 3, 2});
  CHECK(values(1, -3, PadMode::circular) == std::vector<double>{4, 1});
  CHECK(values(-1, -1, PadMode::replicate) == std::vector<double>{2, 3});
  CHECK(values(0, 0, PadMode::reflect) == x.to_vector());
  CHECK(values(-1, 1, 9.0) == std::vector<double>{2, 3, 4, 9});
  CHECK(values(-2, -2, 9.0).empty());
  CHECK(values(-4, 2, 9.0) == std::vector<double>{9, 9});
  CHECK(pad(Tensor::from({5.0}, {1}), {3}, {0}, PadMode::replicate).value().to_vector() ==
        std::vector<double>{5, 5, 5, 5});
}

TEST_CASE("pad: second derivatives") {
  for (const OpCase& c : pad_cases())
    if (c.inputs[0].size() <= 30)
      check_twice({c.name, [&](const Vars& v) { return exp(c.f(v)); }, c.inputs});
}

TEST_CASE("pad: bad arguments of the modes") {
  const Tensor x = random({2, 3}, 1);
  const auto message = [&](const Sides& before, const Sides& after, PadMode mode) {
    return error_of([&] { pad(x, before, after, mode); });
  };
  CHECK(message({0, 3}, {0, 0}, PadMode::reflect) ==
        "pad: 3 beyond axis 1 of [2 3], expected at most 2 of this mode");
  CHECK(message({0, 0}, {0, 4}, PadMode::circular) ==
        "pad: 4 beyond axis 1 of [2 3], expected at most 3 of this mode");
  CHECK(contains(message({0, -2}, {0, -2}, PadMode::replicate),
                 "pad: -2 before and -2 after axis 1 of [2 3]"));
  CHECK(message({0}, {0, 0}, PadMode::reflect) ==
        "pad: 1 numbers given as before for [2 3], expected 2");
  CHECK(error_of([] { pad(Var(), {}, {}, PadMode::reflect); }) == "pad: x is undefined");
  CHECK(contains(error_of([] { pad(Tensor::zeros({0}), {1}, {0}, PadMode::replicate); }),
                 "expected at most 0"));
}
