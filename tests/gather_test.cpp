#include <pliant/autograd/ops/gather.h>

#include <cmath>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernels/gather.h>
#include <pliant/tests/cases/gather.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;

Tensor whole(std::initializer_list<std::int64_t> values, const Shape& shape) {
  return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("gather, scatter, embedding, one_hot: gradients, threads") { check(gather_cases()); }

TEST_CASE("gather: along every axis, fewer and more than there are") {
  const Shape shape{3, 4, 5};
  for (int axis = -3; axis < 3; ++axis)
    for (const std::int64_t count : {0, 1, 2, 7}) {
      const Tensor x = random(shape, 1);
      Shape taken = shape;
      const int at = shape.axis(axis, "test");
      taken[at] = count;
      const Tensor index = indices_of(taken, shape[at]);
      const Tensor y = gather(x, axis, index).value();
      REQUIRE(y.shape() == taken);
      for (std::int64_t i = 0; i < y.size(); ++i) {
        Shape place = taken;
        std::int64_t rest = i;
        for (int k = 2; k >= 0; --k) {
          place[k] = rest % taken[k];
          rest /= taken[k];
        }
        place[at] = index.data<std::int64_t>()[i];
        const std::int64_t from = (place[0] * shape[1] + place[1]) * shape[2] + place[2];
        CHECK(y.data<double>()[i] == x.data<double>()[from]);
      }
    }
}

TEST_CASE("embedding: rows of a table, and the sum of a row's gradients") {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 7}, Shape{0}, Shape{1, 1, 2}})
    for (const std::int64_t width : {1, 3, 37}) {
      const Tensor weight = random({11, width}, 3), indices = indices_of(shape, 11);
      const Tensor y = embedding(weight, indices).value();
      Shape want = shape;
      want.push_back(width);
      REQUIRE(y.shape() == want);
      for (std::int64_t i = 0; i < indices.size(); ++i)
        for (std::int64_t j = 0; j < width; ++j)
          CHECK(y.data<double>()[i * width + j] ==
                weight.data<double>()[indices.data<std::int64_t>()[i] * width + j]);
    }
}

TEST_CASE("one_hot: one at the label") {
  const Tensor labels = Tensor::from<std::int64_t>({2, 0, 1, 2}, {2, 2});
  const Tensor y = one_hot(labels, 3);
  CHECK(y.dtype() == DType::float32);
  CHECK(y.shape() == Shape{2, 2, 3});
  CHECK(y.to_vector() == std::vector<double>{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(one_hot(labels, 5, DType::float64).dtype() == DType::float64);
  CHECK(one_hot(Tensor::zeros({}, DType::int64), 1).to_vector() == std::vector<double>{1});
  CHECK(one_hot(Tensor::zeros({0, 2}, DType::int64), 4).shape() == Shape{0, 2, 4});
  const Tensor many = one_hot(indices_of({20011}, 7), 7);
  CHECK(sum(many).value().item() == 20011);
}

TEST_CASE("gather: the formula of an index that nobody checked") {
  const GatherGeometry g{.reduced = 2, .count = 3, .shared = true};
  const double x[] = {1, 2};
  const std::int64_t index[] = {1, -1, 2};
  double y[3], back[2];
  cpu::gather(g, x, index, y);
  CHECK(y[0] == 2);
  CHECK(std::isnan(y[1]));
  CHECK(std::isnan(y[2]));
  cpu::scatter(g, y, index, back);
  CHECK(back[0] == 0);
  CHECK(back[1] == 2);
}

TEST_CASE("gather, embedding, one_hot: bad arguments") {
  const Tensor x = random({2, 3}, 1), index = indices_of({2, 4}, 3);
  CHECK(error_of([&] {
          gather(x, 1, Tensor::from<std::int64_t>({0, 3}, {2, 1}));
        }) == "gather: index 3 at place 1 is not in [0, 3)");
  CHECK(error_of([&] {
          gather(x, 0, Tensor::from<std::int64_t>({0, -1, 0}, {1, 3}));
        }) == "gather: index -1 at place 1 is not in [0, 2)");
  CHECK(error_of([&] {
          gather(x, 1, indices_of({3, 4}, 3));
        }) == "gather: indices [3 4] for [2 3], expected the same extents but along axis 1");
  CHECK(contains(error_of([&] { gather(x, 1, indices_of({2}, 3)); }), "gather: indices [2]"));
  CHECK(error_of([&] { gather(x, 2, index); }) == "gather: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { gather(Var(), 0, index); }) == "gather: x is undefined");
  CHECK(error_of([&] { gather(x, 1, Tensor()); }) == "gather: the indices are undefined");
  CHECK(error_of([&] { gather(x, 1, x); }) == "gather: the indices are float64, expected integers");
  CHECK(error_of([&] { embedding(random({3}, 1), index); }) ==
        "embedding: the weight has shape [3], expected [V D]");
  CHECK(error_of([&] { embedding(Var(), index); }) == "embedding: the weight is undefined");
  CHECK(error_of([&] { embedding(x, Tensor::full({1}, 2, DType::int64)); }) ==
        "embedding: index 2 at place 0 is not in [0, 2)");
  CHECK(error_of([&] { embedding(x, x); }) ==
        "embedding: the indices are float64, expected integers");
  CHECK(error_of([&] { one_hot(index, 0); }) == "one_hot: 0 classes, expected at least 1");
  CHECK(contains(error_of([&] { one_hot(index, 1); }), "one_hot: index "));
  CHECK(error_of([&] { one_hot(x, 3); }) == "one_hot: the indices are float64, expected integers");
  CHECK(contains(error_of([&] { one_hot(index, 3, DType::int64); }), "needs float32 or float64"));
}

TEST_CASE("scatter_add: the transpose of gather") {
  const Tensor y = Tensor::from({1.0, 2.0, 4.0, 8.0}, {1, 4});
  const Tensor index = Tensor::from<std::int64_t>({2, 0, 2, 0}, {1, 4});
  CHECK(scatter_add(y, 1, index, 4).value().to_vector() == std::vector<double>{10, 0, 5, 0});
  CHECK(scatter_add(y, -1, index, 3).shape() == Shape{1, 3});
  CHECK(error_of([&] { scatter_add({}, 0, index, 3); }) == "scatter_add: y is undefined");
  CHECK(error_of([&] { scatter_add(y, 1, index, -1); }) ==
        "scatter_add: the extent is -1, expected none negative");
  CHECK(contains(error_of([&] { scatter_add(y, 1, index, 2); }),
                 "scatter_add: index 2 at place 0 is not in [0, 2)"));
  CHECK(contains(error_of([&] {
                   scatter_add(random({2, 2}, 1), 1, index, 3);
                 }),
                 "expected the same shape"));
}

TEST_CASE("scatter_add: long sums of float32 keep their last digits") {
  constexpr std::int64_t kMany = std::int64_t{1} << 20;
  const Tensor index = Tensor::zeros({kMany}, DType::int64);
  const double sum = scatter_add(Tensor::full({kMany}, 0.1), 0, index, 1).value().to_vector()[0];
  CHECK(sum == static_cast<float>(static_cast<double>(0.1f) * static_cast<double>(kMany)));
}

TEST_CASE("scatter: the last of several stays, in any dtype") {
  const Tensor index = whole({2, 0, 2}, {1, 3}), y = whole({10, 20, 30}, {1, 3});
  for (const DType dtype :
       {DType::float32, DType::bfloat16, DType::int64, DType::int32, DType::uint8}) {
    const Var z = scatter(whole({1, 2, 3, 4}, {1, 4}).to(dtype), 1, index, y.to(dtype));
    CHECK(z.dtype() == dtype);
    CHECK(z.value().to_vector() == Values{20, 2, 30, 4});
  }
  const Tape tape;
  const Var x = tape.variable(random({1, 4}, 1)), v = tape.variable(random({1, 3}, 2));
  const Tensor dy = Tensor::from({1.0, 2.0, 3.0, 4.0}, {1, 4});
  const Gradients gradients = tape.gradients(scatter(x, 1, index, v), {}, {.cotangent = dy});
  CHECK(gradients[x].to_vector() == Values{0, 2, 0, 4});
  CHECK(gradients[v].to_vector() == Values{0, 1, 3});
}

TEST_CASE("scatter, index_copy, index_add: second derivatives, nothing") {
  for (const OpCase& c : scatter_cases()) {
    check_twice({c.name, [&](const Vars& v) { return exp(c.f(v)); }, c.inputs});
  }
  const Tensor x = random({2, 3}, 1), none = Tensor::zeros({2, 0}, DType::int64);
  CHECK(same_bits(scatter(x, 1, none, random({2, 0}, 1)).value(), x));
  CHECK(scatter(random({0, 3}, 1), 1, Tensor::zeros({0, 2}, DType::int64), random({0, 2}, 2))
            .shape() == Shape{0, 3});
  CHECK(index_copy(x, 0, whole({1}, {1}), random({1, 3}, 2)).value().to_vector()[3] ==
        random({1, 3}, 2).to_vector()[0]);
}

TEST_CASE("scatter, index_copy, index_add: bad arguments") {
  const Tensor x = random({2, 3}, 1), index = whole({0, 3}, {2, 1}), y = random({2, 1}, 2);
  CHECK(error_of([&] { scatter(x, 1, index, y); }) ==
        "scatter: index 3 at place 1 is not in [0, 3)");
  CHECK(error_of([&] { scatter(Var(), 1, index, y); }) == "scatter: x is undefined");
  CHECK(error_of([&] { scatter(x, 1, index, Var()); }) == "scatter: y is undefined");
  CHECK(error_of([&] { scatter(x, 1, Tensor(), y); }) == "scatter: the indices are undefined");
  const Tensor good = whole({0, 2}, {2, 1});
  CHECK(error_of([&] { scatter(x, 1, good, y.to(DType::float32)); }) ==
        "scatter: x is float64 but y is float32; convert one with to(DType)");
  CHECK(error_of([&] { scatter(x, 0, good, y); }) ==
        "scatter: index 2 at place 1 is not in [0, 2)");
  CHECK(error_of([&] {
          scatter(x, 1, good, random({2, 2}, 1));
        }) ==
        "scatter: y [2 2] and indices [2 1] for x [2 3], expected the same extents but along axis "
        "1");
  CHECK(error_of([&] {
          index_copy(x, 1, whole({0, 1}, {2}), y);
        }) == "index_copy: indices [2] for y [2 1] along axis 1, expected one for each slice");
  CHECK(error_of([&] { index_add(x, 1, Tensor(), y); }) == "index_add: the indices are undefined");
  CHECK(error_of([&] { index_add(Var(), 1, good, y); }) == "index_add: x is undefined");
  CHECK(error_of([&] { index_copy(x, 1, whole({3}, {1}), y); }) ==
        "index_copy: scatter: index 3 at place 0 is not in [0, 3)");
}
