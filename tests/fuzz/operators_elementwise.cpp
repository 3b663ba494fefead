// Element by element: one operand, two with broadcasting, and what is chosen among them.
#include <algorithm>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/tests/fuzz/reference.h>

namespace pliant::fuzz {
namespace {

// An element of an operand that is broadcast to `shape`.
double stretched(const Array& x, const Shape& shape, const std::int64_t* at) {
  std::int64_t flat = 0;
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    const std::int64_t index = at[axis + shape.rank() - x.shape.rank()];
    flat = flat * x.shape[axis] + (x.shape[axis] == 1 ? 0 : index);
  }
  return x.values[static_cast<std::size_t>(flat)];
}

Shape broadcast(const Shape& a, const Shape& b) {
  const Shape &longer = a.rank() >= b.rank() ? a : b, &shorter = a.rank() >= b.rank() ? b : a;
  Shape shape = longer;
  for (int axis = 0; axis < shorter.rank(); ++axis) {
    std::int64_t& extent = shape[axis + longer.rank() - shorter.rank()];
    if (extent == 1) extent = shorter[axis];
  }
  return shape;
}

// A shape that broadcasts with another, mostly.
Shape companion(Input& in, const Shape& shape) {
  Shape other;
  for (int axis = static_cast<int>(in.between(0, shape.rank())); axis < shape.rank(); ++axis)
    other.push_back(in.coin() ? shape[axis] : 1);
  return in.near(other);
}

using F1 = double (*)(double);
using F2 = double (*)(double, double);

double relu_of(double x) { return std::isnan(x) ? x : std::max(x, 0.0); }
double sigmoid_of(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
double silu_of(double x) { return x * sigmoid_of(x); }
double softplus_of(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double gelu_of(double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }

template <Var (*op)(const Var&), F1 exact>
void unary(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  judge(
      "unary", {x}, [](const Vars& v) { return op(v[0]); },
      [&] {
        const Array a(x);
        Expected all{x.shape(), {}};
        for (const double v : a.values) {
          Sum sum(exact(v));
          // What an argument's own last bit makes of a result, as in exp(90).
          if (std::isfinite(v))
            sum.size = std::max(sum.size, std::abs(sum.value) * (1 + std::abs(v)));
          all.values.push_back(sum);
        }
        return all;
      });
}

double exp_of(double x) { return std::exp(x); }
double log_of(double x) { return std::log(x); }
double sqrt_of(double x) { return std::sqrt(x); }
double rsqrt_of(double x) { return 1 / std::sqrt(x); }
double square_of(double x) { return x * x; }
double abs_of(double x) { return std::abs(x); }
double neg_of(double x) { return -x; }
double tanh_of(double x) { return std::tanh(x); }

void clamp_between(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  const double low = in.real(-2, 2), high = in.real(-2, 2);
  judge(
      "clamp", {x}, [&](const Vars& v) { return clamp(v[0], low, high); },
      [&] {
        Expected all{x.shape(), {}};
        for (const double v : Array(x).values)
          all.values.emplace_back(std::isnan(v) ? v : v < low ? low : v > high ? high : v);
        return all;
      });
}

void leaky(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  const double slope = in.real(-1, 1);
  judge(
      "leaky_relu", {x}, [&](const Vars& v) { return leaky_relu(v[0], slope); },
      [&] {
        Expected all{x.shape(), {}};
        for (const double v : Array(x).values) all.values.emplace_back(v > 0 ? v : slope * v);
        return all;
      });
}

void power(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  const double exponent = in.coin() ? static_cast<double>(in.between(-3, 4)) : in.real(-3, 3);
  judge(
      "pow", {x}, [&](const Vars& v) { return pow(v[0], exponent); },
      [&] {
        Expected all{x.shape(), {}, 20};
        const double used = x.dtype() == DType::float32 ? static_cast<float>(exponent) : exponent;
        for (const double v : Array(x).values) all.values.emplace_back(std::pow(v, used));
        return all;
      });
}

template <class Op>
void pairs(Input& in, const char* name, Op op, F2 exact, double tolerance = 1) {
  const Shape shape = in.shape();
  Tensor a = in.tensor(shape, in.dtype());
  Tensor b = in.tensor(companion(in, shape), in.rarely(48) ? DType::float64 : a.dtype());
  if (in.coin()) std::swap(a, b);
  judge(
      name, {a, b}, [&](const Vars& v) { return Var(op(v[0], v[1])); },
      [&] {
        const Array x(a), y(b);
        const Shape to = broadcast(a.shape(), b.shape());
        Expected all = expected(to, [&](const std::int64_t* at) {
          const double u = stretched(x, to, at), w = stretched(y, to, at);
          Sum sum(exact(u, w));
          if (std::isfinite(u) && std::isfinite(w)) sum.size += std::abs(exact(u, w));
          return sum;
        });
        all.tolerance = tolerance;
        return all;
      });
}

void add_pairs(Input& in) {
  pairs(in, "add", add, [](double a, double b) { return a + b; });
}
void sub_pairs(Input& in) {
  pairs(in, "sub", sub, [](double a, double b) { return a - b; });
}
void mul_pairs(Input& in) {
  pairs(in, "mul", mul, [](double a, double b) { return a * b; });
}
void div_pairs(Input& in) {
  pairs(in, "div", div, [](double a, double b) { return a / b; });
}
void pow_pairs(Input& in) {
  pairs(
      in, "pow of two", [](const Var& a, const Var& b) { return pow(a, b); },
      [](double a, double b) { return std::pow(a, b); }, 200);
}
void maximum_pairs(Input& in) {
  pairs(in, "maximum", maximum, [](double a, double b) {
    return std::isnan(a) ? a : std::isnan(b) ? b : std::max(a, b);
  });
}
void minimum_pairs(Input& in) {
  pairs(in, "minimum", minimum, [](double a, double b) {
    return std::isnan(a) ? a : std::isnan(b) ? b : std::min(a, b);
  });
}
template <Tensor (*op)(const Var&, const Var&)>
void comparison(Input& in, F2 exact) {
  pairs(in, "comparison", op, exact);
}
void gt_pairs(Input& in) {
  comparison<gt>(in, [](double a, double b) { return a > b ? 1.0 : 0.0; });
}
void ge_pairs(Input& in) {
  comparison<ge>(in, [](double a, double b) { return a >= b ? 1.0 : 0.0; });
}
void lt_pairs(Input& in) {
  comparison<lt>(in, [](double a, double b) { return a < b ? 1.0 : 0.0; });
}
void le_pairs(Input& in) {
  comparison<le>(in, [](double a, double b) { return a <= b ? 1.0 : 0.0; });
}
void eq_pairs(Input& in) {
  comparison<eq>(in, [](double a, double b) { return a == b ? 1.0 : 0.0; });
}
void ne_pairs(Input& in) {
  comparison<ne>(in, [](double a, double b) { return a != b ? 1.0 : 0.0; });
}

void choice(Input& in) {
  const Shape shape = in.shape();
  const Tensor a = in.tensor(shape, in.dtype());
  const Tensor b = in.tensor(companion(in, shape), a.dtype());
  const Tensor condition = in.indices(companion(in, shape), 0, 1);
  judge(
      "where", {a, b}, [&](const Vars& v) { return where(condition, v[0], v[1]); },
      [&] {
        const Array x(a), y(b), z(condition);
        const Shape to = broadcast(broadcast(a.shape(), b.shape()), condition.shape());
        return expected(to, [&](const std::int64_t* at) {
          return Sum(stretched(z, to, at) != 0 ? stretched(x, to, at) : stretched(y, to, at));
        });
      });
}

void losses(Input& in) {
  const Shape shape = in.shape();
  const DType dtype = in.dtype();
  const Tensor a = in.tensor(shape, dtype, Values::tame);
  const Tensor b = in.tensor(in.near(shape), dtype, Values::tame);
  const double beta = in.real(0, 2);
  const int kind = static_cast<int>(in.between(0, 2));
  judge(
      "losses", {a, b},
      [&](const Vars& v) {
        if (kind == 0) return mse_loss(v[0], v[1], LossReduction::none);
        if (kind == 1) return l1_loss(v[0], v[1], LossReduction::none);
        return smooth_l1_loss(v[0], v[1], beta, LossReduction::none);
      },
      [&] {
        const Array x(a), y(b);
        Expected all{a.shape(), {}};
        for (std::size_t i = 0; i < x.values.size(); ++i) {
          const double d = std::abs(x.values[i] - y.values[i]);
          const double smooth = d < beta ? d * d / (2 * beta) : d - beta / 2;
          Sum sum(kind == 0 ? d * d : kind == 1 ? d : smooth);
          sum.size += std::abs(beta) + d;
          all.values.push_back(sum);
        }
        return all;
      });
}

void convert_between(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  const DType to = in.one_of({DType::float32, DType::float64});
  judge(
      "convert", {x}, [&](const Vars& v) { return convert(v[0], to); },
      [&] {
        Expected all{x.shape(), {}};
        for (const double v : Array(x).values) all.values.emplace_back(v);
        return all;
      });
}

void drop(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype(), Values::tame);
  const double rate = in.real(0, 1);
  Tensor y;
  comes_through([&] { y = dropout(x, rate, Rng(5)).value(); });
  if (!y.defined()) return;
  expect(y.shape() == x.shape(), "dropout: gives ", y.shape());
  const Array a(x), b(y);
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double kept = a.values[i] / (1 - rate);
    expect(b.values[i] == 0 || std::abs(b.values[i] - kept) <= 1e-5 * std::abs(kept),
           "dropout: element ", i, " is ", b.values[i], ", expected 0 or ", kept);
  }
}

}  // namespace

std::vector<NamedOperator> elementwise_operators() {
  return {{"relu", unary<relu, relu_of>},
          {"sigmoid", unary<sigmoid, sigmoid_of>},
          {"tanh", unary<tanh, tanh_of>},
          {"silu", unary<silu, silu_of>},
          {"softplus", unary<softplus, softplus_of>},
          {"gelu", unary<gelu, gelu_of>},
          {"exp", unary<exp, exp_of>},
          {"log", unary<log, log_of>},
          {"sqrt", unary<sqrt, sqrt_of>},
          {"rsqrt", unary<rsqrt, rsqrt_of>},
          {"square", unary<square, square_of>},
          {"abs", unary<abs, abs_of>},
          {"neg", unary<neg, neg_of>},
          {"clamp", clamp_between},
          {"leaky_relu", leaky},
          {"pow", power},
          {"add", add_pairs},
          {"sub", sub_pairs},
          {"mul", mul_pairs},
          {"div", div_pairs},
          {"pow_pairs", pow_pairs},
          {"maximum", maximum_pairs},
          {"minimum", minimum_pairs},
          {"gt", gt_pairs},
          {"ge", ge_pairs},
          {"lt", lt_pairs},
          {"le", le_pairs},
          {"eq", eq_pairs},
          {"ne", ne_pairs},
          {"where", choice},
          {"losses", losses},
          {"convert", convert_between},
          {"dropout", drop}};
}

}  // namespace pliant::fuzz
