#include <pliant/autograd/ops/cumsum.h>

#include <pliant/core/parallel.h>
#include <pliant/tests/cases/cumsum.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("cumsum: by hand, along both axes and from both ends") {
  const Tensor x = Tensor::from({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, {2, 3});
  const auto sums = [&](int axis, CumsumFrom from) {
    return cumsum(x, axis, from).value().to_vector();
  };
  CHECK(sums(-1, CumsumFrom::start) == std::vector<double>{1, 3, 6, 4, 9, 15});
  CHECK(sums(-1, CumsumFrom::end) == std::vector<double>{6, 5, 3, 15, 11, 6});
  CHECK(sums(0, CumsumFrom::start) == std::vector<double>{1, 2, 3, 5, 7, 9});
  CHECK(sums(0, CumsumFrom::end) == std::vector<double>{5, 7, 9, 4, 5, 6});
}

TEST_CASE("cumsum: gradients, first and second, threads") {
  check(cumsum_cases());
  check_twice(cumsum_cases());
}

TEST_CASE("cumsum: nothing to sum, more lines than a task owns, any number of threads") {
  CHECK(cumsum(random({2, 0}, 2), 1).shape() == Shape{2, 0});
  const Tensor x = random({3, 5, 700}, 3);
  const int threads = thread_count();
  std::vector<Tensor> results;
  for (const int count : {1, 3}) {
    set_thread_count(count);
    results.push_back(cumsum(x, 1).value());
  }
  set_thread_count(threads);
  CHECK(max_difference(results[0], results[1]) == 0);
  double sum = 0;  // of the last line
  for (std::int64_t k = 0; k < 5; ++k)
    sum += x.span<double>()[static_cast<std::size_t>((10 + k) * 700 + 699)];
  CHECK(results[0].to_vector().back() == sum);
}

TEST_CASE("cumsum: bad arguments") {
  CHECK(error_of([] { cumsum({}, 0); }) == "cumsum: x is undefined");
  CHECK(contains(error_of([] { cumsum(Tensor::scalar(1), 0); }), "cumsum: axis 0"));
  CHECK(contains(error_of([] { cumsum(random({2, 3}, 4), 2); }), "cumsum: axis 2"));
  CHECK(contains(error_of([] { cumsum(Tensor::zeros({2}, DType::int64), 0); }),
                 "cumsum: needs floating tensors, got int64"));
}
