// The serial products of core/cpu/gemm.h, which other kernels build on.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <pliant/core/cpu/gemm.h>
#include <pliant/core/memory.h>
#include <pliant/core/random.h>

using namespace pliant;
using cpu::Accumulate;
using cpu::MatrixView;

namespace {

template <class T>
std::vector<T> noise(std::int64_t count, std::uint64_t seed) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(philox(seed, i, 0).word[0]) / T(2147483648.0) - T(1);
  return values;
}

template <class T>
class Packed {
 public:
  Packed(std::int64_t k, std::int64_t n, MatrixView<T> b)
      : bytes_(cpu::packed_size<T>(k, n) * static_cast<std::int64_t>(sizeof(T))),
        memory_(static_cast<T*>(cpu::allocate(bytes_))),
        matrix(cpu::pack(k, n, b, memory_)) {}
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;
  ~Packed() { cpu::release(memory_, bytes_); }

 private:
  std::int64_t bytes_;
  T* memory_;

 public:
  cpu::PackedMatrix<T> matrix;
};

struct Extent {
  std::int64_t m, n, k;
};

constexpr Extent kExtents[] = {{1, 1, 1},     {6, 64, 16},  {7, 65, 33},    {13, 5, 200},
                               {64, 100, 70}, {25, 18, 65}, {30, 150, 129}, {130, 64, 70}};

// Checks c [m, ldc] against start + sum of products, and that what lies past n was left alone.
template <class T, class Left, class Right, class Start>
void check(const Extent& e, const std::vector<T>& c, std::int64_t ldc, const Left& left,
           const Right& right, const Start& start) {
  int wrong = 0;
  for (std::int64_t i = 0; i < e.m; ++i)
    for (std::int64_t j = 0; j < ldc; ++j) {
      const double found = static_cast<double>(c[static_cast<std::size_t>(i * ldc + j)]);
      if (j >= e.n) {
        if (found != 7.0) ++wrong;
        continue;
      }
      double sum = static_cast<double>(start(j)), size = std::abs(sum) + 1e-3;
      for (std::int64_t l = 0; l < e.k; ++l) {
        const double term = static_cast<double>(left(i, l)) * static_cast<double>(right(l, j));
        sum += term;
        size += std::abs(term);
      }
      if (!(std::abs(found - sum) <= 8 * std::numeric_limits<T>::epsilon() * size)) ++wrong;
    }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("gemm with a packed right operand", T, float, double) {
  for (const Extent& e : kExtents)
    for (Transpose transpose : {Transpose::no, Transpose::yes}) {
      CAPTURE(e.m);
      CAPTURE(e.n);
      CAPTURE(e.k);
      const std::int64_t lda = e.k + 3, ldc = e.n + 2;
      const bool flip = transpose == Transpose::yes;
      const std::int64_t ldb = (flip ? e.k : e.n) + 1;
      const auto a = noise<T>(e.m * lda, 1), b = noise<T>((flip ? e.n : e.k) * ldb, 2),
                 bias = noise<T>(e.n, 3);
      const Packed<T> packed(e.k, e.n, {b.data(), ldb, transpose});
      const auto left = [&](std::int64_t i, std::int64_t l) {
        return a[static_cast<std::size_t>(i * lda + l)];
      };
      const auto right = [&](std::int64_t l, std::int64_t j) {
        return b[static_cast<std::size_t>(flip ? j * ldb + l : l * ldb + j)];
      };
      const auto bias_at = [&](std::int64_t j) { return bias[static_cast<std::size_t>(j)]; };
      std::vector<T> c(static_cast<std::size_t>(e.m * ldc), T(7));
      cpu::gemm(e.m, a.data(), lda, packed.matrix, c.data(), ldc);
      check(e, c, ldc, left, right, [](std::int64_t) { return T(0); });
      cpu::gemm(e.m, a.data(), lda, packed.matrix, c.data(), ldc, bias.data());
      check(e, c, ldc, left, right, bias_at);
      c.assign(c.size(), T(7));
      std::vector<const T*> rows;
      for (std::int64_t i = 0; i < e.m; ++i) rows.push_back(a.data() + i * lda);
      cpu::gemm(e.m, rows.data(), packed.matrix, c.data(), ldc, bias.data(), Accumulate::yes);
      check(e, c, ldc, left, right, [&](std::int64_t j) { return T(7) + bias_at(j); });
    }
}

TEST_CASE_TEMPLATE("an element of gemm does not depend on the rows beside it", T, float, double) {
  const std::int64_t m = 23, n = 70, k = 50;
  const auto a = noise<T>(m * k, 1), b = noise<T>(k * n, 2);
  const Packed<T> packed(k, n, {b.data(), n});
  std::vector<T> all(static_cast<std::size_t>(m * n)), one(static_cast<std::size_t>(n));
  cpu::gemm(m, a.data(), k, packed.matrix, all.data(), n);
  for (std::int64_t i = 0; i < m; ++i) {
    cpu::gemm(1, a.data() + i * k, k, packed.matrix, one.data(), n);
    CHECK(std::equal(one.begin(), one.end(), all.begin() + i * n));
  }
}

TEST_CASE_TEMPLATE("gemm_transposed adds A^T B", T, float, double) {
  for (const Extent& e : kExtents) {
    CAPTURE(e.m);
    CAPTURE(e.n);
    CAPTURE(e.k);
    const std::int64_t lda = e.m + 3, ldb = e.n + 1, ldc = e.n + 2;
    // Exactly as long as the operands, so that a sanitizer sees a read past their end.
    const auto a = noise<T>((e.k - 1) * lda + e.m, 1), b = noise<T>((e.k - 1) * ldb + e.n, 2);
    std::vector<T> c(static_cast<std::size_t>(e.m * ldc), T(7));
    cpu::gemm_transposed(e.m, e.n, e.k, a.data(), lda, b.data(), ldb, c.data(), ldc);
    check(
        e, c, ldc,
        [&](std::int64_t i, std::int64_t l) { return a[static_cast<std::size_t>(l * lda + i)]; },
        [&](std::int64_t l, std::int64_t j) { return b[static_cast<std::size_t>(l * ldb + j)]; },
        [](std::int64_t) { return T(7); });
  }
}

TEST_CASE("gemm_transposed of nothing") {
  const std::vector<double> b(6);
  double* const none = nullptr;
  cpu::gemm_transposed<double>(0, 3, 2, none, 0, b.data(), 3, none, 3);
}

TEST_CASE_TEMPLATE("gemm of plain matrices in every transposition", T, float, double) {
  const Extent e{19, 23, 31};
  for (Transpose flip_a : {Transpose::no, Transpose::yes})
    for (Transpose flip_b : {Transpose::no, Transpose::yes}) {
      const std::int64_t lda = flip_a == Transpose::yes ? e.m : e.k,
                         ldb = flip_b == Transpose::yes ? e.k : e.n;
      const auto a = noise<T>(e.m * e.k, 1), b = noise<T>(e.k * e.n, 2);
      std::vector<T> c(static_cast<std::size_t>(e.m * e.n), T(7));
      cpu::gemm(e.m, e.n, e.k, {a.data(), lda, flip_a}, {b.data(), ldb, flip_b}, c.data(), e.n);
      check(
          e, c, e.n,
          [&](std::int64_t i, std::int64_t l) {
            return a[static_cast<std::size_t>(flip_a == Transpose::yes ? l * lda + i
                                                                       : i * lda + l)];
          },
          [&](std::int64_t l, std::int64_t j) {
            return b[static_cast<std::size_t>(flip_b == Transpose::yes ? j * ldb + l
                                                                       : l * ldb + j)];
          },
          [](std::int64_t) { return T(0); });
    }
}
