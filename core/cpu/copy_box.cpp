#include <pliant/core/kernels/copy_box.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// Strides of the box's axes, in elements of its tensor; returns where the box begins.
std::int64_t strides_of(const Box& box, std::int64_t* strides) {
  std::int64_t below = 1, begin = 0;
  for (int i = box.tensor.rank() - 1; i >= 0; --i) {
    const auto axis = static_cast<std::size_t>(i);
    strides[i] = below * box.step[axis];
    begin += below * box.start[axis];
    below *= box.tensor[i];
  }
  return begin;
}

}  // namespace

CopyBoxGeometry copy_box_geometry(const Shape& extents, const Box& x, const Box& y) {
  std::int64_t x_stride[Shape::kMaxRank] = {}, y_stride[Shape::kMaxRank] = {};
  CopyBoxGeometry g{};
  g.x_start = strides_of(x, x_stride);
  g.y_start = strides_of(y, y_stride);
  for (int i = 0; i < extents.rank(); ++i) {
    if (extents[i] == 1) continue;
    const int last = g.rank - 1;
    if (g.rank > 0 && g.x_stride[last] == x_stride[i] * extents[i] &&
        g.y_stride[last] == y_stride[i] * extents[i]) {
      g.extent[last] *= extents[i];
      g.x_stride[last] = x_stride[i];
      g.y_stride[last] = y_stride[i];
    } else {
      g.extent[g.rank] = extents[i];
      g.x_stride[g.rank] = x_stride[i];
      g.y_stride[g.rank++] = y_stride[i];
    }
  }
  if (g.rank == 0) {
    g.rank = 1;
    g.extent[0] = g.x_stride[0] = g.y_stride[0] = 1;
  }
  return g;
}

namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task, about

template <class T>
void copy_run(std::int64_t n, const T* x, std::int64_t x_stride, T* y, std::int64_t y_stride) {
  if (x_stride == 1 && y_stride == 1) {
    std::copy_n(x, n, y);
  } else if (x_stride == 0 && y_stride == 1) {
    std::fill_n(y, n, *x);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i * y_stride] = x[i * x_stride];
  }
}

template <class T>
void copy(const CopyBoxGeometry& g, const T* x, T* y) {
  if (g.size() == 0) return;
  x += g.x_start;
  y += g.y_start;
  const int last = g.rank - 1;
  const std::int64_t run = g.extent[last], sx = g.x_stride[last], sy = g.y_stride[last];
  const std::int64_t rows = g.size() / run;
  if (rows == 1) {
    parallel_blocks(run, kBlock, [&](std::int64_t begin, std::int64_t end) {
      copy_run(end - begin, x + begin * sx, sx, y + begin * sy, sy);
    });
    return;
  }
  parallel_blocks(rows, std::max<std::int64_t>(1, kBlock / run),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t row = begin; row < end; ++row) {
                      const CopyBoxPlace place = copy_box_place(g, last, row);
                      copy_run(run, x + place.x, sx, y + place.y, sy);
                    }
                  });
}

}  // namespace

constinit AnyKernel<CopyBox> cpu::copy_box{copy, copy, copy, copy, copy, copy};

}  // namespace pliant
