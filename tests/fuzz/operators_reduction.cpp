// Sums and what is made of them: reductions, norms, softmax, losses of rows.
#include <algorithm>
#include <numeric>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/fuzz/reference.h>

namespace pliant::fuzz {
namespace {

using Row = std::vector<double>;

// A tensor's elements gathered for each element of its reduction over `axes`.
std::pair<Shape, std::vector<Row>> rows_over(const Tensor& x, const std::vector<int>& axes,
                                             KeepDim keep) {
  bool reduced[Shape::kMaxRank] = {};
  for (const int axis : axes) reduced[axis < 0 ? axis + x.rank() : axis] = true;
  Shape shape;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (!reduced[axis])
      shape.push_back(x.dim(axis));
    else if (keep == KeepDim::yes)
      shape.push_back(1);
  std::vector<Row> rows(static_cast<std::size_t>(shape.size()));
  const Array a(x);
  std::size_t i = 0;
  each_index(x.shape(), [&](const std::int64_t* at) {
    std::int64_t row = 0;
    for (int axis = 0; axis < x.rank(); ++axis)
      if (!reduced[axis]) row = row * x.dim(axis) + at[axis];
    rows[static_cast<std::size_t>(row)].push_back(a.values[i++]);
  });
  return {shape, rows};
}

Sum total(const Row& row) {
  Sum sum;
  for (const double v : row) sum.add(v);
  return sum;
}

Sum average(const Row& row) {
  const Sum sum = total(row);
  Sum mean(sum.value / static_cast<double>(row.size()));
  mean.size = sum.size / static_cast<double>(row.size());
  return mean;
}

Sum spread(const Row& row, double correction) {
  const double n = static_cast<double>(row.size()), mean = average(row).value;
  if (!(n - correction > 0)) return Sum(std::nan(""));
  Sum squares;
  for (const double v : row) squares.add((v - mean) * (v - mean));
  Sum variance(squares.value / (n - correction));
  // The mean is known to its last bit only.
  variance.size += std::abs(mean) * 1e-6 * std::sqrt(variance.value);
  return variance;
}

double extreme(const Row& row, bool largest) {
  double best = row[0];
  for (const double v : row)
    if (!std::isnan(best) && (std::isnan(v) || (largest ? v > best : v < best))) best = v;
  return best;
}

std::vector<int> some_axes(Input& in, int rank) {
  std::vector<int> axes;
  for (std::int64_t n = in.between(0, 2); n > 0; --n) axes.push_back(in.axis(rank));
  return axes;
}

template <class Op, class Exact>
void reduction(Input& in, const char* name, Op op, Exact exact, Values values = Values::any) {
  const Tensor x = in.tensor(in.shape(4, 5), in.dtype(), values);
  const std::vector<int> axes = some_axes(in, x.rank());
  const KeepDim keep = in.coin() ? KeepDim::yes : KeepDim::no;
  judge(
      name, {x}, [&](const Vars& v) { return op(v[0], axes, keep); },
      [&] {
        const auto [shape, rows] = rows_over(x, axes, keep);
        Expected all{shape, {}};
        for (const Row& row : rows) all.values.push_back(exact(row));
        return all;
      });
}

using Reduction = Var (*)(const Var&, const std::vector<int>&, KeepDim);

void sums(Input& in) { reduction(in, "sum", static_cast<Reduction>(sum), total); }
void means(Input& in) { reduction(in, "mean", static_cast<Reduction>(mean), average); }
void maxima(Input& in) {
  reduction(in, "max", static_cast<Reduction>(max),
            [](const Row& row) { return Sum(extreme(row, true)); });
}
void minima(Input& in) {
  reduction(in, "min", static_cast<Reduction>(min),
            [](const Row& row) { return Sum(extreme(row, false)); });
}
void variances(Input& in) {
  const double correction = in.real(0, 2);
  reduction(
      in, "variance",
      [&](const Var& x, const std::vector<int>& axes, KeepDim keep) {
        return variance(x, axes, {.correction = correction, .keep = keep});
      },
      [&](const Row& row) { return spread(row, correction); }, Values::tame);
}

void places(Input& in) {
  const Tensor x = in.tensor(in.shape(4, 5), in.dtype());
  const int axis = in.axis(x.rank());
  const bool largest = in.coin();
  const KeepDim keep = in.coin() ? KeepDim::yes : KeepDim::no;
  judge(
      "argmax", {x},
      [&](const Vars& v) {
        return Var(largest ? argmax(v[0], axis, keep) : argmin(v[0], axis, keep));
      },
      [&] {
        const auto [shape, rows] = rows_over(x, {axis}, keep);
        Expected all{shape, {}};
        for (const Row& row : rows) {
          const double best = extreme(row, largest);
          const auto place = std::find_if(row.begin(), row.end(), [&](double v) {
            return std::isnan(best) ? std::isnan(v) : v == best;
          });
          all.values.emplace_back(static_cast<double>(place - row.begin()));
        }
        return all;
      });
}

// Calls f with each row along an axis, and puts back what it gives.
template <class F>
Expected along(const Tensor& x, int axis, F&& f) {
  const int where = axis < 0 ? axis + x.rank() : axis;
  Expected all{x.shape(), std::vector<Sum>(static_cast<std::size_t>(x.size()))};
  std::int64_t inner = 1;
  for (int i = where + 1; i < x.rank(); ++i) inner *= x.dim(i);
  const std::int64_t n = x.dim(where);
  const Array a(x);
  for (std::int64_t start = 0; start < x.size(); ++start) {
    if (start / inner % n != 0) continue;
    Row row;
    for (std::int64_t k = 0; k < n; ++k)
      row.push_back(a.values[static_cast<std::size_t>(start + k * inner)]);
    const std::vector<Sum> result = f(row);
    for (std::int64_t k = 0; k < n; ++k)
      all.values[static_cast<std::size_t>(start + k * inner)] = result[static_cast<std::size_t>(k)];
  }
  return all;
}

void running(Input& in) {
  const Tensor x = in.tensor(in.shape(3, 7), in.dtype());
  const int axis = in.axis(x.rank());
  const bool from_end = in.coin();
  judge(
      "cumsum", {x},
      [&](const Vars& v) {
        return cumsum(v[0], axis, from_end ? CumsumFrom::end : CumsumFrom::start);
      },
      [&] {
        return along(x, axis, [&](Row row) {
          std::vector<Sum> sums(row.size());
          Sum sum;
          for (std::size_t k = 0; k < row.size(); ++k) {
            const std::size_t i = from_end ? row.size() - 1 - k : k;
            sum.add(row[i]);
            sums[i] = sum;
          }
          return sums;
        });
      });
}

void softmaxes(Input& in) {
  const Tensor x = in.tensor(in.shape(3, 6), in.dtype(), Values::finite);
  const int axis = in.axis(x.rank());
  const bool logarithm = in.coin();
  judge(
      "softmax", {x},
      [&](const Vars& v) { return logarithm ? log_softmax(v[0], axis) : softmax(v[0], axis); },
      [&] {
        return along(x, axis, [&](const Row& row) {
          const double most = extreme(row, true);
          double sum = 0;
          for (const double v : row) sum += std::exp(v - most);
          std::vector<Sum> result;
          for (const double v : row) {
            const double log_of = v - most - std::log(sum);
            Sum one(logarithm ? log_of : std::exp(log_of));
            one.size += logarithm ? std::abs(v) + std::abs(most)
                                  : one.value * (std::abs(v) + std::abs(most));
            result.push_back(one);
          }
          return result;
        });
      });
}

void cross_entropies(Input& in) {
  const std::int64_t classes = in.extent(6);
  Shape shape = in.shape(2, 4);
  const Tensor labels = in.indices(in.near(shape), 0, classes - 1);
  shape.push_back(classes);
  const Tensor logits = in.tensor(shape, in.dtype(), Values::finite);
  const double smoothing = in.real(0, 1);
  const std::int64_t ignored = in.attribute(-2, 3);
  judge(
      "softmax_cross_entropy", {logits},
      [&](const Vars& v) {
        return softmax_cross_entropy(v[0], labels,
                                     {.label_smoothing = smoothing,
                                      .ignore_index = ignored,
                                      .reduction = LossReduction::none});
      },
      [&] {
        const Array a(logits), b(labels);
        Expected all{labels.shape(), {}};
        for (std::int64_t i = 0; i < labels.size(); ++i) {
          const auto label = static_cast<std::int64_t>(b.values[static_cast<std::size_t>(i)]);
          if (label == ignored) {
            all.values.emplace_back(0.0);
            continue;
          }
          const double* const row = a.values.data() + i * classes;
          const double most = *std::max_element(row, row + classes);
          double sum = 0, all_logits = 0;
          for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(row[k] - most);
          for (std::int64_t k = 0; k < classes; ++k) all_logits += row[k] - most - std::log(sum);
          const double right = row[label] - most - std::log(sum);
          Sum loss(-(1 - smoothing) * right -
                   smoothing * all_logits / static_cast<double>(classes));
          for (std::int64_t k = 0; k < classes; ++k) loss.size += std::abs(row[k]);
          all.values.push_back(loss);
        }
        return all;
      });
}

void binary_entropies(Input& in) {
  const Shape shape = in.shape();
  const Tensor logits = in.tensor(shape, in.dtype(), Values::finite);
  const Tensor targets = in.tensor(in.near(shape), logits.dtype(), Values::tame);
  const double weight = in.real(0.5, 2);
  judge(
      "binary_cross_entropy_with_logits", {logits},
      [&](const Vars& v) {
        return binary_cross_entropy_with_logits(
            v[0], clamp(targets, 0, 1),
            {.positive_weight = weight, .reduction = LossReduction::none});
      },
      [&] {
        const Array a(logits), b(targets);
        Expected all{shape, {}};
        for (std::size_t i = 0; i < a.values.size(); ++i) {
          const double x = a.values[i], t = std::clamp(b.values[i], 0.0, 1.0);
          const double log_p = -(std::max(-x, 0.0) + std::log1p(std::exp(-std::abs(x))));
          const double log_q = -(std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))));
          Sum loss;
          loss.add(t == 0 ? 0 : -weight * t * log_p);
          loss.add(t == 1 ? 0 : -(1 - t) * log_q);
          loss.size += std::abs(x);
          all.values.push_back(loss);
        }
        return all;
      });
}

// (x - mean) / sqrt(var + eps) * weight + bias of one group.
void normalised(const Row& row, double eps, const std::function<double(std::size_t)>& weight,
                const std::function<double(std::size_t)>& bias, std::vector<Sum>& to) {
  const double mean = average(row).value, scale = 1 / std::sqrt(spread(row, 0).value + eps);
  double largest = 0;
  for (const double v : row) largest = std::max(largest, std::abs(v - mean));
  for (std::size_t i = 0; i < row.size(); ++i) {
    Sum y;
    y.add((row[i] - mean) * scale * weight(i));
    y.add(bias(i));
    y.size += std::abs(weight(i)) * scale * (largest + std::abs(mean) * 1e-2);
    to.push_back(y);
  }
}

void layer_norms(Input& in) {
  const std::int64_t c = in.extent(7);
  Shape shape = in.shape(2, 4);
  shape.push_back(c);
  const Tensor x = in.tensor(shape, in.dtype(), Values::tame);
  const Tensor weight = in.tensor(in.near({c}), x.dtype(), Values::tame);
  const Tensor bias = in.tensor(in.near({c}), x.dtype(), Values::tame);
  const double eps = in.real(1e-3, 1);
  judge(
      "layer_norm", {x, weight, bias},
      [&](const Vars& v) { return layer_norm(v[0], v[1], v[2], {.eps = eps}); },
      [&] {
        const Array a(x), w(weight), b(bias);
        Expected all{shape, {}, 5};
        for (std::int64_t i = 0; i < x.size(); i += c) {
          const Row row(a.values.begin() + i, a.values.begin() + i + c);
          normalised(
              row, eps, [&](std::size_t k) { return w.values[k]; },
              [&](std::size_t k) { return b.values[k]; }, all.values);
        }
        return all;
      });
}

void group_norms(Input& in) {
  const std::int64_t groups = in.attribute(1, 3), each = in.between(1, 3);
  const std::int64_t c = std::clamp<std::int64_t>(groups, 1, 3) * each, n = in.extent(2);
  const std::int64_t pixels = in.extent(6);
  const Tensor x = in.tensor({n, pixels, c}, in.dtype(), Values::tame);
  const Tensor weight = in.tensor(in.near({c}), x.dtype(), Values::tame);
  const Tensor bias = in.tensor({c}, x.dtype(), Values::tame);
  const double eps = in.real(1e-3, 1);
  judge(
      "group_norm", {x, weight, bias},
      [&](const Vars& v) { return group_norm(v[0], groups, v[1], v[2], {.eps = eps}); },
      [&] {
        const Array a(x), w(weight), b(bias);
        Expected all{x.shape(), std::vector<Sum>(static_cast<std::size_t>(x.size())), 5};
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t g = 0; g < groups; ++g) {
            Row row;
            for (std::int64_t p = 0; p < pixels; ++p)
              for (std::int64_t k = 0; k < each; ++k) row.push_back(a(i, p, g * each + k));
            if (row.empty()) continue;
            std::vector<Sum> y;
            const auto channel = [&](std::size_t k) {
              return static_cast<std::size_t>(g * each) + k % static_cast<std::size_t>(each);
            };
            normalised(
                row, eps, [&](std::size_t k) { return w.values[channel(k)]; },
                [&](std::size_t k) { return b.values[channel(k)]; }, y);
            for (std::size_t k = 0; k < y.size(); ++k)
              all.values[(static_cast<std::size_t>(i * pixels) +
                          k / static_cast<std::size_t>(each)) *
                             static_cast<std::size_t>(c) +
                         channel(k)] = y[k];
          }
        return all;
      });
}

}  // namespace

std::vector<NamedOperator> reduction_operators() {
  return {{"sum", sums},
          {"mean", means},
          {"max", maxima},
          {"min", minima},
          {"variance", variances},
          {"argmax", places},
          {"cumsum", running},
          {"softmax", softmaxes},
          {"softmax_cross_entropy", cross_entropies},
          {"binary_cross_entropy_with_logits", binary_entropies},
          {"layer_norm", layer_norms},
          {"group_norm", group_norms}};
}

}  // namespace pliant::fuzz
