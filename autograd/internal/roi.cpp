#include <pliant/autograd/internal/roi.h>

#include <cmath>

#include <pliant/core/dtype.h>

namespace pliant {
namespace {

template <class T>
void check_values(const char* op, const Tensor& rois, std::int64_t images) {
  const T* const values = rois.data<T>();
  for (std::int64_t r = 0; r < rois.dim(0); ++r) {
    const T* const roi = values + 5 * r;
    const double image = static_cast<double>(roi[0]);
    require(image >= 0 && image < static_cast<double>(images) && image == std::floor(image), op,
            ": region ", r, " has image index ", image, ", expected a whole number from 0 to ",
            images - 1);
    for (int i = 1; i < 5; ++i)
      require(std::isfinite(roi[i]), op, ": region ", r, " has the corners (", roi[1], ", ", roi[2],
              ") and (", roi[3], ", ", roi[4], "), expected finite numbers");
  }
}

}  // namespace

RoIGeometry roi_geometry(const char* op, const Var& x, const Tensor& rois, Size2 bins,
                         double spatial_scale, Size2 groups, std::int64_t samples) {
  require_rank(op, "the input", x, 4, "[N H W C]");
  require_rank(op, "the regions", rois, 2, "[R 5]");
  const Var regions(rois);
  require_same_kind(op, {{"x", &x}, {"regions", &regions}});
  require(rois.dim(1) == 5, op, ": the regions have shape ", rois.shape(), ", expected [R 5]");
  require(x.dim(1) > 0 && x.dim(2) > 0, op, ": the input ", x.shape(), " has no pixels");
  require_map_fits(op, x.dim(1), x.dim(2));
  require(bins.h >= 1 && bins.w >= 1, op, ": ", bins.h, " x ", bins.w,
          " bins, expected at least 1 x 1");
  require(std::isfinite(spatial_scale) && spatial_scale > 0, op, ": the spatial scale is ",
          spatial_scale, ", expected a positive number");
  // Kernels have tables of the bins along an axis.
  constexpr std::int64_t kMostBins = std::int64_t{1} << 20;
  require(bins.h <= kMostBins && bins.w <= kMostBins, op, ": ", bins.h, " x ", bins.w,
          " bins, expected at most 2^20 along an axis");
  const bool grouped =
      groups.h >= 1 && groups.w >= 1 && x.dim(3) % checked_product(op, {groups.h, groups.w}) == 0;
  require(grouped, op, ": ", x.dim(3), " channels do not divide into ", groups.h, " x ", groups.w,
          " groups");
  require_operations(
      op, "regions, bins, samples of a bin, channels",
      {rois.dim(0), bins.h, bins.w, samples, samples, x.dim(3) / (groups.h * groups.w)});
  if (rois.device().is_cpu())
    visit_floating(op, x.dtype(), [&]<class T>() { check_values<T>(op, rois, x.dim(0)); });
  return {.n = x.dim(0),
          .h = x.dim(1),
          .w = x.dim(2),
          .c = x.dim(3),
          .r = rois.dim(0),
          .p = bins.h,
          .q = bins.w,
          .k = x.dim(3) / (groups.h * groups.w),
          .groups_h = groups.h,
          .groups_w = groups.w,
          .scale = spatial_scale};
}

}  // namespace pliant
