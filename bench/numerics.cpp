// pliant-numerics: how far the float32 sums of every kind are from the true ones. Prints a line for
// each op and number of terms: the median and the largest error over kSeeds inputs, in units of the
// last place of the result, against sums in long double. numerics.py sets PyTorch's beside them.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/bench/numerics.h>

using namespace pliant;
using namespace pliant::numerics;

namespace {

constexpr int kSeeds = 20;

// ---- sums and losses ----

double sum_error(const Tensor& x, Index divisor, const Var& got) {
  const Exact v = exact(x);
  const long double want = sum_over(x.size(), [&](std::size_t i) { return v[i]; });
  return error_of(got.value(), {want / static_cast<long double>(divisor)});
}
double sum_positive(std::uint64_t seed, Index n) {
  const Tensor x = values(seed, {n});
  return sum_error(x, 1, sum(x));
}
double sum_centred(std::uint64_t seed, Index n) {
  const Tensor x = values(seed, {n}, 2, -1);
  return sum_error(x, 1, sum(x));
}
double mean_positive(std::uint64_t seed, Index n) {
  const Tensor x = values(seed, {n});
  return sum_error(x, n, mean(x));
}
double bias_gradient(std::uint64_t seed, Index n) {  // the sum over the rows of [n 4]
  const Tensor x = values(seed, {n, 4});
  const Exact v = exact(x);
  Exact want(4);
  for (std::size_t i = 0; i < v.size(); ++i) want[i % 4] += v[i];
  return error_of(sum_to(x, {4}).value(), want);
}
double variance_far(std::uint64_t seed, Index n) {
  const Tensor x = values(seed, {n}, 1, 1000);
  const Exact v = exact(x);
  const long double count = static_cast<long double>(n);
  const long double centre = sum_over(n, [&](std::size_t i) { return v[i]; }) / count;
  const auto square_of = [&](std::size_t i) { return (v[i] - centre) * (v[i] - centre); };
  return error_of(variance(x).value(), {sum_over(n, square_of) / (count - 1)});
}
template <class Op, class Term>
double loss(std::uint64_t seed, Index n, Op op, Term term) {
  const Tensor a = values(2 * seed, {n}, 8, -4), b = values(2 * seed + 1, {n});
  const Exact x = exact(a), y = exact(b);
  const long double all = sum_over(n, [&](std::size_t i) { return term(x[i], y[i]); });
  return error_of(op(a, b).value(), {all / static_cast<long double>(n)});
}
double mse(std::uint64_t seed, Index n) {
  return loss(
      seed, n, [](const Var& a, const Var& b) { return mse_loss(a, b); },
      [](long double a, long double b) { return (a - b) * (a - b); });
}
double l1(std::uint64_t seed, Index n) {
  return loss(
      seed, n, [](const Var& a, const Var& b) { return l1_loss(a, b); },
      [](long double a, long double b) { return std::fabs(a - b); });
}
double smooth_l1(std::uint64_t seed, Index n) {
  return loss(
      seed, n, [](const Var& a, const Var& b) { return smooth_l1_loss(a, b); },
      [](long double a, long double b) {
        const long double d = std::fabs(a - b);
        return d < 1 ? d * d / 2 : d - 0.5L;
      });
}
double binary_cross_entropy(std::uint64_t seed, Index n) {
  return loss(
      seed, n, [](const Var& a, const Var& b) { return binary_cross_entropy_with_logits(a, b); },
      [](long double a, long double b) {
        return b * std::log1p(std::exp(-a)) + (1 - b) * std::log1p(std::exp(a));
      });
}
double cross_entropy_of(std::uint64_t seed, Index rows, Index classes) {
  const Tensor x = values(seed, {rows, classes}, 8, -4);
  const Exact v = exact(x);
  std::vector<Index> labels;
  long double all = 0;
  for (Index i = 0; i < rows; ++i) {
    labels.push_back(i % classes);
    const long double* const row = v.data() + i * classes;
    all += std::log(sum_over(classes, [&](std::size_t j) { return std::exp(row[j]); })) -
           row[i % classes];
  }
  return error_of(softmax_cross_entropy(x, Tensor::from(labels, {rows})).value(),
                  {all / static_cast<long double>(rows)});
}
double cross_entropy_rows(std::uint64_t seed, Index n) {
  return cross_entropy_of(seed, n / 10, 10);
}
double cross_entropy_classes(std::uint64_t seed, Index n) { return cross_entropy_of(seed, 1, n); }

double running_sum(std::uint64_t seed, Index n) {
  const Tensor x = values(seed, {n});
  Exact want = exact(x);
  for (std::size_t i = 1; i < want.size(); ++i) want[i] += want[i - 1];
  return error_of(cumsum(x, 0).value(), want);
}
double running_sum_gradient(std::uint64_t seed, Index n) {
  const Tape tape;
  const Tensor dy = values(seed, {n});
  const Var x = tape.variable(dy);
  Exact want = exact(dy);
  for (std::size_t i = want.size() - 1; i > 0; --i) want[i - 1] += want[i];
  return error_of(tape.gradients(sum(cumsum(x, 0) * dy), {x})[x], want);
}

// ---- norms: x [rows c] by the statistics of each column, from 10 on ----

struct NormErrors {
  double y, dx, dweight, dbias;
};
// op(x, weight, bias) normalises columns of [n columns].
template <class Op>
NormErrors norm_errors(std::uint64_t seed, Index n, Index columns, Op op) {
  const Tensor data = values(2 * seed, {n, columns}, 1, 10),
               dy = values(2 * seed + 1, data.shape());
  const Tape tape;
  const Var x = tape.variable(data), weight = tape.variable(Tensor::full({columns}, 1)),
            bias = tape.variable(Tensor::full({columns}, 0));
  const Var y = op(x, weight, bias);
  const Gradients g = tape.gradients(sum(y * dy), {x, weight, bias});
  const Exact v = exact(data), slope = exact(dy);
  Exact normal(v.size()), want_dx(v.size()), want_dweight, want_dbias;
  const auto count = static_cast<long double>(n);
  for (Index column = 0; column < columns; ++column) {
    const auto at = [&](std::size_t i) {
      return i * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
    };
    const long double centre = sum_over(n, [&](std::size_t i) { return v[at(i)]; }) / count;
    const auto deviation = [&](std::size_t i) { return v[at(i)] - centre; };
    const long double var =
        sum_over(n, [&](std::size_t i) { return deviation(i) * deviation(i); }) / count;
    const long double rstd = 1 / std::sqrt(var + 1e-5L);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      normal[at(i)] = deviation(i) * rstd;
    const long double of_bias = sum_over(n, [&](std::size_t i) { return slope[at(i)]; });
    const long double of_weight =
        sum_over(n, [&](std::size_t i) { return slope[at(i)] * normal[at(i)]; });
    want_dbias.push_back(of_bias);
    want_dweight.push_back(of_weight);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      want_dx[at(i)] = rstd * (slope[at(i)] - of_bias / count - normal[at(i)] * of_weight / count);
  }
  const auto of = [&](const Var& of_channels, const Exact& want) {  // if op took them
    const Tensor* const gradient = g.find(of_channels);
    return gradient == nullptr ? 0 : error_of(*gradient, want);
  };
  return {error_of(y.value(), normal, In::places_of_largest),
          error_of(g[x], want_dx, In::places_of_largest), of(weight, want_dweight),
          of(bias, want_dbias)};
}
NormErrors batch_norm(std::uint64_t seed, Index n) {
  return norm_errors(seed, n, 2, [n](const Var& x, const Var& weight, const Var& bias) {
    const Tensor none = Tensor::full({2}, 0), one = Tensor::full({2}, 1);
    const Var map = reshape(x, {n, 1, 1, 2});
    return reshape(batch_norm2d_training(map, weight, bias, none, one).y, {n, 2});
  });
}
NormErrors group_norm_of(std::uint64_t seed, Index n) {
  return norm_errors(seed, n, 2, [n](const Var& x, const Var& weight, const Var& bias) {
    return reshape(group_norm(reshape(x, {1, n, 2}), 2, weight, bias), {n, 2});
  });
}
NormErrors layer_norm_of(std::uint64_t seed, Index n) {
  return norm_errors(seed, n, 1, [n](const Var& x, const Var&, const Var&) {
    return reshape(layer_norm(reshape(x, {1, n}), Tensor::full({n}, 1), Tensor::full({n}, 0)),
                   {n, 1});
  });
}
double layer_norm_dweight(std::uint64_t seed, Index n) {  // over the rows of [n 4]
  const Tensor data = values(2 * seed, {n, 4}, 1, 10), dy = values(2 * seed + 1, {n, 4});
  const Tape tape;
  const Var weight = tape.variable(Tensor::full({4}, 1));
  const Var y = layer_norm(data, weight, Tensor::full({4}, 0));
  const Exact v = exact(data), slope = exact(dy);
  Exact want(4);
  for (std::size_t row = 0; row < v.size(); row += 4) {
    const long double centre = (v[row] + v[row + 1] + v[row + 2] + v[row + 3]) / 4;
    long double var = 0;
    for (std::size_t j = 0; j < 4; ++j) var += (v[row + j] - centre) * (v[row + j] - centre) / 4;
    for (std::size_t j = 0; j < 4; ++j)
      want[j] += slope[row + j] * (v[row + j] - centre) / std::sqrt(var + 1e-5L);
  }
  return error_of(tape.gradients(sum(y * dy), {weight})[weight], want, In::places_of_largest);
}
template <NormErrors (*errors)(std::uint64_t, Index), double NormErrors::*of>
double part(std::uint64_t seed, Index n) {
  return errors(seed, n).*of;
}

// ---- averages ----

Index side_of(Index n) { return static_cast<Index>(std::sqrt(static_cast<double>(n))); }

double average_of_map(std::uint64_t seed, Index n) {
  const Index side = side_of(n);
  const Tensor x = values(seed, {1, side, side, 1});
  return sum_error(x, side * side, adaptive_avg_pool2d(x, 1));
}
double average_of_window(std::uint64_t seed, Index n) {
  const Index side = side_of(n);
  const Tensor x = values(seed, {1, side, side, 1});
  return sum_error(x, side * side, avg_pool2d(x, {.kernel = side, .stride = side}));
}
double upsample_gradient(std::uint64_t seed, Index n) {
  const Index side = side_of(n);
  const Tape tape;
  const Tensor dy = values(seed, {1, side, side, 1});
  const Var x = tape.variable(Tensor::full({1, 1, 1, 1}, 1));
  const Var y = upsample2d(x, {.size = side});
  return sum_error(dy, 1, tape.gradients(sum(y * dy), {x})[x].reshape({}));
}

// ---- products: in places of |a| |b|, which is the result, all being positive ----

double product(std::uint64_t seed, Index n) {
  const Tensor a = values(2 * seed, {2, n}), b = values(2 * seed + 1, {n, 2});
  const Exact x = exact(a), y = exact(b);
  Exact want;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j)
      want.push_back(sum_over(
          n, [&](std::size_t k) { return x[i * static_cast<std::size_t>(n) + k] * y[2 * k + j]; }));
  return error_of(matmul(a, b).value(), want);
}
double product_of_rows(std::uint64_t seed, Index n) {  // a linear layer's weight gradient
  const Tensor a = values(2 * seed, {n, 2}), b = values(2 * seed + 1, {n, 2});
  const Exact x = exact(a), y = exact(b);
  Exact want;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j)
      want.push_back(sum_over(n, [&](std::size_t k) { return x[2 * k + i] * y[2 * k + j]; }));
  const Tape tape;
  const Var weight = tape.variable(Tensor::full({2, 2}, 1));
  const Var z = linear(b, weight, Tensor::full({2}, 0));
  const Tensor dweight = tape.gradients(sum(z * a), {weight})[weight];
  return error_of(dweight, want);
}
double convolution(std::uint64_t seed, Index n) {  // 3x3 taps of n / 9 channels
  const Index c = n / 9;
  const Tensor a = values(2 * seed, {1, 3, 3, c}), b = values(2 * seed + 1, {2, 3, 3, c});
  const Exact x = exact(a), w = exact(b);
  Exact want;
  for (std::size_t k = 0; k < 2; ++k)
    want.push_back(sum_over(
        9 * c, [&](std::size_t i) { return x[i] * w[k * static_cast<std::size_t>(9 * c) + i]; }));
  return error_of(conv2d(a, b, Var(), {}).value(), want);
}
double convolution_weights(std::uint64_t seed, Index n) {  // a map of n pixels
  const Index side = side_of(n), wide = side + 2;
  const Tensor a = values(2 * seed, {1, wide, wide, 2}),
               b = values(2 * seed + 1, {1, side, side, 2});
  const Tape tape;
  const Var weight = tape.variable(Tensor::full({2, 3, 3, 2}, 1));
  const Var y = conv2d(a, weight, Var(), {});
  const Exact x = exact(a), dy = exact(b);
  Exact want;
  for (Index k = 0; k < 2; ++k)
    for (Index tap = 0; tap < 9; ++tap)
      for (Index c = 0; c < 2; ++c)
        want.push_back(sum_over(side * side, [&](std::size_t i) {
          const Index row = static_cast<Index>(i) / side + tap / 3;
          const Index column = static_cast<Index>(i) % side + tap % 3;
          return dy[2 * i + static_cast<std::size_t>(k)] *
                 x[static_cast<std::size_t>((row * wide + column) * 2 + c)];
        }));
  return error_of(tape.gradients(sum(y * b), {weight})[weight], want);
}

// ---- the table ----

const std::vector<Case> kCases = {
    {"sum, positive", sum_positive},
    {"sum, around 0", sum_centred},
    {"mean", mean_positive},
    {"sum of rows (bias gradient)", bias_gradient},
    {"variance, mean 1000", variance_far},
    {"mse_loss", mse, 1000000},
    {"l1_loss", l1, 1000000},
    {"smooth_l1_loss", smooth_l1, 1000000},
    {"binary cross entropy", binary_cross_entropy, 1000000},
    {"cross entropy, rows of 10", cross_entropy_rows, 1000000},
    {"cross entropy, classes", cross_entropy_classes, 1000000},
    {"cumsum", running_sum},
    {"cumsum, dx", running_sum_gradient},
    {"layer_norm, y", part<layer_norm_of, &NormErrors::y>, 1000000},
    {"layer_norm, dx", part<layer_norm_of, &NormErrors::dx>, 1000000},
    {"layer_norm, dweight", layer_norm_dweight, 1000000},
    {"batch_norm2d, y", part<batch_norm, &NormErrors::y>, 1000000},
    {"batch_norm2d, dx", part<batch_norm, &NormErrors::dx>, 1000000},
    {"batch_norm2d, dweight", part<batch_norm, &NormErrors::dweight>, 1000000},
    {"batch_norm2d, dbias", part<batch_norm, &NormErrors::dbias>, 1000000},
    {"group_norm, y", part<group_norm_of, &NormErrors::y>, 1000000},
    {"group_norm, dx", part<group_norm_of, &NormErrors::dx>, 1000000},
    {"group_norm, dweight", part<group_norm_of, &NormErrors::dweight>, 1000000},
    {"group_norm, dbias", part<group_norm_of, &NormErrors::dbias>, 1000000},
    {"adaptive_avg_pool2d", average_of_map, 1000000},
    {"avg_pool2d", average_of_window, 1000000},
    {"upsample2d, dx", upsample_gradient, 1000000},
    {"matmul", product, 1000000},
    {"matmul of rows (dweight)", product_of_rows, 1000000},
    {"conv2d", convolution, 1000000},
    {"conv2d, dweight", convolution_weights, 1000000},
};

}  // namespace

// Arguments: a part of the name of the ops wanted, and the most terms.
int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "";
  const Index most = argc > 2 ? std::stoll(argv[2]) : 10000000;
  std::vector<Case> cases = kCases;
  for (const Case& of : scattered_cases()) cases.push_back(of);
  for (const Case& of : cases) {
    if (std::string(of.name).find(wanted) == std::string::npos) continue;
    for (Index n = 1000; n <= std::min(most, of.most); n *= 10) {
      std::vector<double> errors;
      for (std::uint64_t seed = 0; seed < kSeeds; ++seed) errors.push_back(of.error(seed, n));
      std::sort(errors.begin(), errors.end());
      const double median = (errors[kSeeds / 2 - 1] + errors[kSeeds / 2]) / 2;
      std::printf("%s\t%lld\t%.3g\t%.3g\n", of.name, static_cast<long long>(n), median,
                  errors.back());
      std::fflush(stdout);
    }
  }
}
