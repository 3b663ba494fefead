#include <pliant/apps/mnist/report/sweep.h>

#include <algorithm>
#include <cmath>

#include <pliant/data/transforms.h>

namespace pliant::mnist {
namespace {

constexpr std::size_t kFrames = 25;
constexpr std::size_t kStrands = 3;

}  // namespace

std::span<const float> Sweep::picture(std::size_t digit, std::size_t frame) const {
  const auto pixels = static_cast<std::size_t>(pictures.dim(1) * pictures.dim(2));
  return pictures.span<float>().subspan((digit * frames() + frame) * pixels, pixels);
}

std::size_t Sweep::frame_of(double zoom) const {
  const auto nearest = std::min_element(zooms.begin(), zooms.end(), [&](double a, double b) {
    return std::abs(a - zoom) < std::abs(b - zoom);
  });
  return static_cast<std::size_t>(nearest - zooms.begin());
}

Sweep make_sweep(const LabelledImages& raw) {
  Sweep sweep;
  const ScaleAugmentation rule;
  for (std::size_t i = 0; i < kFrames; ++i)
    sweep.zooms.push_back(rule.zoom_low + (rule.zoom_high - rule.zoom_low) *
                                              static_cast<double>(i) / (kFrames - 1));
  const auto labels = raw.labels.span<std::int64_t>();
  for (std::int64_t digit = 0; digit < 10; ++digit) {
    const auto first = std::find(labels.begin(), labels.end(), digit);
    if (first == labels.end()) continue;
    sweep.indices.push_back(first - labels.begin());
    sweep.labels.push_back(digit);
  }
  const std::int64_t height = raw.images.dim(1), width = raw.images.dim(2);
  sweep.pictures =
      Tensor::empty({static_cast<std::int64_t>(sweep.digits() * sweep.frames()), height, width, 1});
  float* to = sweep.pictures.mutable_data<float>();
  for (const std::int64_t index : sweep.indices)
    for (const double zoom : sweep.zooms) {
      scale_image(raw.images.data<std::uint8_t>() + index * height * width, height, width, 1,
                  {.zoom_rows = zoom, .zoom_columns = zoom}, rule.interpolation, to);
      to += height * width;
    }
  return sweep;
}

std::pair<std::int64_t, std::int64_t> middle_of(std::span<const LayerSampling> layers) {
  return {layers.back().output.h / 2, layers.back().output.w / 2};
}

SweptNet swept(const RowNet& net, const Sweep& sweep, Device device) {
  const Tensor pictures = sweep.pictures.to(device);
  const std::vector<LayerSampling> layers = net.net.samplings(pictures);
  const std::vector<Guess> guesses = guesses_of(net.net, sweep.pictures, device);
  SweptNet result{&net, straightened(layers), strongest_strands(layers, kStrands), {}, false};
  for (const LayerSampling& layer : layers) result.masked |= layer.mask.defined();
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    const auto image = static_cast<std::int64_t>(i);
    View view{guesses[i], {}, {}};
    for (const Strand& strand : result.strands) {
      const auto [y, x] = middle_of(layers);
      view.points.push_back(trace(layers, image, y, x, strand));
    }
    for (std::size_t count = 1; count <= layers.size(); ++count) {
      const auto some = std::span(layers).first(count);
      const auto [y, x] = middle_of(some);
      view.layers.push_back(trace(some, image, y, x, result.strands.front()));
    }
    result.views.push_back(std::move(view));
  }
  return result;
}

}  // namespace pliant::mnist
