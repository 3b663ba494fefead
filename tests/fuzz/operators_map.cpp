// Pooling and batch normalisation of maps.
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/tests/fuzz/geometry.h>

namespace pliant::fuzz {
namespace {

// Windows along one axis by PyTorch's rule.
std::int64_t windows(std::int64_t size, std::int64_t before, std::int64_t after, Wide span,
                     std::int64_t stride, Rounding rounding) {
  const Wide room = Wide(size) + before + after - span;
  if (rounding == Rounding::down) return static_cast<std::int64_t>(room / stride + 1);
  Wide count = (room + stride - 1) / stride + 1;
  if (room < 0) count = 1;
  if ((count - 1) * stride >= Wide(size) + before) --count;
  return static_cast<std::int64_t>(count);
}

template <class Options>
Options pool_options(Input& in) {
  Options o;
  o.kernel = {in.attribute(1, 3), in.attribute(1, 3)};
  o.stride = Size2(in.attribute(1, 3), in.attribute(1, 3));
  o.padding =
      Padding(in.attribute(0, 1), in.attribute(0, 1), in.attribute(0, 1), in.attribute(0, 1));
  o.rounding = in.coin() ? Rounding::up : Rounding::down;
  return o;
}

void max_pools(Input& in) {
  const Tensor x = in.tensor({in.extent(2), in.extent(6), in.extent(6), in.extent(3)}, in.dtype());
  MaxPoolOptions o = pool_options<MaxPoolOptions>(in);
  const Size2 stride{in.attribute(1, 3), in.attribute(1, 3)};
  o.stride = stride;
  o.dilation = {in.attribute(1, 2), in.attribute(1, 2)};
  judge(
      "max_pool2d", {x}, [&](const Vars& v) { return max_pool2d(v[0], o); },
      [&] {
        const Array a(x);
        const Wide span_h = Wide(o.dilation.h) * (o.kernel.h - 1) + 1;
        const Wide span_w = Wide(o.dilation.w) * (o.kernel.w - 1) + 1;
        const Shape to{
            x.dim(0),
            windows(x.dim(1), o.padding.top, o.padding.bottom, span_h, stride.h, o.rounding),
            windows(x.dim(2), o.padding.left, o.padding.right, span_w, stride.w, o.rounding),
            x.dim(3)};
        return expected(to, [&](const std::int64_t* at) {
          double best = -HUGE_VAL;
          for (std::int64_t r = 0; r < o.kernel.h; ++r)
            for (std::int64_t s = 0; s < o.kernel.w; ++s) {
              const Wide i = place_of(at[1], stride.h, o.padding.top, r, o.dilation.h);
              const Wide j = place_of(at[2], stride.w, o.padding.left, s, o.dilation.w);
              if (!in_map(i, x.dim(1)) || !in_map(j, x.dim(2))) continue;
              const double value = a(at[0], i, j, at[3]);
              if (!std::isnan(best) && (std::isnan(value) || value > best)) best = value;
            }
          return Sum(best);
        });
      });
}

void avg_pools(Input& in) {
  const Tensor x = in.tensor({in.extent(2), in.extent(6), in.extent(6), in.extent(3)}, in.dtype(),
                             Values::finite);
  AvgPoolOptions o = pool_options<AvgPoolOptions>(in);
  const Size2 stride{in.attribute(1, 3), in.attribute(1, 3)};
  o.stride = stride;
  o.count_include_pad = in.coin();
  judge(
      "avg_pool2d", {x}, [&](const Vars& v) { return avg_pool2d(v[0], o); },
      [&] {
        const Array a(x);
        const Shape to{
            x.dim(0),
            windows(x.dim(1), o.padding.top, o.padding.bottom, o.kernel.h, stride.h, o.rounding),
            windows(x.dim(2), o.padding.left, o.padding.right, o.kernel.w, stride.w, o.rounding),
            x.dim(3)};
        return expected(to, [&](const std::int64_t* at) {
          Sum sum;
          double padded = 0, inside = 0;
          for (std::int64_t r = 0; r < o.kernel.h; ++r)
            for (std::int64_t s = 0; s < o.kernel.w; ++s) {
              const Wide i = place_of(at[1], stride.h, o.padding.top, r, 1);
              const Wide j = place_of(at[2], stride.w, o.padding.left, s, 1);
              if (i < Wide(x.dim(1)) + o.padding.bottom && j < Wide(x.dim(2)) + o.padding.right)
                ++padded;
              if (!in_map(i, x.dim(1)) || !in_map(j, x.dim(2))) continue;
              ++inside;
              sum.add(a(at[0], i, j, at[3]));
            }
          Sum mean;
          mean.add(sum, 1 / (o.count_include_pad ? padded : inside));
          return mean;
        });
      });
}

void adaptive_pools(Input& in) {
  const Tensor x = in.tensor({in.extent(2), in.extent(6), in.extent(6), in.extent(3)}, in.dtype(),
                             Values::finite);
  const Size2 output{in.attribute(1, 7), in.attribute(1, 7)};
  judge(
      "adaptive_avg_pool2d", {x}, [&](const Vars& v) { return adaptive_avg_pool2d(v[0], output); },
      [&] {
        const Array a(x);
        return expected({x.dim(0), output.h, output.w, x.dim(3)}, [&](const std::int64_t* at) {
          const auto from = [](std::int64_t p, std::int64_t size, std::int64_t out) {
            return p * size / out;
          };
          const auto to = [](std::int64_t p, std::int64_t size, std::int64_t out) {
            return ((p + 1) * size + out - 1) / out;
          };
          const std::int64_t top = from(at[1], x.dim(1), output.h),
                             end = to(at[1], x.dim(1), output.h);
          const std::int64_t left = from(at[2], x.dim(2), output.w),
                             right = to(at[2], x.dim(2), output.w);
          Sum sum, mean;
          for (std::int64_t i = top; i < end; ++i)
            for (std::int64_t j = left; j < right; ++j) sum.add(a(at[0], i, j, at[3]));
          mean.add(sum, 1.0 / static_cast<double>((end - top) * (right - left)));
          return mean;
        });
      });
}

void batch_norms(Input& in) {
  const std::int64_t n = in.extent(3), h = in.extent(3), w = in.extent(3), c = in.extent(3);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor({n, h, w, c}, dtype, Values::tame);
  const Tensor weight = in.tensor(in.near({c}), dtype, Values::tame);
  const Tensor bias = in.tensor({c}, dtype, Values::tame);
  const Tensor mean = in.tensor({c}, dtype, Values::tame), var = Tensor::full({c}, 0.75, dtype);
  const double eps = in.real(1e-3, 1);
  const bool training = in.coin();
  judge(
      "batch_norm2d", {x, weight, bias},
      [&](const Vars& v) {
        return training ? batch_norm2d_training(v[0], v[1], v[2], mean, var, {.eps = eps}).y
                        : batch_norm2d(v[0], v[1], v[2], mean, var, {.eps = eps});
      },
      [&] {
        const Array a(x), f(weight), b(bias), m(mean);
        Expected all = expected(x.shape(), [&](const std::int64_t* at) {
          double centre = m(at[3]), spread = 0.75;
          if (training) {
            centre = spread = 0;
            for (std::int64_t i = 0; i < n * h * w; ++i)
              centre += a.values[static_cast<std::size_t>(i * c + at[3])] /
                        static_cast<double>(n * h * w);
            for (std::int64_t i = 0; i < n * h * w; ++i) {
              const double d = a.values[static_cast<std::size_t>(i * c + at[3])] - centre;
              spread += d * d / static_cast<double>(n * h * w);
            }
          }
          const double scale = f(at[3]) / std::sqrt(spread + eps);
          Sum y;
          y.add((a(at[0], at[1], at[2], at[3]) - centre) * scale);
          y.add(b(at[3]));
          y.size += std::abs(scale) * 4;
          return y;
        });
        all.tolerance = 5;
        return all;
      });
}

}  // namespace

std::vector<NamedOperator> map_operators() {
  return {{"max_pool2d", max_pools},
          {"avg_pool2d", avg_pools},
          {"adaptive_avg_pool2d", adaptive_pools},
          {"batch_norm2d", batch_norms}};
}

}  // namespace pliant::fuzz
