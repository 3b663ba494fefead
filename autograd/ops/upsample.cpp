#include <pliant/autograd/ops/upsample.h>

#include <cmath>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/resample.h>

namespace pliant {
namespace {

constexpr const char* kOp = "upsample2d";

ResampleRule rule_of(const UpsampleOptions& o) {
  const bool cubic = o.mode == UpsampleMode::bicubic;
  if (o.mode == UpsampleMode::nearest) return ResampleRule::nearest;
  if (o.mode == UpsampleMode::nearest_exact) return ResampleRule::nearest_centres;
  if (o.antialias) return cubic ? ResampleRule::cubic_filter : ResampleRule::linear_filter;
  if (o.align_corners) return cubic ? ResampleRule::cubic_corners : ResampleRule::linear_corners;
  return cubic ? ResampleRule::cubic_centres : ResampleRule::linear_centres;
}

// One direction; `scale` is 0 where the size `out` is given.
ResampleAxis axis_of(const char* along, std::int64_t size, std::int64_t out, double scale,
                     const UpsampleOptions& o) {
  const double scaled = std::floor(static_cast<double>(size) * scale);
  if (scale != 0) {
    const bool is_large = scaled > static_cast<double>(kMostPixels);
    require(scaled >= 1 && !is_large, kOp, ": a scale of ", scale, " along ", along, " makes ",
            size, " pixels ", scaled, ", expected at ", is_large ? "most " : "least ",
            is_large ? kMostPixels : 1);
    out = static_cast<std::int64_t>(scaled);
  }
  ResampleAxis axis{.size = size, .out = out};
  axis.rule = rule_of(o);
  const bool nearest = axis.rule == ResampleRule::nearest;
  const bool corners =
      axis.rule == ResampleRule::linear_corners || axis.rule == ResampleRule::cubic_corners;
  if (out == size || (nearest && out == 2 * size)) scale = 0;  // as if the size were given
  if (corners) {
    axis.step = out == 1 ? 0 : static_cast<double>(size - 1);
    axis.per = out == 1 ? 1 : static_cast<double>(out - 1);
  } else {
    axis.step = scale != 0 ? 1 : static_cast<double>(size);
    axis.per = scale != 0 ? scale : static_cast<double>(out);
  }
  if (is_filter(axis.rule)) axis.kernel = longest_run(axis, ResampleWay::forward);
  return axis;
}

}  // namespace

Var upsample2d(const Var& x, const UpsampleOptions& o) {
  const ErrorOp here("upsample2d");
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_same_kind(kOp, x);
  require(x.dim(1) > 0 && x.dim(2) > 0, kOp, ": the input ", x.shape(), " has no pixels");
  const bool by_size = o.size != Size2(0), by_scale = o.scale.h != 0 || o.scale.w != 0;
  require(by_size != by_scale, kOp, ": expected a size or a scale, got ",
          by_size ? "both" : "neither");
  require(by_scale || (o.size.h >= 1 && o.size.w >= 1), kOp, ": the size is ", o.size.h, " x ",
          o.size.w, ", expected at least 1 x 1");
  require(by_size || (o.scale.h > 0 && o.scale.w > 0), kOp, ": the scale is ", o.scale.h, " x ",
          o.scale.w, ", expected above 0");
  const bool interpolates = o.mode == UpsampleMode::bilinear || o.mode == UpsampleMode::bicubic;
  require(!o.antialias || (interpolates && !o.align_corners), kOp,
          ": antialias is of bilinear and bicubic without align_corners");
  return apply_resample(kOp, x, axis_of("H", x.dim(1), o.size.h, o.scale.h, o),
                        axis_of("W", x.dim(2), o.size.w, o.scale.w, o));
}

}  // namespace pliant
