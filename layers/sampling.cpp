#include <pliant/layers/sampling.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include <pliant/core/sizes.h>
#include <pliant/layers/internal/paths.h>
#include <pliant/layers/observer.h>

namespace pliant {
namespace {

constexpr std::int64_t kMostPoints = std::int64_t{1} << 24;

// Channel c of image n of a map [N H W C] at a place between its pixels, bilinear, clamped.
double interpolated(const Tensor& map, std::int64_t n, double y, double x, std::int64_t c) {
  const std::int64_t rows = map.dim(1), columns = map.dim(2), channels = map.dim(3);
  y = std::clamp(y, 0.0, static_cast<double>(rows - 1));
  x = std::clamp(x, 0.0, static_cast<double>(columns - 1));
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const double a = y - static_cast<double>(top), b = x - static_cast<double>(left);
  const float* const values = map.data<float>();
  const auto at = [&](std::int64_t row, std::int64_t column) {
    row = std::min(row, rows - 1);
    column = std::min(column, columns - 1);
    return static_cast<double>(values[((n * rows + row) * columns + column) * channels + c]);
  };
  return (1 - a) * ((1 - b) * at(top, left) + b * at(top, left + 1)) +
         a * ((1 - b) * at(top + 1, left) + b * at(top + 1, left + 1));
}

// The share of a bilinear sample at `v` that falls on pixels 0 .. extent-1 and not on zeros beside.
double share_inside(double v, std::int64_t extent) {
  return std::clamp(std::min(v + 1, static_cast<double>(extent) - v), 0.0, 1.0);
}

// Zeros outside: the sample is that of the nearest place inside, weighed.
void keep_inside(SamplingPoint& point, Size2 map) {
  point.weight *= share_inside(point.y, map.h) * share_inside(point.x, map.w);
  point.y = std::clamp(point.y, 0.0, static_cast<double>(map.h - 1));
  point.x = std::clamp(point.x, 0.0, static_cast<double>(map.w - 1));
}

// What the layer says of `image` is there, and of the strand's channel.
void check_call(const LayerSampling& layer, std::int64_t image, std::size_t place,
                const Strand& strand) {
  for (const Tensor& map : {layer.offsets, layer.mask, layer.field})
    require(!map.defined() || (image >= 0 && image < map.dim(0)), "trace: image ", image, " of ",
            map.defined() ? map.dim(0) : 0);
  require(!layer.field.defined() || (place < strand.size() && strand[place] >= 0 &&
                                     strand[place] < layer.field.dim(3) / 2),
          "trace: no channel of ", layer.name, "'s warp is chosen, or one that it does not have");
}

void check_finite(const SamplingPoint& point, const LayerSampling& layer) {
  require(std::isfinite(point.y) && std::isfinite(point.x) && std::isfinite(point.weight),
          "trace: ", layer.name, " has offsets or a mask that are not finite");
}

// Every channel's warp clamps where it reads.
void warp(SamplingPoint& point, const LayerSampling& layer, std::int64_t image,
          std::int64_t channel) {
  const double dy = interpolated(layer.field, image, point.y, point.x, 2 * channel);
  const double dx = interpolated(layer.field, image, point.y, point.x, 2 * channel + 1);
  check_finite({dy, dx, 1}, layer);
  point.y = std::clamp(point.y + dy, 0.0, static_cast<double>(layer.input.h - 1));
  point.x = std::clamp(point.x + dx, 0.0, static_cast<double>(layer.input.w - 1));
}

// From a place on the layer's output to where its tap (r, s) reads the input.
SamplingPoint tap_of(const LayerSampling& layer, std::int64_t image, const SamplingPoint& from,
                     std::int64_t group, std::int64_t r, std::int64_t s) {
  const ConvOptions& conv = layer.conv;
  const auto place = [](double v, std::int64_t stride, std::int64_t pad, std::int64_t tap,
                        std::int64_t dilation) {
    return v * static_cast<double>(stride) + static_cast<double>(tap * dilation - pad);
  };
  SamplingPoint to = from;
  to.y = place(from.y, conv.stride.h, conv.padding.top, r, conv.dilation.h);
  to.x = place(from.x, conv.stride.w, conv.padding.left, s, conv.dilation.w);
  const std::int64_t tap = (group * layer.kernel.h + r) * layer.kernel.w + s;
  if (layer.offsets.defined()) {
    to.y += interpolated(layer.offsets, image, from.y, from.x, 2 * tap);
    to.x += interpolated(layer.offsets, image, from.y, from.x, 2 * tap + 1);
  }
  if (layer.mask.defined()) to.weight *= interpolated(layer.mask, image, from.y, from.x, tap);
  check_finite(to, layer);
  keep_inside(to, layer.input);
  return to;
}

Tensor on_cpu(const Var& map) {
  return map.defined() ? map.value().to(DType::float32).to(Device::cpu()) : Tensor();
}

// Gathers what an Observer hears.
class Recorder {
 public:
  void hear(const LayerCall& call) {
    if (call.window == nullptr) return;
    const WindowCall& window = *call.window;
    if (window.offsets.defined() || window.field.defined()) forget_branch(call.path);
    if (window.field.defined()) {
      require(!field_.defined(), "samplings_of (", call.path,
              "): the map that it warps is warped already");
      field_ = on_cpu(window.field);
      return;
    }
    layers_.push_back({.name = call.path,
                       .input = {window.input[1], window.input[2]},
                       .output = {call.output[1], call.output[2]},
                       .kernel = window.kernel,
                       .conv = window.conv,
                       .offset_groups = window.offset_groups,
                       .offsets = on_cpu(window.offsets),
                       .mask = on_cpu(window.mask),
                       .field = std::exchange(field_, Tensor())});
  }
  std::vector<LayerSampling> take() { return std::move(layers_); }

 private:
  // Which ran before the layer that it is of.
  void forget_branch(const std::string& path) {
    const std::string prefix = path.empty() ? path : path + '.';
    for (; !layers_.empty() && layers_.back().name.starts_with(prefix); layers_.pop_back())
      if (layers_.back().field.defined()) field_ = layers_.back().field;
  }

  std::vector<LayerSampling> layers_;
  Tensor field_;  // of the warp that the next layer reads through
};

void check_chain(std::span<const LayerSampling> layers) {
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const Size2 given = layers[i - 1].output, read = layers[i].input;
    require(given == read, "trace: ", layers[i].name, " reads a map of ", read.h, " x ", read.w,
            ", but ", layers[i - 1].name, " below it gives ", given.h, " x ", given.w);
  }
}

std::int64_t group_of(const LayerSampling& layer, std::size_t place, const Strand& strand) {
  if (layer.offset_groups == 1 || layer.field.defined() || place >= strand.size()) return 0;
  require(strand[place] >= 0 && strand[place] < layer.offset_groups, "trace: ", layer.name, " has ",
          layer.offset_groups, " offset groups, and ", strand[place], " is none of them");
  return strand[place];
}

// (dy, dx) pairs on the last axis.
const Tensor& pairs_of(const LayerSampling& layer) {
  return layer.field.defined() ? layer.field : layer.offsets;
}

std::vector<double> mean_lengths_by_channel(const Tensor& field) {
  const auto channels = static_cast<std::size_t>(field.dim(3) / 2);
  std::vector<double> lengths(channels, 0.0);
  const auto values = field.span<float>();
  for (std::size_t i = 0; i + 1 < values.size(); i += 2)
    lengths[i / 2 % channels] += std::hypot(values[i], values[i + 1]);
  return lengths;
}

}  // namespace

std::vector<LayerSampling> samplings_of(const std::function<void()>& run) {
  require(run != nullptr, "samplings_of: the function is empty");
  Recorder recorder;
  const Observer observer([&](const LayerCall& call) { recorder.hear(call); });
  run();
  return recorder.take();
}

std::vector<LayerSampling> along(const std::vector<LayerSampling>& layers,
                                 const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns)
    require(std::any_of(layers.begin(), layers.end(),
                        [&](const LayerSampling& l) { return path_matches(pattern, l.name); }),
            "along: '", pattern, "' matches none of the layers that ran");
  std::vector<LayerSampling> way;
  std::copy_if(layers.begin(), layers.end(), std::back_inserter(way),
               [&](const LayerSampling& layer) { return any_path_matches(patterns, layer.name); });
  return way;
}

std::vector<SamplingPoint> trace(std::span<const LayerSampling> layers, std::int64_t image,
                                 std::int64_t y, std::int64_t x, const Strand& strand) {
  check_chain(layers);
  if (!layers.empty()) {
    const Size2 map = layers.back().output;
    require(y >= 0 && y < map.h && x >= 0 && x < map.w, "trace: pixel (", y, ", ", x,
            ") is none of ", layers.back().name, "'s map of ", map.h, " x ", map.w);
  }
  std::vector<SamplingPoint> points{{static_cast<double>(y), static_cast<double>(x), 1.0}};
  for (std::size_t i = layers.size(); i-- > 0;) {
    const LayerSampling& layer = layers[i];
    const bool warps = layer.field.defined();
    check_call(layer, image, i, strand);
    const std::int64_t group = group_of(layer, i, strand);
    const std::int64_t most = checked_product(
        "trace", {static_cast<std::int64_t>(points.size()), layer.kernel.h, layer.kernel.w});
    require(most <= kMostPoints, "trace: ", most, " points at ", layer.name, ", expected at most ",
            kMostPoints, "; trace fewer layers");
    std::vector<SamplingPoint> below;
    below.reserve(static_cast<std::size_t>(most));
    for (const SamplingPoint& point : points)
      for (std::int64_t r = 0; r < layer.kernel.h; ++r)
        for (std::int64_t s = 0; s < layer.kernel.w; ++s) {
          SamplingPoint tap = tap_of(layer, image, point, group, r, s);
          if (tap.weight <= 0) continue;
          if (warps) warp(tap, layer, image, strand[i]);
          below.push_back(tap);
        }
    points = std::move(below);
  }
  return points;
}

std::vector<LayerSampling> straightened(std::vector<LayerSampling> layers) {
  for (LayerSampling& layer : layers) layer.offsets = layer.mask = layer.field = Tensor();
  return layers;
}

std::vector<Strand> strongest_strands(std::span<const LayerSampling> layers, std::size_t count) {
  const bool warps = std::any_of(layers.begin(), layers.end(),
                                 [](const LayerSampling& layer) { return layer.field.defined(); });
  std::vector<Strand> strands(warps ? count : 1);
  for (const LayerSampling& layer : layers) {
    if (!layer.field.defined()) {
      for (Strand& strand : strands) strand.push_back(0);
      continue;
    }
    const std::vector<double> lengths = mean_lengths_by_channel(layer.field);
    std::vector<std::int64_t> order(lengths.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
    });
    for (std::size_t k = 0; k < strands.size(); ++k)
      strands[k].push_back(order[std::min(k, order.size() - 1)]);
  }
  return strands;
}

Movement movement_of(const LayerSampling& layer) {
  Movement movement;
  const Tensor& pairs = pairs_of(layer);
  if (pairs.defined() && pairs.size() > 0) {
    const auto values = pairs.span<float>();
    const double count = static_cast<double>(values.size()) / 2;
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
      const double length = std::hypot(values[i], values[i + 1]);
      movement.mean += length / count;
      movement.largest = std::max(movement.largest, length);
      movement.over_half += length > 0.5 ? 1 / count : 0;
    }
  }
  if (layer.mask.defined() && layer.mask.size() > 0) {
    const auto mask = layer.mask.span<float>();
    movement.mask =
        std::accumulate(mask.begin(), mask.end(), 0.0) / static_cast<double>(mask.size());
  }
  return movement;
}

double radius_of(std::span<const SamplingPoint> points) {
  double weight = 0, y = 0, x = 0, squares = 0;
  for (const SamplingPoint& point : points) {
    weight += point.weight;
    y += point.weight * point.y;
    x += point.weight * point.x;
    squares += point.weight * (point.y * point.y + point.x * point.x);
  }
  if (weight <= 0) return 0;
  y /= weight;
  x /= weight;
  return std::sqrt(std::max(0.0, squares / weight - y * y - x * x));
}

}  // namespace pliant
