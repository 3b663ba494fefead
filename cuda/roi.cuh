// What the kernels on regions of interest share. Their gradients by the map gather: each pixel
// walks the regions whose boxes reach its row, in their order.
#pragma once

#include <cmath>

#include <pliant/core/kernels/roi.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/cuda/launch.cuh>

namespace pliant::cuda {

// The image of a region, or -1 for one that no rule is given for, whose bins are NaN: nobody could
// look at the regions before.
template <class T>
__device__ std::int64_t image_of(const RoIGeometry& g, const T* roi) {
  for (int i = 1; i < 5; ++i)
    if (!std::isfinite(roi[i])) return -1;
  const bool known = roi[0] >= T(0) && roi[0] < static_cast<T>(g.n) && roi[0] == std::floor(roi[0]);
  return known ? static_cast<std::int64_t>(roi[0]) : -1;
}

__device__ inline bool contains(PixelRange range, std::int64_t at) {
  return range.begin <= at && at < range.end;
}
__device__ inline void widen(PixelRange& range, PixelRange by) {
  if (by.begin >= by.end) return;
  const bool empty = range.begin >= range.end;
  range = {empty ? by.begin : std::min(range.begin, by.begin),
           empty ? by.end : std::max(range.end, by.end)};
}

// What a region can read: nothing outside these rows and columns of this image.
struct RegionBox {
  std::int64_t image;  // -1: no image
  PixelRange rows, columns;

  __device__ bool reaches_row(std::int64_t of_image, std::int64_t row) const {
    return image == of_image && contains(rows, row);
  }
};

// The regions whose boxes reach each row of each image's map, and which of these reach a column.
struct RowLists {
  std::int64_t h;
  const RegionBox* boxes;
  const std::int64_t* begin;    // [n*h + 1], in `regions`
  const std::int32_t* regions;  // row by row, in order within each

  // Calls f(region) for those that may read pixel (row, column) of an image, in order.
  template <class F>
  __device__ void each(std::int64_t image, std::int64_t row, std::int64_t column, F f) const {
    const std::int64_t end = begin[image * h + row + 1];
    for (std::int64_t at = begin[image * h + row]; at < end; ++at)
      if (contains(boxes[regions[at]].columns, column)) f(std::int64_t{regions[at]});
  }
};

// Of `count` regions on the maps of n images.
RowLists list_rows(const char* op, std::int64_t n, std::int64_t h, std::int64_t count,
                   const RegionBox* boxes, Workspace& workspace);

// Calls f(first, count) for slices of the r regions, for each of which a kernel needs so many bytes
// of workspace: as many at a time as shapes alone say.
template <class F>
void each_region_slice(std::int64_t r, std::int64_t bytes, F f) {
  constexpr std::int64_t kSliceBytes = std::int64_t{64} << 20;
  const std::int64_t most =
      std::max<std::int64_t>(kSliceBytes / std::max<std::int64_t>(bytes, 1), 1);
  for (std::int64_t first = 0; first < r; first += most) f(first, std::min(most, r - first));
}

// The sizes of a map's element: which output channel of which group reads channel c.
struct MapChannel {
  std::int64_t k, group;
  __device__ MapChannel(const RoIGeometry& g, std::int64_t c)
      : k(c / g.groups()), group(c % g.groups()) {}
};

}  // namespace pliant::cuda
