// Pooling of regions. Coordinates and bins are dyadic, so that no rounding decides which samples
// count; regions of every other kind have to come through.
#include <algorithm>

#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/tests/fuzz/geometry.h>

namespace pliant::fuzz {
namespace {

struct Regions {
  Tensor rois;
  bool dyadic = true;

  Regions(Input& in, std::int64_t images, DType dtype) {
    const std::int64_t n = in.between(0, 3);
    std::vector<double> rows;
    dyadic = !in.rarely(12);
    const bool bad = in.rarely(24);
    for (std::int64_t i = 0; i < n; ++i) {
      rows.push_back(
          bad ? in.value(Values::any)
              : static_cast<double>(in.between(0, std::max<std::int64_t>(0, images - 1))));
      for (int k = 0; k < 4; ++k)
        rows.push_back(dyadic ? static_cast<double>(in.between(-24, 96)) / 8
                              : in.value(in.rarely(4) ? Values::any : Values::finite));
    }
    rois = Tensor::from(rows, Shape{n, 5}).to(dtype);
  }
};

std::int64_t power(Input& in) {
  return in.rarely(24) ? in.hostile() : in.one_of<std::int64_t>({1, 2, 4});
}
double map_scale(Input& in) { return in.rarely(24) ? in.real(0, 4) : in.one_of({1.0, 0.5, 0.25}); }
bool is_dyadic(double scale) { return scale == 1 || scale == 0.5 || scale == 0.25; }

// An op on regions, compared only where they are dyadic.
void judge_regions(const char* op, bool dyadic, const std::vector<Tensor>& inputs,
                   const std::function<Var(const Vars&)>& f,
                   const std::function<Expected()>& reference) {
  if (dyadic) return judge(op, inputs, f, reference);
  comes_through([&] {
    const Tape tape;
    Vars vars;
    for (const Tensor& input : inputs)
      vars.push_back(input.defined() ? tape.variable(input) : Var());
    const Var y = f(vars);
    if (y.wants_gradient())
      tape.gradients(y, {}, {.cotangent = Tensor::full(y.shape(), 1, y.dtype())});
  });
}

void aligned(Input& in) {
  const bool by_position = in.coin(), half_pixel = by_position || in.coin();
  const Size2 bins{power(in), power(in)};
  const std::int64_t each = in.between(1, 3);
  const std::int64_t c = by_position ? std::clamp<std::int64_t>(bins.h, 1, 4) *
                                           std::clamp<std::int64_t>(bins.w, 1, 4) * each
                                     : each;
  const DType dtype = in.dtype();
  const Tensor x =
      in.tensor(in.near({in.extent(2), in.extent(6), in.extent(6), c}), dtype, Values::tame);
  const Regions regions(in, x.dim(0), dtype);
  const double scale = map_scale(in);
  const std::int64_t ratio = in.rarely(24) ? in.hostile() : in.between(0, 2);
  judge_regions(
      "roi_align", regions.dyadic && is_dyadic(scale), {x},
      [&](const Vars& v) {
        if (by_position)
          return ps_roi_align(
              v[0], regions.rois,
              {.output_size = bins, .spatial_scale = scale, .sampling_ratio = ratio});
        return roi_align(v[0], regions.rois,
                         {.output_size = bins,
                          .spatial_scale = scale,
                          .sampling_ratio = ratio,
                          .aligned = half_pixel});
      },
      [&] {
        const Array a(x), b(regions.rois);
        const std::int64_t h = x.dim(1), w = x.dim(2);
        return expected(
            {b.shape[0], bins.h, bins.w, by_position ? x.dim(3) / (bins.h * bins.w) : x.dim(3)},
            [&](const std::int64_t* at) {
              const double shift = half_pixel ? 0.5 : 0;
              double from[2], side[2];
              for (int axis = 0; axis < 2; ++axis) {
                from[axis] = b(at[0], 2 - axis) * scale - shift;
                side[axis] = b(at[0], 4 - axis) * scale - shift - from[axis];
                if (!half_pixel) side[axis] = std::max(side[axis], 1.0);
              }
              const double bin_h = side[0] / static_cast<double>(bins.h),
                           bin_w = side[1] / static_cast<double>(bins.w);
              const std::int64_t n_h =
                  ratio > 0 ? ratio : static_cast<std::int64_t>(std::ceil(bin_h));
              const std::int64_t n_w =
                  ratio > 0 ? ratio : static_cast<std::int64_t>(std::ceil(bin_w));
              Sum sum, mean;
              const std::int64_t channel =
                  by_position ? (at[3] * bins.h + at[1]) * bins.w + at[2] : at[3];
              for (std::int64_t i = 0; i < n_h; ++i)
                for (std::int64_t j = 0; j < n_w; ++j) {
                  const double y =
                      from[0] + static_cast<double>(at[1]) * bin_h +
                      (static_cast<double>(i) + 0.5) * bin_h / static_cast<double>(n_h);
                  const double z =
                      from[1] + static_cast<double>(at[2]) * bin_w +
                      (static_cast<double>(j) + 0.5) * bin_w / static_cast<double>(n_w);
                  if (y < -1 || y > static_cast<double>(h) || z < -1 || z > static_cast<double>(w))
                    continue;
                  sum.add(sample(y, z, h, w, Outside::clamp, [&](std::int64_t p, std::int64_t q) {
                    return a(static_cast<std::int64_t>(b(at[0], 0)), p, q, channel);
                  }));
                }
              mean.add(sum, 1.0 / static_cast<double>(std::max<std::int64_t>(1, n_h * n_w)));
              return mean;
            });
      });
}

void pooled(Input& in) {
  const bool by_position = in.coin();
  const Size2 bins{power(in), power(in)};
  const std::int64_t each = in.between(1, 3);
  const std::int64_t c = by_position ? std::clamp<std::int64_t>(bins.h, 1, 4) *
                                           std::clamp<std::int64_t>(bins.w, 1, 4) * each
                                     : each;
  const DType dtype = in.dtype();
  const Tensor x = in.tensor(in.near({in.extent(2), in.extent(6), in.extent(6), c}), dtype,
                             by_position ? Values::finite : Values::any);
  const Regions regions(in, x.dim(0), dtype);
  const double scale = map_scale(in);
  judge_regions(
      by_position ? "ps_roi_pool" : "roi_pool", regions.dyadic && is_dyadic(scale), {x},
      [&](const Vars& v) {
        const RoIPoolOptions o{.output_size = bins, .spatial_scale = scale};
        return by_position ? ps_roi_pool(v[0], regions.rois, o) : roi_pool(v[0], regions.rois, o);
      },
      [&] {
        const Array a(x), b(regions.rois);
        return expected(
            {b.shape[0], bins.h, bins.w, by_position ? x.dim(3) / (bins.h * bins.w) : x.dim(3)},
            [&](const std::int64_t* at) {
              std::int64_t begin[2], end[2];
              for (int axis = 0; axis < 2; ++axis) {
                const double start = std::round(b(at[0], 2 - axis) * scale);
                const double stop = std::round(b(at[0], 4 - axis) * scale);
                const auto side =
                    static_cast<std::int64_t>(std::max(1.0, stop - start + (by_position ? 0 : 1)));
                const std::int64_t count = axis == 0 ? bins.h : bins.w, bin = at[1 + axis];
                const std::int64_t first = static_cast<std::int64_t>(start);
                begin[axis] =
                    std::clamp<std::int64_t>(first + bin * side / count, 0, x.dim(1 + axis));
                end[axis] = std::clamp<std::int64_t>(first + ((bin + 1) * side + count - 1) / count,
                                                     0, x.dim(1 + axis));
              }
              const std::int64_t channel =
                  by_position ? (at[3] * bins.h + at[1]) * bins.w + at[2] : at[3];
              Sum sum;
              bool any = false;
              double best = 0;
              for (std::int64_t i = begin[0]; i < end[0]; ++i)
                for (std::int64_t j = begin[1]; j < end[1]; ++j) {
                  const double value = a(static_cast<std::int64_t>(b(at[0], 0)), i, j, channel);
                  sum.add(value);
                  if (!any || (!std::isnan(best) && (std::isnan(value) || value > best)))
                    best = value;
                  any = true;
                }
              if (!by_position) return Sum(any ? best : 0);
              Sum mean;
              if (any)
                mean.add(sum, 1.0 / static_cast<double>((end[0] - begin[0]) * (end[1] - begin[1])));
              return mean;
            });
      });
}

void deform_pooled(Input& in) {
  const std::int64_t bins = power(in),
                     group = in.rarely(24) ? in.hostile() : in.one_of<std::int64_t>({1, 2});
  const std::int64_t part = in.rarely(24) ? in.hostile() : in.one_of<std::int64_t>({0, 1, 2});
  const std::int64_t samples = power(in), classes = in.one_of<std::int64_t>({1, 2});
  const std::int64_t k = classes * in.between(1, 2), fan = std::clamp<std::int64_t>(group, 1, 2);
  const std::int64_t cells =
      part == 0 ? std::clamp<std::int64_t>(bins, 1, 4) : std::clamp<std::int64_t>(part, 1, 2);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor(in.near({in.extent(2), in.extent(6), in.extent(6), k * fan * fan}),
                             dtype, Values::tame);
  const Regions regions(in, x.dim(0), dtype);
  const bool moved = in.coin();
  const std::int64_t r = regions.rois.dim(0);
  const Tensor trans =
      moved ? in.tensor(in.near({r, cells, cells, 2 * classes}), dtype, Values::tame) : Tensor();
  const double scale = map_scale(in), trans_std = in.rarely(24) ? in.real(0, 1) : 0.25;
  const DeformRoIPoolOptions o{.spatial_scale = scale,
                               .output_dim = in.coin() ? 0 : k,
                               .group_size = group,
                               .pooled_size = bins,
                               .part_size = part,
                               .sample_per_part = samples,
                               .trans_std = trans_std};
  judge_regions(
      "deform_roi_pool",
      regions.dyadic && is_dyadic(scale) && trans_std == 0.25 && x.dim(3) == k * fan * fan,
      {x, trans}, [&](const Vars& v) { return deform_roi_pool(v[0], regions.rois, v[1], {}, o); },
      [&] {
        const Array a(x), b(regions.rois), t(moved ? Array(trans) : Array());
        return expected({r, bins, bins, k}, [&](const std::int64_t* at) {
          double first[2], step[2];
          const std::int64_t of_class = at[3] / (k / classes);
          for (int axis = 0; axis < 2; ++axis) {
            const double start = std::round(b(at[0], 2 - axis)) * scale - 0.5;
            const double side =
                std::max(0.1, (std::round(b(at[0], 4 - axis)) + 1) * scale - 0.5 - start);
            const double bin = side / static_cast<double>(bins);
            const double shift = moved ? t(at[0], at[1] * cells / bins, at[2] * cells / bins,
                                           2 * of_class + (axis == 0 ? 1 : 0)) *
                                             trans_std * side
                                       : 0;
            first[axis] = start + static_cast<double>(at[1 + axis]) * bin + shift;
            step[axis] = bin / static_cast<double>(samples);
          }
          const std::int64_t channel =
              (at[3] * group + at[1] * group / bins) * group + at[2] * group / bins;
          Sum sum, mean;
          std::int64_t count = 0;
          for (std::int64_t i = 0; i < samples; ++i)
            for (std::int64_t j = 0; j < samples; ++j) {
              const double y = first[0] + static_cast<double>(i) * step[0],
                           z = first[1] + static_cast<double>(j) * step[1];
              if (y < -0.5 || y > static_cast<double>(x.dim(1)) - 0.5 || z < -0.5 ||
                  z > static_cast<double>(x.dim(2)) - 0.5)
                continue;
              ++count;
              sum.add(sample(y, z, x.dim(1), x.dim(2), Outside::clamp,
                             [&](std::int64_t p, std::int64_t q) {
                               return a(static_cast<std::int64_t>(b(at[0], 0)), p, q, channel);
                             }));
            }
          if (count > 0) mean.add(sum, 1.0 / static_cast<double>(count));
          return mean;
        });
      });
}

}  // namespace

std::vector<NamedOperator> region_operators() {
  return {{"roi_align", aligned}, {"roi_pool", pooled}, {"deform_roi_pool", deform_pooled}};
}

}  // namespace pliant::fuzz
