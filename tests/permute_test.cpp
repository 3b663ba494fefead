#include <pliant/autograd/ops/permute.h>

#include <algorithm>
#include <numeric>

#include <pliant/core/kernels/permute.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/cases/permute.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Axes = std::vector<int>;

// Element by element, from the definition: y[i0, i1, ...] is x where its axis axes[k] is at ik.
Tensor reference(const Tensor& x, const Axes& axes) {
  Shape shape;
  for (const int axis : axes) shape.push_back(x.shape()[axis]);
  const std::vector<double> from = x.to_vector();
  std::vector<double> to(from.size());
  for (std::size_t at = 0; at < to.size(); ++at) {
    Shape place = x.shape();
    auto rest = static_cast<std::int64_t>(at);
    for (int k = shape.rank() - 1; k >= 0; --k) {
      place[axes[static_cast<std::size_t>(k)]] = rest % shape[k];
      rest /= shape[k];
    }
    std::int64_t index = 0;
    for (int k = 0; k < x.rank(); ++k) index = index * x.shape()[k] + place[k];
    to[at] = from[static_cast<std::size_t>(index)];
  }
  return Tensor::from(to, shape).to(x.dtype());
}

Axes every(int rank) {
  Axes axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Tensor counting(const Shape& shape, DType dtype = DType::float64) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  std::iota(values.begin(), values.end(), 1.0);
  return Tensor::from(values, shape).to(dtype);
}

}  // namespace

TEST_CASE("permute: every permutation of small tensors, edges among them") {
  for (const Shape& shape :
       {Shape{}, Shape{5}, Shape{3, 4}, Shape{1, 6}, Shape{2, 3, 4}, Shape{2, 1, 5}, Shape{3, 0, 2},
        Shape{0, 0}, Shape{3, 2, 5, 4}, Shape{1, 1, 1, 1}, Shape{2, 3, 1, 2, 2}})
    for (const DType dtype : {DType::float32, DType::float64}) {
      const Tensor x = counting(shape, dtype);
      Axes axes = every(shape.rank());
      do {
        CAPTURE(shape);
        CAPTURE(axes.size());
        const Tensor y = permute(x, axes).value(), want = reference(x, axes);
        CHECK(y.dtype() == dtype);
        CHECK(y.shape() == want.shape());
        CHECK(max_difference(y, want) == 0);
      } while (std::next_permutation(axes.begin(), axes.end()));
    }
}

TEST_CASE("permute: maps larger than a tile, short and long runs, eight axes") {
  struct Case {
    Shape shape;
    Axes axes;
  };
  for (const Case& c : std::vector<Case>{{{2, 9, 11, 70}, {0, 3, 1, 2}},
                                         {{2, 70, 9, 11}, {0, 2, 3, 1}},
                                         {{100, 333}, {1, 0}},
                                         {{3, 5000}, {1, 0}},
                                         {{5000, 3}, {1, 0}},
                                         {{33, 3, 33, 3}, {2, 1, 0, 3}},
                                         {{3, 35, 37, 2}, {0, 2, 1, 3}},
                                         {{35, 37, 4}, {1, 0, 2}},
                                         {{35, 37, 5}, {1, 0, 2}},
                                         {{7, 9, 100}, {1, 0, 2}},
                                         {{2, 3, 70000}, {1, 0, 2}},
                                         {{40000, 2, 2}, {0, 2, 1}},
                                         {{2, 3, 2, 3, 2, 3, 2, 3}, {7, 0, 6, 1, 5, 2, 4, 3}},
                                         {{2, 1, 3, 2, 1, 2, 3, 2}, {5, 6, 7, 1, 0, 2, 4, 3}}})
    for (const DType dtype : {DType::float32, DType::float64}) {
      CAPTURE(c.shape);
      const Tensor x = counting(c.shape, dtype);
      const Tensor y = permute(x, c.axes).value();
      CHECK(max_difference(y, reference(x, c.axes)) == 0);
      const PermuteGeometry g = permute_geometry(c.shape, c.axes);
      REQUIRE(g.size() == x.size());
      const std::vector<double> from = x.to_vector(), to = y.to_vector();
      std::int64_t wrong = 0;  // the formula of one element, which the GPU uses
      for (std::int64_t at = 0; at < g.size(); ++at)
        wrong += to[static_cast<std::size_t>(at)] !=
                 from[static_cast<std::size_t>(permute_source(g, at))];
      CHECK(wrong == 0);
    }
}

TEST_CASE("permute: axes that stay neighbours are one") {
  const auto rank = [](const Shape& shape, const Axes& axes) {
    return permute_geometry(shape, axes).rank;
  };
  CHECK(rank({2, 3, 4, 5}, {0, 3, 1, 2}) == 3);
  CHECK(rank({2, 3, 4, 5}, {2, 3, 0, 1}) == 2);
  CHECK(rank({2, 3, 4, 5}, {0, 1, 2, 3}) == 1);
  CHECK(rank({1, 3, 1, 5}, {2, 1, 0, 3}) == 1);
  CHECK(rank({1, 1}, {1, 0}) == 0);
}

TEST_CASE("permute: nothing is copied where nothing moves") {
  const Tensor x = random({2, 1, 3, 4}, 1);
  CHECK(permute(x, {0, 2, 1, 3}).value().shares_storage_with(x));
  CHECK(permute(x, {0, 2, 1, 3}).shape() == Shape{2, 3, 1, 4});
  CHECK_FALSE(permute(x, {0, 3, 1, 2}).value().shares_storage_with(x));
}

TEST_CASE("permute: gradients are the inverse permutation") {
  check(permute_cases());
  const Tape tape;
  const Var x = tape.variable(random({4, 5, 6}, 6));
  const Var y = permute(x, {2, 0, 1});
  CHECK(tape.saved_bytes() == 0);
  const Tensor dy = random(y.shape(), 7);
  const Tensor dx = tape.gradients(y, {}, {.cotangent = dy})[x];
  CHECK(max_difference(dx, reference(dy, {1, 2, 0})) == 0);
}

TEST_CASE("permute: the same bits on any number of threads") {
  const int before = thread_count();
  const Tensor x = random({4, 31, 33, 65}, 8, -1, 1, DType::float32);
  set_thread_count(1);
  const Tensor one = permute(x, {3, 0, 2, 1}).value();
  for (const int threads : {2, 3, 7}) {
    set_thread_count(threads);
    CHECK(max_difference(one, permute(x, {3, 0, 2, 1}).value()) == 0);
  }
  set_thread_count(before);
}

TEST_CASE("permute: bad axes") {
  const Tensor x = random({2, 3, 4}, 1);
  const auto message = [&](const Axes& axes) { return error_of([&] { permute(x, axes); }); };
  CHECK(message({0, 1}) == "permute: 2 axes given for [2 3 4], expected 3");
  CHECK(contains(message({0, 1, 2, 3}), "4 axes given for [2 3 4], expected 3"));
  CHECK(contains(message({}), "0 axes given"));
  CHECK(message({0, 1, 1}) == "permute: axis 1 is named twice");
  CHECK(message({0, 1, -2}) == "permute: axis -2 is named twice");
  CHECK(message({0, 1, 3}) == "permute: axis 3 is out of range for [2 3 4]");
  CHECK(contains(message({0, 1, -4}), "axis -4 is out of range"));
  CHECK(contains(error_of([] { permute({}, {0}); }), "x is undefined"));
}
