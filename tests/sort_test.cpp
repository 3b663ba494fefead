#include <pliant/autograd/ops/sort.h>

#include <algorithm>
#include <numeric>

#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/cases/sort.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;
const double kNan = std::nan("");

// Few distinct numbers, so that many are equal.
Tensor coarse(const Shape& shape, std::uint64_t seed) {
  return floor(random(shape, seed, -3, 4)).value();
}

// The order of a line by the standard library's stable sort.
std::vector<std::size_t> naive_order(const Values& line, SortOrder order) {
  std::vector<std::size_t> places(line.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  const auto less = [](double a, double b) { return a < b || (b != b && a == a); };
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return order == SortOrder::ascending ? less(line[a], line[b]) : less(line[b], line[a]);
  });
  return places;
}

}  // namespace

TEST_CASE("sort: stable along every axis, against the definition") {
  for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{2, 300, 3}, Shape{1, 1}, Shape{4, 1, 2}})
    for (const SortOrder order : {SortOrder::ascending, SortOrder::descending})
      for (int axis = 0; axis < shape.rank(); ++axis)
        for (const DType dtype : {DType::float64, DType::float32, DType::bfloat16, DType::int64}) {
          CAPTURE(shape);
          CAPTURE(axis);
          const Tensor x = coarse(shape, 3).to(dtype);
          const ValuesAndIndices sorted = sort(x, axis, order);
          CHECK(sorted.values.dtype() == dtype);
          CHECK(same_bits(argsort(x, axis, order), sorted.indices));
          const Values from = x.to_vector(), index = sorted.indices.to_vector(),
                       to = sorted.values.value().to_vector();
          std::int64_t inner = 1;
          for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
          const std::int64_t n = shape[axis];
          std::int64_t wrong = 0;
          for (std::int64_t line = 0; line < x.size() / n; ++line) {
            const auto place = [&](std::int64_t k) {
              return static_cast<std::size_t>((line / inner * n + k) * inner + line % inner);
            };
            Values row;
            for (std::int64_t k = 0; k < n; ++k) row.push_back(from[place(k)]);
            const std::vector<std::size_t> want = naive_order(row, order);
            for (std::int64_t k = 0; k < n; ++k) {
              const std::size_t at = want[static_cast<std::size_t>(k)];
              wrong += index[place(k)] != static_cast<double>(at) || to[place(k)] != row[at];
            }
          }
          CHECK(wrong == 0);
        }
}

TEST_CASE("sort: NaN is largest, zeros are equal, integers to the last bit") {
  const Tensor x = Tensor::from({kNan, 1.0, -HUGE_VAL, -0.0, HUGE_VAL, 0.0, kNan}, {7});
  CHECK(argsort(x).to_vector() == Values{2, 3, 5, 1, 4, 0, 6});
  CHECK(argsort(x, 0, SortOrder::descending).to_vector() == Values{0, 6, 4, 1, 3, 5, 2});
  CHECK(argsort(x.to(DType::float32)).to_vector() == Values{2, 3, 5, 1, 4, 0, 6});
  const Tensor big = Tensor::from<std::int64_t>({INT64_MAX, INT64_MAX - 1, INT64_MIN, -1, 0}, {5});
  CHECK(argsort(big).to_vector() == Values{2, 3, 4, 1, 0});
  CHECK(sort(Tensor::from<std::uint8_t>({255, 0, 7}, {3})).values.value().to_vector() ==
        Values{0, 7, 255});
}

TEST_CASE("topk: the first of the sorted axis") {
  const Tensor x = coarse({6, 50, 2}, 5);
  for (const SortOrder order : {SortOrder::ascending, SortOrder::descending})
    for (const std::int64_t k : {0, 1, 7, 50}) {
      const ValuesAndIndices best = topk(x, k, 1, order), all = sort(x, 1, order);
      CHECK(same_bits(best.indices, slice_axis(all.indices, 1, 0, k).value()));
      CHECK(same_bits(best.values.value(), slice_axis(all.values, 1, 0, k).value()));
    }
  CHECK(topk(Tensor::from({1.0, 3.0, 2.0}, {3}), 2).values.value().to_vector() == Values{3, 2});
}

TEST_CASE("sort and topk: gradients, threads, nothing to sort") {
  check(sort_cases());
  const GradcheckResult twice =
      gradgradcheck([](const Vars& v) { return exp(topk(v[0], 3).values); }, {random({2, 5}, 6)});
  CHECK_MESSAGE(twice.passed, twice.message);
  CHECK(sort(Tensor::zeros({3, 0})).values.shape() == Shape{3, 0});
  CHECK(sort(Tensor::zeros({0, 3})).indices.shape() == Shape{0, 3});
  CHECK(topk(Tensor::zeros({2, 3}), 0).values.shape() == Shape{2, 0});
}

TEST_CASE("unique: the distinct elements in order") {
  CHECK(unique(Tensor::from<std::int64_t>({3, 1, 3, 2, 1, -5}, {2, 3})).to_vector() ==
        Values{-5, 1, 2, 3});
  CHECK(unique(Tensor::from({0.0, -0.0, 2.0, kNan, kNan}, {5})).size() == 4);
  CHECK(unique(Tensor::zeros({0})).size() == 0);
  CHECK(unique(Tensor::from<std::uint8_t>({7, 7}, {2})).dtype() == DType::uint8);
}

TEST_CASE("sort, topk, unique: bad arguments") {
  const Tensor x = random({2, 3}, 1);
  CHECK(error_of([&] { sort(Var()); }) == "sort: x is undefined");
  CHECK(error_of([&] { argsort(Var()); }) == "argsort: x is undefined");
  CHECK(error_of([&] { unique(Var()); }) == "unique: x is undefined");
  CHECK(error_of([&] { sort(x, 2); }) == "sort: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { topk(x, 4); }) ==
        "topk: k is 4, expected 0 to the 3 elements along axis 1 of [2 3]");
  CHECK(contains(error_of([&] { topk(x, -1); }), "topk: k is -1"));
  CHECK(contains(error_of([&] { topk(Var(), 1); }), "topk: x is undefined"));
}
