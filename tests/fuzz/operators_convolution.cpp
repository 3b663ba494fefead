// Convolutions whose taps lie on pixels.
#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/tests/fuzz/geometry.h>

namespace pliant::fuzz {
namespace {

// What a convolution's tap of `weight(k, r, s, c)` adds up to; image n may have weights of its own.
template <class Weight>
Expected convolution(const Tensor& x, const Shape& filter, const Tensor& bias, const ConvOptions& o,
                     Weight&& weight) {
  const Array a(x), b(bias.defined() ? Array(bias) : Array());
  const std::int64_t k_each = filter[0] / o.groups, c_each = filter[3];
  const Shape to{
      x.dim(0),
      outputs_along(x.dim(1), o.padding.top, o.padding.bottom, filter[1], o.dilation.h, o.stride.h),
      outputs_along(x.dim(2), o.padding.left, o.padding.right, filter[2], o.dilation.w, o.stride.w),
      filter[0]};
  return expected(to, [&](const std::int64_t* at) {
    Sum sum(bias.defined() ? b(at[3]) : 0.0);
    for (std::int64_t r = 0; r < filter[1]; ++r)
      for (std::int64_t s = 0; s < filter[2]; ++s) {
        const Wide y = place_of(at[1], o.stride.h, o.padding.top, r, o.dilation.h);
        const Wide z = place_of(at[2], o.stride.w, o.padding.left, s, o.dilation.w);
        if (!in_map(y, x.dim(1)) || !in_map(z, x.dim(2))) continue;
        for (std::int64_t c = 0; c < c_each; ++c)
          sum.add(a(at[0], y, z, at[3] / k_each * c_each + c) * weight(at[0], at[3], r, s, c));
      }
    return sum;
  });
}

// Shapes that fit one another: maps, filters and their groups.
struct Sizes {
  std::int64_t groups, c_each, k_each;
  Shape x, filter;
  Sizes(Input& in, bool wide)
      : groups(wide ? 1 : in.between(1, 3)),
        c_each(wide ? in.between(30, 36) : in.between(1, 3)),
        k_each(wide ? in.between(30, 36) : in.between(1, 3)) {
    x = in.near({in.extent(2), in.extent(6), in.extent(6), groups * c_each});
    filter = in.near({groups * k_each, wide ? 3 : in.extent(3), wide ? 3 : in.extent(3), c_each});
  }
};

void plain(Input& in, bool wide) {
  const Sizes sizes(in, wide);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor(sizes.x, dtype), weight = in.tensor(sizes.filter, dtype, Values::tame);
  const Tensor bias =
      in.coin() ? in.tensor(in.near({sizes.filter[0]}), dtype, Values::tame) : Tensor();
  const ConvOptions o =
      wide && in.coin() ? ConvOptions{.padding = 1} : conv_options(in, sizes.groups);
  judge(
      "conv2d", {x, weight, bias}, [&](const Vars& v) { return conv2d(v[0], v[1], v[2], o); },
      [&] {
        const Array w(weight);
        return convolution(x, weight.shape(), bias, o,
                           [&](auto, auto k, auto r, auto s, auto c) { return w(k, r, s, c); });
      });
}
void narrow_convolution(Input& in) { plain(in, false); }
void wide_convolution(Input& in) { plain(in, true); }

void per_image(Input& in) {
  const Sizes sizes(in, false);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor(sizes.x, dtype, Values::finite);
  const Shape& f = sizes.filter;
  const Tensor weight =
      in.tensor(in.near({sizes.x[0], f[0], f[1], f[2], f[3]}), dtype, Values::tame);
  const ConvOptions o = conv_options(in, sizes.groups);
  judge(
      "conv2d_per_image", {x, weight},
      [&](const Vars& v) { return conv2d_per_image(v[0], v[1], {}, o); },
      [&] {
        const Array w(weight);
        const Shape filter{weight.dim(1), weight.dim(2), weight.dim(3), weight.dim(4)};
        return convolution(x, filter, {}, o, [&](auto n, auto k, auto r, auto s, auto c) {
          return w(n, k, r, s, c);
        });
      });
}

void conditional(Input& in) {
  const Sizes sizes(in, false);
  const DType dtype = in.dtype();
  const std::int64_t experts = in.extent(3);
  const Tensor x = in.tensor(sizes.x, dtype, Values::tame);
  const Shape& f = sizes.filter;
  const Tensor weight = in.tensor({experts, f[0], f[1], f[2], f[3]}, dtype, Values::tame);
  const Tensor routing = in.tensor(in.near({sizes.x[0], experts}), dtype, Values::tame);
  const ConvOptions o = conv_options(in, sizes.groups);
  judge(
      "cond_conv2d", {x, weight, routing},
      [&](const Vars& v) { return cond_conv2d(v[0], v[1], v[2], {}, o); },
      [&] {
        const Array w(weight), q(routing);
        Expected all = convolution(x, f, {}, o, [&](auto n, auto k, auto r, auto s, auto c) {
          double mixed = 0;
          for (std::int64_t e = 0; e < experts; ++e) mixed += q(n, e) * w(e, k, r, s, c);
          return mixed;
        });
        // The mixture is rounded before it is multiplied: by terms of up to 4 each.
        for (Sum& sum : all.values)
          sum.size += 8.0 * static_cast<double>(experts * f[1] * f[2] * f[3]);
        return all;
      });
}

void transposed(Input& in) {
  const Sizes sizes(in, false);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor(sizes.x, dtype, Values::finite);
  const Tensor weight = in.tensor(sizes.filter, dtype, Values::tame);
  const ConvOptions c = conv_options(in, sizes.groups);
  const ConvTransposeOptions o{.stride = c.stride,
                               .padding = c.padding,
                               .output_padding = {in.attribute(0, 1), in.attribute(0, 1)},
                               .dilation = c.dilation,
                               .groups = c.groups};
  judge(
      "conv_transpose2d", {x, weight},
      [&](const Vars& v) { return conv_transpose2d(v[0], v[1], {}, o); },
      [&] {
        const Array a(x), w(weight);
        const auto extent = [](std::int64_t size, std::int64_t stride, Wide cut,
                               std::int64_t kernel, std::int64_t dilation, std::int64_t more) {
          return static_cast<std::int64_t>(Wide(size - 1) * stride - cut +
                                           Wide(dilation) * (kernel - 1) + more + 1);
        };
        const Shape to{x.dim(0),
                       extent(x.dim(1), o.stride.h, Wide(o.padding.top) + o.padding.bottom,
                              weight.dim(1), o.dilation.h, o.output_padding.h),
                       extent(x.dim(2), o.stride.w, Wide(o.padding.left) + o.padding.right,
                              weight.dim(2), o.dilation.w, o.output_padding.w),
                       weight.dim(0)};
        const std::int64_t k_each = weight.dim(0) / o.groups, c_each = weight.dim(3);
        return expected(to, [&](const std::int64_t* at) {
          Sum sum;
          for (std::int64_t i = 0; i < x.dim(1); ++i)
            for (std::int64_t r = 0; r < weight.dim(1); ++r) {
              if (place_of(i, o.stride.h, o.padding.top, r, o.dilation.h) != at[1]) continue;
              for (std::int64_t j = 0; j < x.dim(2); ++j)
                for (std::int64_t s = 0; s < weight.dim(2); ++s) {
                  if (place_of(j, o.stride.w, o.padding.left, s, o.dilation.w) != at[2]) continue;
                  for (std::int64_t l = 0; l < c_each; ++l)
                    sum.add(a(at[0], i, j, at[3] / k_each * c_each + l) * w(at[3], r, s, l));
                }
            }
          return sum;
        });
      });
}

void correlation(Input& in) {
  const std::int64_t n = in.extent(2), c = in.extent(3);
  const DType dtype = in.dtype();
  const Tensor search = in.tensor({n, in.extent(6), in.extent(6), c}, dtype, Values::finite);
  const Tensor pattern =
      in.tensor(in.near({n, in.extent(4), in.extent(4), c}), dtype, Values::tame);
  judge(
      "cross_correlation_depthwise", {search, pattern},
      [](const Vars& v) { return cross_correlation_depthwise(v[0], v[1]); },
      [&] {
        const Array a(search), b(pattern);
        const Shape to{n, search.dim(1) - pattern.dim(1) + 1, search.dim(2) - pattern.dim(2) + 1,
                       c};
        return expected(to, [&](const std::int64_t* at) {
          Sum sum;
          for (std::int64_t i = 0; i < pattern.dim(1); ++i)
            for (std::int64_t j = 0; j < pattern.dim(2); ++j)
              sum.add(a(at[0], at[1] + i, at[2] + j, at[3]) * b(at[0], i, j, at[3]));
          return sum;
        });
      });
}

}  // namespace

std::vector<NamedOperator> convolution_operators() {
  return {{"conv2d", narrow_convolution},   {"conv2d_wide", wide_convolution},
          {"conv2d_per_image", per_image},  {"cond_conv2d", conditional},
          {"conv_transpose2d", transposed}, {"cross_correlation_depthwise", correlation}};
}

}  // namespace pliant::fuzz
