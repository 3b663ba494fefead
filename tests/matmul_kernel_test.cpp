// The matrix product kernel against three nested loops.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <pliant/core/kernels/matmul.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using test::same_bits;

namespace {

template <class T>
std::vector<T> noise(std::int64_t count, std::uint64_t seed) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(philox(seed, i, 0).word[0]) / T(2147483648.0) - T(1);
  return values;
}

template <class T>
struct Operands {
  explicit Operands(const MatmulGeometry& g)
      : a(noise<T>((g.a == Sharing::shared ? 1 : g.batch) * g.m * g.k, 1)),
        b(noise<T>((g.b == Sharing::shared ? 1 : g.batch) * g.k * g.n, 2)),
        bias(noise<T>(g.n, 3)) {}
  std::vector<T> a, b, bias;
};

template <class T>
std::vector<T> by_kernel(const MatmulGeometry& g, const Operands<T>& in, bool with_bias = true) {
  std::vector<T> y(static_cast<std::size_t>(g.batch * g.m * g.n),
                   std::numeric_limits<T>::quiet_NaN());
  Workspace workspace(Device::cpu());
  cpu::matmul(g, in.a.data(), in.b.data(), with_bias ? in.bias.data() : nullptr, y.data(),
              workspace);
  return y;
}

// How many elements of the product are further off than rounding allows.
template <class T>
int wrong(const MatmulGeometry& g, bool with_bias) {
  const Operands<T> in(g);
  const std::vector<T> found = by_kernel(g, in, with_bias);
  int count = 0;
  const auto at = [](const std::vector<T>& v, std::int64_t i) {
    return static_cast<double>(v[static_cast<std::size_t>(i)]);
  };
  for (std::int64_t batch = 0; batch < g.batch; ++batch)
    for (std::int64_t i = 0; i < g.m; ++i)
      for (std::int64_t j = 0; j < g.n; ++j) {
        double sum = with_bias ? at(in.bias, j) : 0, size = std::abs(sum) + 1e-3;
        const std::int64_t of_a = g.a == Sharing::shared ? 0 : batch;
        const std::int64_t of_b = g.b == Sharing::shared ? 0 : batch;
        for (std::int64_t l = 0; l < g.k; ++l) {
          const bool left = g.transpose_a == Transpose::yes,
                     right = g.transpose_b == Transpose::yes;
          const double term = at(in.a, of_a * g.m * g.k + (left ? l * g.m + i : i * g.k + l)) *
                              at(in.b, of_b * g.k * g.n + (right ? j * g.k + l : l * g.n + j));
          sum += term;
          size += std::abs(term);
        }
        const double error = std::abs(at(found, (batch * g.m + i) * g.n + j) - sum);
        if (!(error <= 8 * std::numeric_limits<T>::epsilon() * size)) ++count;
      }
  return count;
}

struct Extent {
  std::int64_t batch, m, n, k;
};

}  // namespace

TEST_CASE_TEMPLATE("matmul agrees with the definition in every transposition", T, float, double) {
  for (const Extent& e :
       {Extent{1, 1, 1, 1}, Extent{3, 7, 5, 9}, Extent{2, 67, 70, 33}, Extent{1, 64, 10, 128},
        Extent{1, 13, 131, 6}, Extent{2, 5, 17, 1100}, Extent{1, 3, 4, 0}, Extent{0, 3, 4, 5},
        Extent{2, 0, 4, 5}, Extent{37, 5, 67, 9}})
    for (Transpose transpose_a : {Transpose::no, Transpose::yes})
      for (Transpose transpose_b : {Transpose::no, Transpose::yes})
        for (const auto& [a, b] : {std::pair{Sharing::per_batch, Sharing::per_batch},
                                   std::pair{Sharing::per_batch, Sharing::shared},
                                   std::pair{Sharing::shared, Sharing::per_batch}}) {
          CAPTURE(e.m);
          CAPTURE(e.n);
          CAPTURE(e.k);
          CAPTURE(static_cast<int>(transpose_a));
          CAPTURE(static_cast<int>(transpose_b));
          const MatmulGeometry g{e.batch, e.m, e.n, e.k, transpose_a, transpose_b, a, b};
          CHECK(wrong<T>(g, true) == 0);
          CHECK(wrong<T>(g, false) == 0);
        }
}

TEST_CASE_TEMPLATE("matmul has the same bits on any number of threads", T, float, double) {
  const int threads = thread_count();
  for (Transpose transpose_a : {Transpose::no, Transpose::yes}) {
    const MatmulGeometry g{2, 130, 70, 1500, transpose_a};
    const Operands<T> in(g);
    set_thread_count(1);
    const std::vector<T> one = by_kernel(g, in);
    for (int count : {2, 3}) {
      set_thread_count(count);
      const std::vector<T> many = by_kernel(g, in);
      CHECK(same_bits(one, many));
    }
  }
  set_thread_count(threads);
}
