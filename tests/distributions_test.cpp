#include <pliant/core/distributions.h>

#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("normal_quantile: the inverse of the distribution, in all three ranges") {
  CHECK(normal_quantile(0.5) == 0);
  CHECK(normal_quantile(0.975) == doctest::Approx(1.959963984540054).epsilon(1e-15));
  CHECK(normal_quantile(1e-10) == doctest::Approx(-6.361340902404056).epsilon(1e-15));
  CHECK(normal_quantile(1e-100) == doctest::Approx(-21.27345356096532).epsilon(1e-14));
  for (int i = 0; i < 243; ++i) {
    const double x = -37 + 0.173 * i;
    CHECK(normal_quantile(normal_cdf(x)) == doctest::Approx(x).epsilon(1e-9));
  }
  CHECK(normal_quantile(0) == -HUGE_VAL);
  CHECK(normal_quantile(1) == HUGE_VAL);
  CHECK(std::isnan(normal_quantile(-0.1)));
  CHECK(std::isnan(normal_quantile(NAN)));
}

TEST_CASE("orthogonal_matrix: orthonormal rows, or columns where there are fewer") {
  for (const auto& shape : {std::pair{5, 5}, std::pair{3, 40}, std::pair{40, 3}, std::pair{1, 7},
                            std::pair{7, 1}, std::pair{70, 130}}) {
    const int rows = shape.first, columns = shape.second;
    CAPTURE(rows);
    CAPTURE(columns);
    const std::vector<double> m = orthogonal_matrix(rows, columns, Rng(3));
    const int n = std::min(rows, columns), length = std::max(rows, columns);
    const auto at = [&](int vector, int i) {
      return m[static_cast<std::size_t>(rows <= columns ? vector * columns + i
                                                        : i * columns + vector)];
    };
    double worst = 0;
    for (int a = 0; a < n; ++a)
      for (int b = 0; b < n; ++b) {
        double product = a == b ? -1 : 0;
        for (int i = 0; i < length; ++i) product += at(a, i) * at(b, i);
        worst = std::max(worst, std::abs(product));
      }
    CHECK(worst < 1e-13);
    CHECK(m == orthogonal_matrix(rows, columns, Rng(3)));
    CHECK(m != orthogonal_matrix(rows, columns, Rng(4)));
  }
  CHECK(contains(error_of([] { orthogonal_matrix(0, 3, Rng(1)); }), "0 x 3 is empty"));
}

TEST_CASE("orthogonal_matrix: no direction is preferred") {
  // Of a uniform 3 x 3 rotation or reflection every element has mean 0 and square 1/3, and the
  // diagonal, which a plain QR would make of one sign, does too; its determinant has either sign.
  double sums[9] = {}, squares[9] = {};
  int positive = 0;
  constexpr int kDraws = 4000;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    const std::vector<double> m = orthogonal_matrix(3, 3, Rng(5).fork(draw));
    for (std::size_t i = 0; i < 9; ++i) sums[i] += m[i], squares[i] += m[i] * m[i];
    const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) -
                               m[1] * (m[3] * m[8] - m[5] * m[6]) +
                               m[2] * (m[3] * m[7] - m[4] * m[6]);
    positive += determinant > 0 ? 1 : 0;
  }
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(std::abs(sums[i] / kDraws) < 0.04);  // four standard errors: 4 sqrt(1/3 / 4000)
    CHECK(std::abs(squares[i] / kDraws - 1.0 / 3) < 0.02);
  }
  CHECK(std::abs(positive - kDraws / 2) < 130);
}
