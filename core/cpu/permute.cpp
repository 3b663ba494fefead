#include <pliant/core/kernels/permute.h>

#include <algorithm>
#include <cstring>

#include <pliant/core/parallel.h>

namespace pliant {

PermuteGeometry permute_geometry(const Shape& x, std::span<const int> axes) {
  std::int64_t stride[Shape::kMaxRank] = {};
  std::int64_t below = 1;
  for (int i = x.rank() - 1; i >= 0; --i) {
    stride[i] = below;
    below *= x[i];
  }
  PermuteGeometry g{};
  for (const int axis : axes) {
    const std::int64_t extent = x[axis];
    if (extent == 1) continue;
    const int last = g.rank - 1;
    if (g.rank > 0 && g.x_stride[last] == stride[axis] * extent) {
      g.extent[last] *= extent;
      g.x_stride[last] = stride[axis];
    } else {
      g.extent[g.rank] = extent;
      g.x_stride[g.rank++] = stride[axis];
    }
  }
  return g;
}

namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task, about

// One level of the walk over tiles: so many steps, each so far in x and y.
struct Level {
  std::int64_t count, x_step, y_step;
};

// An axis along which a tile extends.
struct Side {
  std::int64_t extent, x_stride, y_stride;
};

// What moves is runs of neighbours (one element, where the last axis moves too). A tile is a
// rectangle of runs, `down` along the axis that follows the runs in x, `across` along the one that
// follows them in y, so that both sides touch whole cache lines. The other axes, and the tiles of
// those two, are walked by levels.
struct Plan {
  std::int64_t run = 1;
  std::int64_t edge = 1;  // runs along each side of a tile
  Side down{1, 0, 0}, across{1, 0, 0};
  int levels = 0;
  Level level[Shape::kMaxRank + 2];

  explicit Plan(const PermuteGeometry& g) {
    int rank = g.rank;
    if (rank > 0 && g.x_stride[rank - 1] == 1) run = g.extent[--rank];
    edge = std::max<std::int64_t>(1, 32 / run);
    std::int64_t y_stride = g.size();
    for (int i = 0; i < rank; ++i) {
      y_stride /= g.extent[i];
      const Side side{g.extent[i], g.x_stride[i], y_stride};
      if (i == rank - 1)
        across = side;
      else if (side.x_stride == run)
        down = side;
      else
        level[levels++] = {side.extent, side.x_stride, side.y_stride};
    }
    for (const Side& side : {down, across})
      level[levels++] = {(side.extent + edge - 1) / edge, edge * side.x_stride,
                         edge * side.y_stride};
  }

  std::int64_t tiles() const {
    std::int64_t product = 1;
    for (int i = 0; i < levels; ++i) product *= level[i].count;
    return product;
  }
};

// The place of a tile, stepped from one to the next like an odometer.
struct Place {
  const Plan& plan;
  std::int64_t index[Shape::kMaxRank + 2];
  std::int64_t x = 0, y = 0;

  Place(const Plan& p, std::int64_t tile) : plan(p) {
    for (int i = plan.levels - 1; i >= 0; --i) {
      index[i] = tile % plan.level[i].count;
      tile /= plan.level[i].count;
      x += index[i] * plan.level[i].x_step;
      y += index[i] * plan.level[i].y_step;
    }
  }
  void next() {
    for (int i = plan.levels - 1; i >= 0; --i) {
      const Level& level = plan.level[i];
      x += level.x_step;
      y += level.y_step;
      if (++index[i] < level.count) return;
      x -= level.count * level.x_step;
      y -= level.count * level.y_step;
      index[i] = 0;
    }
  }
  std::int64_t rows() const {
    return std::min(plan.edge, plan.down.extent - index[plan.levels - 2] * plan.edge);
  }
  std::int64_t columns() const {
    return std::min(plan.edge, plan.across.extent - index[plan.levels - 1] * plan.edge);
  }
};

// kRun: the length of a run where it is small enough to be moved by one instruction, else 0.
template <int kRun, class T>
void copy_tile(const Place& place, const T* x, T* y) {
  const Plan& plan = place.plan;
  const std::int64_t run = kRun > 0 ? kRun : plan.run;
  const std::int64_t rows = place.rows(), columns = place.columns();
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* from = x + place.x + i * plan.down.x_stride;
    T* to = y + place.y + i * plan.down.y_stride;
    for (std::int64_t j = 0; j < columns; ++j) {
      std::memcpy(to, from, static_cast<std::size_t>(run) * sizeof(T));
      from += plan.across.x_stride;
      to += run;
    }
  }
}

template <int kRun, class T>
void copy_tiles(const Plan& plan, const T* x, T* y) {
  const std::int64_t tile =
      plan.run * std::min(plan.edge, plan.down.extent) * std::min(plan.edge, plan.across.extent);
  parallel_blocks(plan.tiles(), std::max<std::int64_t>(1, kBlock / tile),
                  [&](std::int64_t begin, std::int64_t end) {
                    Place place(plan, begin);
                    for (std::int64_t i = begin; i < end; ++i, place.next())
                      copy_tile<kRun>(place, x, y);
                  });
}

template <class T>
void permute_axes(const PermuteGeometry& g, const T* x, T* y) {
  if (g.size() == 0) return;
  const Plan plan(g);
  switch (plan.run) {
    case 1:
      return copy_tiles<1>(plan, x, y);
    case 2:
      return copy_tiles<2>(plan, x, y);
    case 4:
      return copy_tiles<4>(plan, x, y);
    default:
      return copy_tiles<0>(plan, x, y);
  }
}

}  // namespace

constinit AnyKernel<Permute> cpu::permute{permute_axes, permute_axes, permute_axes,
                                          permute_axes, permute_axes, permute_axes};

}  // namespace pliant
