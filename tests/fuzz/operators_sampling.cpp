// Operators that read between pixels: maps of tame values at places of every kind.
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/fuzz/geometry.h>

namespace pliant::fuzz {
namespace {

constexpr Values kMap = Values::tame, kPlaces = Values::any;

// The shapes of a deformable operator, as far as the options make sense; else something small.
struct Layout {
  std::int64_t n, h, w, groups, c_each, k_each, r, s;
  ConvOptions conv;
  std::int64_t p = 1, q = 1;

  explicit Layout(Input& in, bool strange = true)
      : n(in.extent(2)),
        h(in.extent(6)),
        w(in.extent(6)),
        groups(in.between(1, 2)),
        c_each(in.between(1, 3)),
        k_each(in.between(1, 3)),
        r(in.between(1, 3)),
        s(in.between(1, 3)) {
    if (strange) conv = conv_options(in, groups);
    conv.groups = strange && in.rarely(24) ? in.hostile() : groups;
    if (conv.stride.h > 0 && conv.stride.w > 0) {
      p = fitting(outputs_along(h, conv.padding.top, conv.padding.bottom, r, conv.dilation.h,
                                conv.stride.h));
      q = fitting(outputs_along(w, conv.padding.left, conv.padding.right, s, conv.dilation.w,
                                conv.stride.w));
    }
  }
  std::int64_t c() const { return groups * c_each; }
  std::int64_t k() const { return groups * k_each; }
  Tensor map(Input& in, DType dtype) const { return in.tensor({n, h, w, c()}, dtype, kMap); }
  Tensor at_outputs(Input& in, DType dtype, std::int64_t channels, Values values) const {
    return in.tensor(in.near({n, p, q, channels}), dtype, values);
  }
  double row(std::int64_t o, std::int64_t tap) const {
    return static_cast<double>(place_of(o, conv.stride.h, conv.padding.top, tap, conv.dilation.h));
  }
  double column(std::int64_t o, std::int64_t tap) const {
    return static_cast<double>(place_of(o, conv.stride.w, conv.padding.left, tap, conv.dilation.w));
  }

 private:
  static std::int64_t fitting(std::int64_t extent) {
    return extent >= 0 && extent < 32 ? extent : 1;
  }
};

void deformed(Input& in) {
  const Layout l(in);
  const DType dtype = in.dtype();
  const std::int64_t taps = l.r * l.s, each = in.coin() ? 1 : l.c(), offset_groups = l.c() / each;
  const bool masked = in.coin(), v1 = in.rarely(4);
  const Tensor x = l.map(in, dtype),
               offset = l.at_outputs(in, dtype, 2 * offset_groups * taps, kPlaces);
  const Tensor mask =
      masked ? l.at_outputs(in, dtype, offset_groups * taps, Values::tame) : Tensor();
  const Tensor weight = in.tensor({l.k(), l.r, l.s, l.c_each}, dtype, Values::tame);
  const DeformConvOptions o{.stride = l.conv.stride,
                            .padding = l.conv.padding,
                            .dilation = l.conv.dilation,
                            .groups = l.conv.groups,
                            .offset_groups = in.rarely(24) ? in.hostile() : offset_groups,
                            .border = v1 ? Border::dcn_v1 : Border::zeros};
  judge(
      "deform_conv2d", {x, offset, mask, weight},
      [&](const Vars& v) { return deform_conv2d(v[0], v[1], v[3], {}, v[2], o); },
      [&] {
        const Array a(x), d(offset), m(masked ? Array(mask) : Array()), b(weight);
        return expected({x.dim(0), l.p, l.q, l.k()}, [&](const std::int64_t* at) {
          Sum sum;
          for (std::int64_t t = 0; t < taps; ++t)
            for (std::int64_t i = 0; i < l.c_each; ++i) {
              const std::int64_t channel = at[3] / l.k_each * l.c_each + i;
              const std::int64_t pair = channel / (l.c() / offset_groups) * taps + t;
              const Sum read =
                  sample(l.row(at[1], t / l.s) + d(at[0], at[1], at[2], 2 * pair),
                         l.column(at[2], t % l.s) + d(at[0], at[1], at[2], 2 * pair + 1), l.h, l.w,
                         v1 ? Outside::dcn_v1 : Outside::zeros,
                         [&](std::int64_t y, std::int64_t z) { return a(at[0], y, z, channel); });
              sum.add(read,
                      (masked ? m(at[0], at[1], at[2], pair) : 1) * b(at[3], t / l.s, t % l.s, i));
            }
          return sum;
        });
      });
}

void dcn(Input& in) {
  const Layout l(in);
  const DType dtype = in.dtype();
  const bool v4 = in.coin(), remove = in.coin();
  const std::int64_t taps = l.r * l.s - (remove ? 1 : 0);
  const DCNOptions o{.kernel = {l.r, l.s},
                     .stride = l.conv.stride,
                     .padding = l.conv.padding,
                     .dilation = l.conv.dilation,
                     .groups = l.conv.groups,
                     .offset_scale = in.coin() ? 1 : in.real(-2, 2),
                     .center = remove ? CenterTap::remove : CenterTap::keep};
  const std::int64_t width = (3 * l.groups * taps + 7) / 8 * 8;
  const Tensor x = l.map(in, dtype);
  const Tensor offset = l.at_outputs(in, dtype, v4 ? width : 2 * l.groups * taps, Values::tame);
  const Tensor mask = v4 ? Tensor() : l.at_outputs(in, dtype, l.groups * taps, Values::tame);
  judge(
      v4 ? "dcn_v4" : "dcn_v3", {x, offset, mask},
      [&](const Vars& v) { return v4 ? dcn_v4(v[0], v[1], o) : dcn_v3(v[0], v[1], v[2], o); },
      [&] {
        const Array a(x), d(offset), m(v4 ? Array() : Array(mask));
        const double scale = o.offset_scale;
        return expected({x.dim(0), l.p, l.q, l.c()}, [&](const std::int64_t* at) {
          const std::int64_t group = at[3] / l.c_each;
          Sum sum;
          std::int64_t t = 0;
          for (std::int64_t kx = 0; kx < l.s; ++kx)
            for (std::int64_t ky = 0; ky < l.r; ++ky) {
              if (remove && kx == l.s / 2 && ky == l.r / 2) continue;
              const std::int64_t pair = v4 ? group * taps * 3 + 2 * t : (group * taps + t) * 2;
              const double dx = d(at[0], at[1], at[2], pair), dy = d(at[0], at[1], at[2], pair + 1);
              const double factor = v4 ? d(at[0], at[1], at[2], group * taps * 3 + 2 * taps + t)
                                       : m(at[0], at[1], at[2], group * taps + t);
              ++t;
              const auto place = [&](std::int64_t out, std::int64_t stride, std::int64_t pad,
                                     std::int64_t dilation, std::int64_t kernel, std::int64_t tap,
                                     double moved) {
                const Wide half = Wide(dilation) * (kernel - 1) / 2;
                return static_cast<double>(Wide(out) * stride - pad + half) +
                       scale * (static_cast<double>(Wide(tap) * dilation - half) + moved);
              };
              sum.add(sample(place(at[1], o.stride.h, o.padding.top, o.dilation.h, l.r, ky, dy),
                             place(at[2], o.stride.w, o.padding.left, o.dilation.w, l.s, kx, dx),
                             l.h, l.w, Outside::zeros,
                             [&](std::int64_t y, std::int64_t z) { return a(at[0], y, z, at[3]); }),
                      factor);
            }
          return sum;
        });
      });
}

void rotated(Input& in) {
  const Layout l(in);
  const DType dtype = in.dtype();
  const bool moved = in.coin();
  const std::int64_t taps = l.r * l.s, scope_h = in.between(1, 4), scope_w = in.between(1, 4);
  const std::int64_t rotation_groups = in.coin() ? 1 : l.c();
  const Tensor x = l.map(in, dtype);
  const Tensor offset = moved ? l.at_outputs(in, dtype, 2 * taps, kPlaces) : Tensor();
  const Tensor rotation = l.at_outputs(in, dtype, 2 * rotation_groups * taps, kPlaces);
  const Tensor weight = in.tensor({l.k(), scope_h, scope_w, l.c_each}, dtype, Values::tame);
  const DeformKernelOptions o{.kernel = {l.r, l.s},
                              .stride = l.conv.stride,
                              .padding = l.conv.padding,
                              .dilation = l.conv.dilation,
                              .groups = l.conv.groups,
                              .rotation_groups = in.rarely(24) ? in.hostile() : rotation_groups};
  judge(
      "deform_kernel", {x, offset, rotation, weight},
      [&](const Vars& v) {
        return moved ? deform_kernel_conv(v[0], v[1], v[2], v[3], {}, o)
                     : deform_kernel(v[0], v[2], v[3], {}, o);
      },
      [&] {
        const Array a(x), d(moved ? Array(offset) : Array()), z(rotation), b(weight);
        return expected({x.dim(0), l.p, l.q, l.k()}, [&](const std::int64_t* at) {
          Sum sum;
          for (std::int64_t t = 0; t < taps; ++t)
            for (std::int64_t i = 0; i < l.c_each; ++i) {
              const std::int64_t channel = at[3] / l.k_each * l.c_each + i;
              const std::int64_t pair = (channel % rotation_groups * taps + t) * 2;
              const Sum tap =
                  sample(static_cast<double>(t / l.s) + static_cast<double>(scope_h - l.r) / 2 +
                             z(at[0], at[1], at[2], pair),
                         static_cast<double>(t % l.s) + static_cast<double>(scope_w - l.s) / 2 +
                             z(at[0], at[1], at[2], pair + 1),
                         scope_h, scope_w, Outside::zeros,
                         [&](std::int64_t y, std::int64_t u) { return b(at[3], y, u, i); });
              const Sum read =
                  sample(l.row(at[1], t / l.s) + (moved ? d(at[0], at[1], at[2], 2 * t) : 0),
                         l.column(at[2], t % l.s) + (moved ? d(at[0], at[1], at[2], 2 * t + 1) : 0),
                         l.h, l.w, Outside::zeros,
                         [&](std::int64_t y, std::int64_t u) { return a(at[0], y, u, channel); });
              Sum product(tap.value * read.value);
              product.size = tap.size * read.size;
              sum.add(product);
            }
          return sum;
        });
      });
}

void scope_kernels(Input& in) {
  const std::int64_t n = in.extent(2), k = in.extent(3), c = in.extent(3);
  const std::int64_t h = in.extent(4), w = in.extent(4), r = in.attribute(1, 3),
                     s = in.attribute(1, 3);
  const std::int64_t taps = std::clamp<std::int64_t>(r, 0, 3) * std::clamp<std::int64_t>(s, 0, 3);
  const DType dtype = in.dtype();
  const Tensor weight = in.tensor({k, h, w, c}, dtype, Values::tame);
  const Tensor offset = in.tensor(in.near({n, taps * 2}), dtype, kPlaces);
  judge(
      "kernels_of_scope", {weight, offset},
      [&](const Vars& v) {
        return kernels_of_scope(v[0], v[1], {r, s});
      },
      [&] {
        const Array b(weight), d(offset);
        return expected({offset.dim(0), k, r, s, c}, [&](const std::int64_t* at) {
          const std::int64_t t = at[2] * s + at[3];
          return sample(
              static_cast<double>(at[2]) + static_cast<double>(h - r) / 2 + d(at[0], 2 * t),
              static_cast<double>(at[3]) + static_cast<double>(w - s) / 2 + d(at[0], 2 * t + 1), h,
              w, Outside::clamp,
              [&](std::int64_t y, std::int64_t z) { return b(at[1], y, z, at[4]); });
        });
      });
}

void fields(Input& in) {
  const std::int64_t n = in.extent(2), h = in.extent(5), w = in.extent(5), c = in.extent(3);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor({n, h, w, c}, dtype, kMap);
  const Tensor offset = in.tensor(in.near({n, h, w, 2 * c}), dtype, kPlaces);
  judge(
      "map_offsets", {x, offset}, [](const Vars& v) { return map_offsets(v[0], v[1]); },
      [&] {
        const Array a(x), d(offset);
        return expected(x.shape(), [&](const std::int64_t* at) {
          return sample(static_cast<double>(at[1]) + d(at[0], at[1], at[2], 2 * at[3]),
                        static_cast<double>(at[2]) + d(at[0], at[1], at[2], 2 * at[3] + 1), h, w,
                        Outside::clamp,
                        [&](std::int64_t y, std::int64_t z) { return a(at[0], y, z, at[3]); });
        });
      });
}

// Bilinear with zeros or the border, whose results do not jump where a coordinate is rounded.
void grids(Input& in) {
  const std::int64_t n = in.extent(2), h = in.extent(5), w = in.extent(5), c = in.extent(3);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor({n, h, w, c}, dtype, kMap);
  const Tensor grid = in.tensor(in.near({n, in.extent(4), in.extent(4), 2}), dtype, kPlaces);
  const GridSampleOptions o{.rule = in.rarely(6) ? GridRule::nearest : GridRule::bilinear,
                            .border = in.one_of({Border::zeros, Border::clamp, Border::reflection}),
                            .span = in.coin() ? GridSpan::centres : GridSpan::edges};
  Var y;
  if (o.rule == GridRule::nearest || o.border == Border::reflection) {
    comes_through([&] {
      const Tape tape;
      const Var place = tape.variable(grid);
      y = grid_sample(tape.variable(x), place, o);
      expect(y.shape() == Shape{n, grid.dim(1), grid.dim(2), c}, "grid_sample: gives ", y.shape());
      for (const double value : y.value().to_vector())
        expect(std::abs(value) <= 2.001, "grid_sample: gives ", value, " of values up to 2");
      tape.gradients(y, {}, {.cotangent = Tensor::full(y.shape(), 1, dtype)});
    });
    return;
  }
  judge(
      "grid_sample", {x, grid}, [&](const Vars& v) { return grid_sample(v[0], v[1], o); },
      [&] {
        const Array a(x), g(grid);
        const auto place = [&](double at, std::int64_t size) {
          const double pixels = static_cast<double>(size);
          return o.span == GridSpan::centres ? (at + 1) / 2 * (pixels - 1)
                                             : ((at + 1) * pixels - 1) / 2;
        };
        return expected({n, grid.dim(1), grid.dim(2), c}, [&](const std::int64_t* at) {
          return sample(place(g(at[0], at[1], at[2], 1), h), place(g(at[0], at[1], at[2], 0), w), h,
                        w, o.border == Border::zeros ? Outside::zeros : Outside::clamp,
                        [&](std::int64_t i, std::int64_t j) { return a(at[0], i, j, at[3]); });
        });
      });
}

void upsamples(Input& in) {
  const std::int64_t n = in.extent(2), h = in.extent(5), w = in.extent(5), c = in.extent(3);
  const Tensor x = in.tensor({n, h, w, c}, in.dtype(), kMap);
  UpsampleOptions o{.mode = in.coin() ? UpsampleMode::bilinear : UpsampleMode::nearest,
                    .align_corners = in.rarely(3)};
  if (in.rarely(4)) {
    o.scale = {in.real(0.2, 3), in.real(0.2, 3)};
    comes_through([&] {
      const Var y = upsample2d(x, o);
      expect(y.dim(1) == std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(
                                                       static_cast<double>(h) * o.scale.h))),
             "upsample2d: gives ", y.shape(), " of ", x.shape(), " by ", o.scale.h);
    });
    return;
  }
  o.size = {in.attribute(1, 8), in.attribute(1, 8)};
  judge(
      "upsample2d", {x}, [&](const Vars& v) { return upsample2d(v[0], o); },
      [&] {
        const Array a(x);
        const auto place = [&](std::int64_t at, std::int64_t size, std::int64_t out) {
          const double p = static_cast<double>(at), from = static_cast<double>(size),
                       to = static_cast<double>(out);
          if (o.mode == UpsampleMode::nearest)
            return std::min(static_cast<double>(at * size / out), from - 1);
          if (o.align_corners) return out == 1 ? 0 : p * (from - 1) / (to - 1);
          return std::max(0.0, (p + 0.5) * from / to - 0.5);
        };
        return expected({n, o.size.h, o.size.w, c}, [&](const std::int64_t* at) {
          return sample(place(at[1], h, o.size.h), place(at[2], w, o.size.w), h, w, Outside::clamp,
                        [&](std::int64_t i, std::int64_t j) { return a(at[0], i, j, at[3]); });
        });
      });
}

}  // namespace

std::vector<NamedOperator> sampling_operators() {
  return {{"deform_conv2d", deformed}, {"dcn", dcn},
          {"deform_kernel", rotated},  {"kernels_of_scope", scope_kernels},
          {"map_offsets", fields},     {"grid_sample", grids},
          {"upsample2d", upsamples}};
}

}  // namespace pliant::fuzz
