// What random numbers are turned into beyond Rng's own: quantiles, orthogonal matrices.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/random.h>

namespace pliant {

// Probability that a standard normal variable is at most x.
double normal_cdf(double x);

// The x with normal_cdf(x) = p, to about 16 digits; infinite at 0 and 1. p in [0, 1], else NaN.
// (Wichura 1988, algorithm AS241)
double normal_quantile(double p);

// A matrix, row-major, uniformly distributed (by the Haar measure) among those whose rows are
// orthonormal, or whose columns are where there are fewer of these: Q of the QR decomposition of a
// normal matrix, column j times the sign of R's element (j, j) (Mezzadri 2007). A pure function of
// the key.
std::vector<double> orthogonal_matrix(std::int64_t rows, std::int64_t columns, const Rng& rng);

}  // namespace pliant
