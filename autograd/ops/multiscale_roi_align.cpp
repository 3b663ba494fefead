#include <pliant/autograd/ops/multiscale_roi_align.h>

#include <algorithm>
#include <cmath>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/indices.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

void check_regions(const char* op, const Tensor& rois) {
  require_rank(op, "the regions", rois, 2, "[R 5]");
  require_same_kind(op, rois);
  require(rois.dim(1) == 5, op, ": the regions have shape ", rois.shape(), ", expected [R 5]");
}

// The level of each scale, 2^-level.
PyramidLevels levels_of(const MultiScaleRoIAlignOptions& options) {
  const char* const op = "multiscale_roi_align";
  const std::vector<double>& scales = options.spatial_scales;
  const double first = -std::log2(scales.front());
  require(std::isfinite(first) && first == std::floor(first), op, ": the first scale is ",
          scales.front(), ", expected a power of 2");
  for (std::size_t i = 1; i < scales.size(); ++i)
    require(scales[i] * 2 == scales[i - 1], op, ": scale ", scales[i], " follows ", scales[i - 1],
            ", expected its half");
  const auto at = static_cast<std::int64_t>(first);
  return {at, at + static_cast<std::int64_t>(scales.size()) - 1, options.canonical_size,
          options.canonical_level};
}

// Where each region's result stands when those of the first level come first, and so on.
struct ByLevel {
  std::vector<Indices> regions;
  Indices place;
};

ByLevel by_level(const Tensor& levels, std::size_t count) {
  ByLevel all{std::vector<Indices>(count), Indices(static_cast<std::size_t>(levels.size()))};
  const Tensor host = levels.to(Device::cpu());
  for (std::int64_t r = 0; const std::int64_t level : host.span<std::int64_t>())
    all.regions[static_cast<std::size_t>(level)].push_back(r++);
  std::int64_t place = 0;
  for (const Indices& regions : all.regions)
    for (const std::int64_t r : regions) all.place[static_cast<std::size_t>(r)] = place++;
  return all;
}

}  // namespace

Tensor roi_levels(const Tensor& rois, const PyramidLevels& levels) {
  const char* const op = "roi_levels";
  check_regions(op, rois);
  require(levels.first <= levels.last && levels.canonical_size > 0, op, ": levels ", levels.first,
          " to ", levels.last, " and a canonical size of ", levels.canonical_size,
          ", expected first <= last and a size above 0");
  const std::vector<double> numbers = rois.to_vector();
  Indices found;
  for (std::size_t i = 0; i + 4 < numbers.size(); i += 5) {
    const double* const roi = numbers.data() + i;
    const double side = std::sqrt((roi[3] - roi[1]) * (roi[4] - roi[2]));
    const double level = std::floor(static_cast<double>(levels.canonical_level) +
                                    std::log2(side / levels.canonical_size) + 1e-6);
    const auto first = static_cast<double>(levels.first), last = static_cast<double>(levels.last);
    const double within = level > first ? std::min(level, last) : first;  // NaN: the first
    found.push_back(static_cast<std::int64_t>(within - first));
  }
  return indices_tensor(found, rois.device());
}

Var multiscale_roi_align(const Vars& maps, const Tensor& rois,
                         const MultiScaleRoIAlignOptions& options) {
  const char* const op = "multiscale_roi_align";
  const ErrorOp here(op);
  check_regions(op, rois);
  require(!maps.empty() && maps.size() == options.spatial_scales.size(), op, ": ", maps.size(),
          " maps and ", options.spatial_scales.size(),
          " scales, expected one for each, at least 1");
  const Tensor levels = roi_levels(rois.to(Device::cpu()), levels_of(options));
  const ByLevel all = by_level(levels, maps.size());
  Vars pooled;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const Tensor of_level =
        index_select(rois, 0, indices_tensor(all.regions[i], rois.device())).value();
    pooled.push_back(roi_align(maps[i], of_level,
                               {.output_size = options.output_size,
                                .spatial_scale = options.spatial_scales[i],
                                .sampling_ratio = options.sampling_ratio,
                                .aligned = options.aligned}));
  }
  return index_select(concat(pooled, 0), 0, indices_tensor(all.place, rois.device()));
}

}  // namespace pliant
