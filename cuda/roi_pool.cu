#include <pliant/core/kernels/roi_pool.h>

#include <limits>

#include <pliant/core/kernels/takes_over.h>
#include <pliant/cuda/roi.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "roi_pool";

// The pixels of a bin along an axis: 1 for x, 2 for y.
template <class T>
__device__ PixelRange pixels(const RoIGeometry& g, const T* roi, int axis, std::int64_t bin) {
  return roi_pool_pixels(g, static_cast<double>(roi[axis]), static_cast<double>(roi[axis + 2]), bin,
                         axis == 1 ? g.q : g.p, axis == 1 ? g.w : g.h);
}

template <class T>
void forward(const RoIGeometry& g, const T* x, const T* rois, T* y, std::int32_t* index) {
  each(kOp, g.r * g.p * g.q * g.k, [=] __device__(std::int64_t at) {
    const std::int64_t c = at % g.k, j = at / g.k % g.q, i = at / g.k / g.q % g.p;
    const T* const roi = rois + at / g.k / g.q / g.p * 5;
    const std::int64_t image = image_of(g, roi);
    const T* const map = x + image * g.h * g.w * g.c + c;
    T best = image < 0 ? std::numeric_limits<T>::quiet_NaN() : T(0);
    std::int64_t where = -1;
    const PixelRange none, rows = image < 0 ? none : pixels(g, roi, 2, i);
    const PixelRange columns = image < 0 ? none : pixels(g, roi, 1, j);
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      for (std::int64_t column = columns.begin; column < columns.end; ++column) {
        const std::int64_t pixel = row * g.w + column;
        const T now = map[pixel * g.c];
        if (where >= 0 && !takes_over(now, best)) continue;
        best = now;
        where = pixel;
      }
    y[at] = best;
    index[at] = static_cast<std::int32_t>(where);
  });
}

// What the bins of each region read: rows [r p], columns [r q], boxes [r].
struct Ranges {
  PixelRange *rows, *columns;
  RegionBox* boxes;
};

template <class T>
Ranges ranges_of(const RoIGeometry& g, const T* rois, Workspace& workspace) {
  const Ranges to{workspace.take<PixelRange>(g.r * g.p), workspace.take<PixelRange>(g.r * g.q),
                  workspace.take<RegionBox>(g.r)};
  each(kOp, g.r, [=] __device__(std::int64_t r) {
    const T* const roi = rois + 5 * r;
    RegionBox box{image_of(g, roi), {}, {}};
    for (std::int64_t i = 0; i < g.p && box.image >= 0; ++i) {
      to.rows[r * g.p + i] = pixels(g, roi, 2, i);
      widen(box.rows, to.rows[r * g.p + i]);
    }
    for (std::int64_t j = 0; j < g.q && box.image >= 0; ++j) {
      to.columns[r * g.q + j] = pixels(g, roi, 1, j);
      widen(box.columns, to.columns[r * g.q + j]);
    }
    to.boxes[r] = box;
  });
  return to;
}

// Each element of the map looks for the bins that chose it, in the order of the regions.
template <class T>
void gradient(const RoIGeometry& g, const T* rois, const std::int32_t* index, const T* dy, T* dx,
              Workspace& workspace) {
  const Ranges ranges = ranges_of(g, rois, workspace);
  const RowLists lists = list_rows(kOp, g.n, g.h, g.r, ranges.boxes, workspace);
  each(kOp, g.n * g.h * g.w * g.c, [=] __device__(std::int64_t at) {
    const std::int64_t c = at % g.c, w = at / g.c % g.w, h = at / g.c / g.w % g.h;
    const std::int64_t image = at / g.c / g.w / g.h, pixel = h * g.w + w;
    double sum = 0;
    lists.each(image, h, w, [&](std::int64_t r) {
      for (std::int64_t i = 0; i < g.p; ++i) {
        if (!contains(ranges.rows[r * g.p + i], h)) continue;
        for (std::int64_t j = 0; j < g.q; ++j) {
          const std::int64_t bin = ((r * g.p + i) * g.q + j) * g.k + c;
          if (contains(ranges.columns[r * g.q + j], w) && index[bin] == pixel)
            sum += static_cast<double>(dy[bin]);
        }
      }
    });
    dx[at] = static_cast<T>(sum);
  });
}

}  // namespace

constinit FloatKernel<RoIPoolForward> cuda::roi_pool_forward{forward, forward};
constinit FloatKernel<RoIPoolGradient> cuda::roi_pool_gradient{gradient, gradient};

}  // namespace pliant
