#include <pliant/core/cpu/winograd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <tuple>
#include <vector>

#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/cpu/tap_batch.h>
#include <pliant/core/cpu/vectors.h>

namespace pliant::cpu {
namespace {

constexpr std::int64_t kPositions = 16;

constexpr std::int64_t position_of(std::size_t i, std::size_t j) {
  return static_cast<std::int64_t>(4 * i + j);
}

constexpr std::int64_t tap_of(std::size_t i, std::size_t j) {
  return static_cast<std::int64_t>(3 * i + j);
}

// The transforms along one axis: from kFrom values to kTo.
struct PatchTransform {  // B^T d
  static constexpr std::size_t kFrom = 4, kTo = 4;
  template <class V>
  static void apply(const V (&d)[4], V (&to)[4]) {
    to[0] = d[0] - d[2];
    to[1] = d[1] + d[2];
    to[2] = d[2] - d[1];
    to[3] = d[1] - d[3];
  }
};
struct FilterTransform {  // G g
  static constexpr std::size_t kFrom = 3, kTo = 4;
  template <class V>
  static void apply(const V (&g)[3], V (&to)[4]) {
    const V ends = (g[0] + g[2]) * 0.5f, middle = g[1] * 0.5f;
    to[0] = g[0];
    to[1] = ends + middle;
    to[2] = ends - middle;
    to[3] = g[2];
  }
};
struct OutputTransform {  // A^T m
  static constexpr std::size_t kFrom = 4, kTo = 2;
  template <class V>
  static void apply(const V (&m)[4], V (&to)[2]) {
    to[0] = m[0] + m[1] + m[2];
    to[1] = m[1] - m[2] - m[3];
  }
};
struct OutputGradient {  // A y
  static constexpr std::size_t kFrom = 2, kTo = 4;
  template <class V>
  static void apply(const V (&y)[2], V (&to)[4]) {
    to[0] = y[0];
    to[1] = y[0] + y[1];
    to[2] = y[0] - y[1];
    to[3] = -y[1];
  }
};
struct FilterGradient {  // G^T u
  static constexpr std::size_t kFrom = 4, kTo = 3;
  template <class V>
  static void apply(const V (&u)[4], V (&to)[3]) {
    const V sum = (u[1] + u[2]) * 0.5f;
    to[0] = u[0] + sum;
    to[1] = (u[1] - u[2]) * 0.5f;
    to[2] = sum + u[3];
  }
};

// Along columns and rows.
template <class Transform, class V>
inline void transform(const V (&from)[Transform::kFrom][Transform::kFrom],
                      V (&to)[Transform::kTo][Transform::kTo]) {
  V half[Transform::kTo][Transform::kFrom];
  for (std::size_t j = 0; j < Transform::kFrom; ++j) {
    V column[Transform::kFrom], result[Transform::kTo];
    for (std::size_t i = 0; i < Transform::kFrom; ++i) column[i] = from[i][j];
    Transform::apply(column, result);
    for (std::size_t i = 0; i < Transform::kTo; ++i) half[i][j] = result[i];
  }
  for (std::size_t i = 0; i < Transform::kTo; ++i) Transform::apply(half[i], to[i]);
}

struct Tiles {
  std::int64_t images, rows, columns;  // of tiles in an image

  Tiles(std::int64_t n, std::int64_t h, std::int64_t w)
      : images(n), rows((h + 1) / 2), columns((w + 1) / 2) {}
  std::int64_t count() const { return images * rows * columns; }
  std::int64_t image_of(std::int64_t tile) const { return tile / (rows * columns); }
};

// A map whose tile (i, j) covers size x size pixels from (2i + first_row, 2j + first_column) on.
template <class Element>
struct TiledMap {
  Element* data;
  std::int64_t h, w, channels;
  std::int64_t first_row, first_column;

  // Where the tile's pixels lie, or `outside`.
  template <std::size_t size>
  void point(const Tiles& tiles, std::int64_t tile, Element* outside,
             Element* (&to)[size][size]) const {
    const std::int64_t image = tiles.image_of(tile);
    const std::int64_t row = tile / tiles.columns % tiles.rows * 2 + first_row;
    const std::int64_t column = tile % tiles.columns * 2 + first_column;
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) {
        const std::int64_t y = row + static_cast<std::int64_t>(i);
        const std::int64_t x = column + static_cast<std::int64_t>(j);
        const bool inside = y >= 0 && y < h && x >= 0 && x < w;
        to[i][j] = inside ? data + ((image * h + y) * w + x) * channels : outside;
      }
  }
};

// to [positions][tiles of range][count] = the transformed tiles, the first `count` channels of
// them.
template <class Transform>
void gather(const TiledMap<const float>& map, const Tiles& tiles, std::int64_t begin,
            std::int64_t end, std::int64_t count, const float* zeros, float* to) {
  constexpr std::size_t kSize = Transform::kFrom;
  const std::int64_t position = (end - begin) * count;
  for (std::int64_t tile = begin; tile < end; ++tile, to += count) {
    const float* from[kSize][kSize];
    map.point(tiles, tile, zeros, from);
    along_channels<float>(count, [&]<class V>(std::int64_t c, V*) {
      V values[kSize][kSize], result[4][4];
      for (std::size_t i = 0; i < kSize; ++i)
        for (std::size_t j = 0; j < kSize; ++j) load(from[i][j] + c, values[i][j]);
      transform<Transform>(values, result);
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j)
          store(result[i][j], to + position_of(i, j) * position + c);
    });
  }
}

// 0 times what was seen of each vector's lanes: whether all of it was finite.
class FiniteLanes {
 public:
  template <class V>
  void see(const V& values) {
    std::get<V>(zeros_) += values * 0.0f;
  }
  bool all() const {
    return std::apply([](const auto&... zeros) { return (is_zero(zeros) && ...); }, zeros_);
  }

 private:
  template <class V>
  static bool is_zero(const V& zeros) {
    float lanes[sizeof(V) / sizeof(float)];
    std::memcpy(lanes, &zeros, sizeof zeros);
    return std::all_of(std::begin(lanes), std::end(lanes), [](float lane) { return lane == 0; });
  }
  std::tuple<Vector<float>, Vector<float, 16>, float> zeros_{};
};

// The outputs of some tiles in channels first .. first + columns - 1, from `products`
// [positions][tiles of range][width]. Images with one that is not finite are marked in `spread`.
void scatter(const TiledMap<float>& map, const Tiles& tiles, std::int64_t begin, std::int64_t end,
             const Panel& panel, const float* products, const float* bias, float* waste,
             std::int32_t* spread) {
  const std::int64_t position = (end - begin) * panel.width;
  for (std::int64_t tile = begin; tile < end; ++tile, products += panel.width) {
    float* to[2][2];
    map.point(tiles, tile, waste, to);
    FiniteLanes finite;
    along_channels<float>(panel.columns, [&]<class V>(std::int64_t c, V*) {
      V values[4][4], result[2][2], shift{};
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j)
          load(products + position_of(i, j) * position + c, values[i][j]);
      transform<OutputTransform>(values, result);
      if (bias != nullptr) load(bias + panel.first + c, shift);
      for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 2; ++j)
          if (to[i][j] != waste) store(result[i][j] + shift, to[i][j] + panel.first + c);
      finite.see(result[0][0] + result[0][1] + result[1][0] + result[1][1]);
    });
    if (!finite.all())
      std::atomic_ref(spread[tiles.image_of(tile)]).store(1, std::memory_order_relaxed);
  }
}

// Whether a filter is read as the convolution has it or, for the data gradient, turned by half a
// turn and from its outputs to its inputs.
enum class Filter : unsigned char { as_is, turned };

// Some channels of one filter; taps lie `tap_stride` apart, positions of the result
// `position_stride`.
void transform_filter(const float* from, std::int64_t tap_stride, std::int64_t channels,
                      Filter filter, float* to, std::int64_t position_stride) {
  along_channels<float>(channels, [&]<class V>(std::int64_t c, V*) {
    V values[3][3], result[4][4];
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) {
        const std::int64_t tap = tap_of(i, j);
        load(from + (filter == Filter::turned ? 8 - tap : tap) * tap_stride + c, values[i][j]);
      }
    transform<FilterTransform>(values, result);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j)
        store(result[i][j], to + position_of(i, j) * position_stride + c);
  });
}

// The filters [k 3 3 c] at each position, packed: [c, k], turned [k, c]. A task makes kRows rows of
// one panel, and the panels' tasks follow one another as those of convolve() do.
const float* pack_filters(const Conv2dGeometry& g, const float* weight, Filter filter,
                          Workspace& workspace) {
  constexpr std::int64_t kRows = 32;
  constexpr std::int64_t kPad = 16;  // between positions, which else share the sets of a cache
  const bool turned = filter == Filter::turned;
  const std::int64_t depth = turned ? g.k : g.c, width = turned ? g.c : g.k;
  const Panels<float> panels(width);
  const std::int64_t matrix = packed_size<float>(depth, width), blocks = (depth - 1) / kRows + 1;
  float* const packed = workspace.take<float>(kPositions * matrix);
  const PerThread<float> memory(kPositions * (kRows * kMaxPanelWidth + kPad), workspace);
  parallel_for(panels.count() * blocks, [&](std::int64_t task) {
    const Panel panel = panels[task / blocks];
    const std::int64_t first = task % blocks * kRows, rows = std::min(kRows, depth - first);
    const std::int64_t filters = turned ? rows : panel.columns;
    const std::int64_t channels = turned ? panel.columns : rows;
    const std::int64_t k0 = turned ? first : panel.first, c0 = turned ? panel.first : first;
    float* const plain = memory.of();  // [positions][filters][channels]
    for (std::int64_t k = 0; k < filters; ++k)
      transform_filter(weight + (k0 + k) * 9 * g.c + c0, g.c, channels, filter,
                       plain + k * channels, filters * channels + kPad);
    for (std::int64_t position = 0; position < kPositions; ++position)
      pack_panel(Panel{0, panel.columns, panel.width}, rows,
                 MatrixView<float>{plain + position * (filters * channels + kPad), channels,
                                   turned ? Transpose::no : Transpose::yes},
                 packed + position * matrix + depth * panel.first + first * panel.width);
  });
  return packed;
}

// Tiles of a task: whole register tiles, few enough to stay in cache, and tasks enough.
std::int64_t tiles_of_task(std::int64_t count, std::int64_t stripes) {
  constexpr std::int64_t kMost = 48, kTasks = 32;
  const std::int64_t own = (count * stripes + kTasks - 1) / kTasks;
  return std::clamp((own + kTileRows - 1) / kTileRows * kTileRows, kTileRows, kMost);
}

// to = the convolution of `from` by packed filters. Where there are more filters than tiles each
// panel of them is a stripe of tasks, which a thread has packed for itself; else a task's patches
// serve all panels. Gives the images whose results have to be worked out otherwise.
std::vector<std::int64_t> convolve(const Tiles& tiles, const TiledMap<const float>& from,
                                   const float* packed, const float* bias,
                                   const TiledMap<float>& to, Workspace& workspace) {
  std::int32_t* const spread = workspace.take<std::int32_t>(tiles.images);
  std::fill_n(spread, tiles.images, 0);
  const Panels<float> panels(to.channels);
  const std::int64_t stripes = to.channels > tiles.count() ? panels.count() : 1;
  const std::int64_t depth = from.channels, own = tiles_of_task(tiles.count(), stripes);
  const std::int64_t blocks = (tiles.count() + own - 1) / own;
  const std::int64_t filters = packed_size<float>(depth, to.channels);
  float* const zeros = workspace.take<float>(depth);
  std::fill_n(zeros, depth, 0.0f);
  const PerThread<float> memory(kPositions * own * (depth + kMaxPanelWidth), workspace);
  parallel_for(stripes * blocks, [&](std::int64_t task) {
    const std::int64_t stripe = task / blocks, begin = task % blocks * own;
    const std::int64_t end = std::min(begin + own, tiles.count()), count = end - begin;
    float* const patches = memory.of();
    float* const products = patches + kPositions * own * depth;
    gather<PatchTransform>(from, tiles, begin, end, depth, zeros, patches);
    for (std::int64_t p = stripe; p < panels.count(); p += stripes) {
      const Panel panel = panels[p];
      for (std::int64_t position = 0; position < kPositions; ++position)
        gemm_panel(count, depth, patches + position * count * depth, depth,
                   Panel{0, panel.columns, panel.width},
                   packed + position * filters + depth * panel.first,
                   products + position * count * panel.width, panel.width,
                   static_cast<const float*>(nullptr));
      scatter(to, tiles, begin, end, panel, products, bias, memory.of(), spread);
    }
  });
  std::vector<std::int64_t> images;
  for (std::int64_t image = 0; image < tiles.images; ++image)
    if (spread[image] != 0) images.push_back(image);
  return images;
}

}  // namespace

std::vector<std::int64_t> winograd_forward(const Conv2dGeometry& g, const float* x,
                                           const float* weight, const float* bias, float* y,
                                           Workspace& workspace) {
  return convolve(Tiles(g.n, g.p, g.q), {x, g.h, g.w, g.c, -g.pad_top, -g.pad_left},
                  pack_filters(g, weight, Filter::as_is, workspace), bias, {y, g.p, g.q, g.k, 0, 0},
                  workspace);
}

std::vector<std::int64_t> winograd_data_gradient(const Conv2dGeometry& g, const float* dy,
                                                 const float* weight, float* dx,
                                                 Workspace& workspace) {
  return convolve(Tiles(g.n, g.h, g.w), {dy, g.p, g.q, g.k, g.pad_top - 2, g.pad_left - 2},
                  pack_filters(g, weight, Filter::turned, workspace), nullptr,
                  {dx, g.h, g.w, g.c, 0, 0}, workspace);
}

void winograd_weight_gradient(const Conv2dGeometry& g, const float* x, const float* dy,
                              float* dweight, Workspace& workspace) {
  constexpr std::int64_t kBlock = 64, kTilesAtLeast = 196;   // of a product, and of a part
  constexpr std::int64_t kStripe = 64, kTasks = 32;          // filters of a task; tasks wanted
  constexpr std::int64_t kMostSums = std::int64_t{1} << 22;  // elements that the parts may take
  const Tiles tiles(g.n, g.p, g.q);
  const TiledMap<const float> inputs{x, g.h, g.w, g.c, -g.pad_top, -g.pad_left};
  const std::int64_t size = g.k * g.c, stripes = (g.k + kStripe - 1) / kStripe;
  const std::int64_t most =
      std::min({tiles.count() / kTilesAtLeast, kMostSums / (kPositions * size),
                (kTasks + stripes - 1) / stripes, kMostPartials});
  const std::int64_t parts = std::max<std::int64_t>(1, most);
  float* const sums = workspace.take<float>(parts * kPositions * size);  // [parts][positions][k][c]
  float* const zeros = workspace.take<float>(std::max(g.c, g.k));
  std::fill_n(zeros, std::max(g.c, g.k), 0.0f);
  const PerThread<float> memory(kPositions * kBlock * (g.c + kStripe), workspace);
  parallel_for(parts * stripes, [&](std::int64_t task) {
    const std::int64_t part = task / stripes, stripe = task % stripes;
    const std::int64_t first = g.k * stripe / stripes;
    const std::int64_t filters = g.k * (stripe + 1) / stripes - first;
    const TiledMap<const float> outputs{dy + first, g.p, g.q, g.k, 0, 0};
    float* const patches = memory.of();
    float* const gradients = patches + kPositions * kBlock * g.c;
    float* const sum = sums + part * kPositions * size + first * g.c;
    for (std::int64_t position = 0; position < kPositions; ++position)
      std::fill_n(sum + position * size, filters * g.c, 0.0f);
    const std::int64_t last = tiles.count() * (part + 1) / parts;
    for (std::int64_t begin = tiles.count() * part / parts; begin < last; begin += kBlock) {
      const std::int64_t end = std::min(last, begin + kBlock), count = end - begin;
      gather<PatchTransform>(inputs, tiles, begin, end, g.c, zeros, patches);
      gather<OutputGradient>(outputs, tiles, begin, end, filters, zeros, gradients);
      for (std::int64_t position = 0; position < kPositions; ++position)
        gemm_transposed(filters, g.c, count, gradients + position * count * filters, filters,
                        patches + position * count * g.c, g.c, sum + position * size, g.c);
    }
  });
  parallel_for(g.k, [&](std::int64_t k) {
    along_channels<float>(g.c, [&]<class V>(std::int64_t c, V*) {
      V values[4][4], result[3][3], more;
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j) {
          const float* const from = sums + position_of(i, j) * size + k * g.c + c;
          load(from, values[i][j]);
          for (std::int64_t part = 1; part < parts; ++part) {
            load(from + part * kPositions * size, more);
            values[i][j] += more;
          }
        }
      transform<FilterGradient>(values, result);
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j)
          store(result[i][j], dweight + (k * 9 + tap_of(i, j)) * g.c + c);
    });
  });
}

}  // namespace pliant::cpu
