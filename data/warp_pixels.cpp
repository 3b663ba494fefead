// Pixels under a Warp.
#include <algorithm>
#include <cmath>

#include <pliant/data/warp.h>

namespace pliant {
namespace {

// What a pixel of the result reads along one axis: some pixels from `first` on, by weights.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
  float sum = 0;
};

// A triangle about `at`, the place of a centre, which falls to 0 at a distance of `reach` pixels.
void find_taps(double at, double reach, std::int64_t extent, Taps& taps) {
  taps.first =
      std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(at - 0.5 - reach)) + 1);
  const std::int64_t last = std::min<std::int64_t>(
      extent - 1, static_cast<std::int64_t>(std::ceil(at - 0.5 + reach)) - 1);
  taps.weights.clear();
  taps.sum = 0;
  for (std::int64_t i = taps.first; i <= last; ++i) {
    const double distance = std::abs(static_cast<double>(i) + 0.5 - at);
    taps.weights.push_back(static_cast<float>(std::max(0.0, 1 - distance / reach)));
    taps.sum += taps.weights.back();
  }
}

// Where the pixels of a result come from.
class Source {
 public:
  Source(const char* who, const Warp& warp, std::int64_t height, std::int64_t width)
      : back_(warp.map().inverse()),
        height_(static_cast<double>(height)),
        width_(static_cast<double>(width)) {
    require(height == warp.given_height() && width == warp.given_width(), who, ": a picture of ",
            width, " x ", height, " pixels under a warp of one of ", warp.given_width(), " x ",
            warp.given_height());
  }

  Point of(std::int64_t row, std::int64_t column) const {
    return back_({static_cast<double>(column) + 0.5, static_cast<double>(row) + 0.5});
  }
  bool contains(const Point& p) const {
    return p.x >= 0 && p.x < width_ && p.y >= 0 && p.y < height_;
  }
  // How far apart, along x and y, the places of neighbouring pixels are, at least 1.
  double reach_x() const { return std::max(1.0, std::hypot(back_.xx, back_.xy)); }
  double reach_y() const { return std::max(1.0, std::hypot(back_.yx, back_.yy)); }
  bool is_upright() const { return back_.xy == 0 && back_.yx == 0; }

 private:
  Affine back_;
  double height_, width_;
};

std::uint8_t as(float value, std::uint8_t) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}
float as(float value, float) { return value; }

template <class T>
void sample(const Tensor& image, const Taps& y, const Taps& x, T* to) {
  const std::int64_t width = image.dim(1), channels = image.dim(2);
  const T* const corner = image.data<T>() + (y.first * width + x.first) * channels;
  for (std::int64_t c = 0; c < channels; ++c) {
    float sum = 0;
    const T* row = corner + c;
    for (const float weight : y.weights) {
      float across = 0;
      const T* at = row;
      for (const float one : x.weights) {
        across += one * static_cast<float>(*at);
        at += channels;
      }
      sum += weight * across;
      row += width * channels;
    }
    to[c] = as(sum / (y.sum * x.sum), T{});
  }
}

// The taps of all columns of a map that neither turns nor shears.
std::vector<Taps> column_taps(const Source& source, const Warp& warp) {
  std::vector<Taps> columns(static_cast<std::size_t>(warp.width()));
  for (std::int64_t c = 0; c < warp.width(); ++c)
    if (const Point at = source.of(0, c);
        at.x >= 0 && at.x < static_cast<double>(warp.given_width()))
      find_taps(at.x, source.reach_x(), warp.given_width(), columns[static_cast<std::size_t>(c)]);
  return columns;
}

template <class T>
Tensor warp_of(const Tensor& image, const Warp& warp, const std::vector<T>& fill) {
  const Source source("warp_image", warp, image.dim(0), image.dim(1));
  const std::int64_t channels = image.dim(2);
  Tensor result = Tensor::empty({warp.height(), warp.width(), channels}, image.dtype());
  T* to = result.mutable_data<T>();
  const std::vector<Taps> columns =
      source.is_upright() ? column_taps(source, warp) : std::vector<Taps>();
  Taps x, y;
  for (std::int64_t r = 0; r < warp.height(); ++r) {
    double row = NAN;  // that y's taps are of
    for (std::int64_t c = 0; c < warp.width(); ++c, to += channels) {
      const Point at = source.of(r, c);
      if (!source.contains(at)) {
        std::copy(fill.begin(), fill.end(), to);
        continue;
      }
      if (at.y != row) find_taps(at.y, source.reach_y(), image.dim(0), y);
      row = at.y;
      if (columns.empty()) find_taps(at.x, source.reach_x(), image.dim(1), x);
      sample(image, y, columns.empty() ? x : columns[static_cast<std::size_t>(c)], to);
    }
  }
  return result;
}

void warp_plane(const std::uint8_t* mask, const Source& source, const Warp& warp,
                std::uint8_t outside, std::uint8_t* to) {
  for (std::int64_t r = 0; r < warp.height(); ++r)
    for (std::int64_t c = 0; c < warp.width(); ++c) {
      const Point at = source.of(r, c);
      *to++ = source.contains(at) ? mask[static_cast<std::int64_t>(at.y) * warp.given_width() +
                                         static_cast<std::int64_t>(at.x)]
                                  : outside;
    }
}

}  // namespace

Tensor warp_image(const Tensor& image, const Warp& warp, const std::vector<float>& fill) {
  require(image.defined() && image.rank() == 3 && image.device().is_cpu() &&
              (image.dtype() == DType::uint8 || image.dtype() == DType::float32),
          "warp_image: needs uint8 or float32 [H W C] on the cpu, got ", image);
  const auto channels = static_cast<std::size_t>(image.dim(2));
  require(fill.size() == 1 || fill.size() == channels, "warp_image: ", fill.size(),
          " values to fill with, expected 1 or the ", channels, " of the channels");
  std::vector<float> values(channels, fill[0]);
  if (fill.size() == channels) values = fill;
  if (image.dtype() == DType::float32) return warp_of<float>(image, warp, values);
  std::vector<std::uint8_t> bytes;
  for (const float value : values) {
    require(value >= 0 && value <= 255, "warp_image: a byte cannot be filled with ", value);
    bytes.push_back(as(value, std::uint8_t{}));
  }
  return warp_of<std::uint8_t>(image, warp, bytes);
}

Tensor warp_mask(const Tensor& mask, const Warp& warp, std::uint8_t outside) {
  require(mask.defined() && (mask.rank() == 2 || mask.rank() == 3) &&
              mask.dtype() == DType::uint8 && mask.device().is_cpu(),
          "warp_mask: needs uint8 [H W] or [N H W] on the cpu, got ", mask);
  const Source source("warp_mask", warp, mask.dim(-2), mask.dim(-1));
  const std::int64_t count = mask.rank() == 3 ? mask.dim(0) : 1;
  Tensor result = Tensor::empty({count, warp.height(), warp.width()}, DType::uint8);
  const std::int64_t from = mask.dim(-2) * mask.dim(-1), to = warp.height() * warp.width();
  for (std::int64_t i = 0; i < count; ++i)
    warp_plane(mask.data<std::uint8_t>() + i * from, source, warp, outside,
               result.mutable_data<std::uint8_t>() + i * to);
  return mask.rank() == 3 ? result : result.reshape({warp.height(), warp.width()});
}

Tensor resize_image(const Tensor& image, std::int64_t height, std::int64_t width) {
  require(image.defined() && image.rank() == 3, "resize_image: needs [H W C], got ", image);
  return warp_image(image, Warp(image.dim(0), image.dim(1)).resize(height, width));
}

}  // namespace pliant
