#include <pliant/apps/segment/inference.h>

#include <algorithm>
#include <cmath>

#include <pliant/apps/segment/inputs.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/core/sizes.h>

namespace pliant::segment {
namespace {

constexpr std::int64_t kSeenWhole = 1 << 20;  // pixels
constexpr std::int64_t kWindow = 768;

// Where windows begin that cover `extent` pixels, neighbours overlapping by half or more.
std::vector<std::int64_t> starts_of(std::int64_t extent, std::int64_t window) {
  if (extent <= window) return {0};
  const std::int64_t gaps = ceil_quotient(2 * (extent - window), window);
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= gaps; ++i) starts.push_back(i * (extent - window) / gaps);
  return starts;
}

Tensor part_of(const Tensor& picture, std::int64_t top, std::int64_t left, std::int64_t height,
               std::int64_t width) {
  if (height == picture.dim(0) && width == picture.dim(1)) return picture;
  return warp_image(picture, Warp(picture.dim(0), picture.dim(1)).crop(top, left, height, width));
}

// [H W C], added to rows `top` on and columns `left` on of a sum.
void add_to(Tensor& sum, const Tensor& part, std::int64_t top, std::int64_t left) {
  const std::int64_t channels = part.dim(2), width = part.dim(1) * channels;
  const float* from = part.data<float>();
  float* const to = sum.mutable_data<float>();
  for (std::int64_t row = 0; row < part.dim(0); ++row, from += width) {
    float* const line = to + ((top + row) * sum.dim(1) + left) * channels;
    for (std::int64_t i = 0; i < width; ++i) line[i] += from[i];
  }
}

// Divides each pixel's numbers by their sum.
void make_shares(Tensor& sum) {
  const std::int64_t channels = sum.dim(2);
  float* pixel = sum.mutable_data<float>();
  for (std::int64_t i = 0; i < sum.dim(0) * sum.dim(1); ++i, pixel += channels) {
    float whole = 0;
    for (std::int64_t c = 0; c < channels; ++c) whole += pixel[c];
    for (std::int64_t c = 0; c < channels; ++c) pixel[c] /= whole;
  }
}

Tensor mirrored(const Tensor& map) {  // float32 [H W C]
  Tensor out = Tensor::empty(map.shape());
  const std::int64_t channels = map.dim(2), width = map.dim(1);
  const float* from = map.data<float>();
  float* const to = out.mutable_data<float>();
  for (std::int64_t row = 0; row < map.dim(0); ++row)
    for (std::int64_t column = 0; column < width; ++column, from += channels)
      std::copy_n(from, channels, to + (row * width + width - 1 - column) * channels);
  return out;
}

// The picture as it is, in windows where it is too large: sums of shares.
Tensor seen(const DeepLabV3Plus& net, const NetRecipe& recipe, const Tensor& picture,
            const InferenceOptions& options) {
  const std::int64_t height = picture.dim(0), width = picture.dim(1);
  const bool whole = options.window == 0 && height * width <= kSeenWhole;
  const std::int64_t window = options.window > 0 ? options.window : kWindow;
  const std::int64_t high = whole ? height : std::min(height, window);
  const std::int64_t wide = whole ? width : std::min(width, window);
  Tensor sum;
  for (const std::int64_t top : starts_of(height, high))
    for (const std::int64_t left : starts_of(width, wide)) {
      const Tensor input = net_input(part_of(picture, top, left, high, wide), recipe);
      const Var shares = softmax(net(input.to(options.device)));
      const Tensor part = shares.value().to(Device::cpu()).reshape({high, wide, shares.dim(3)});
      if (high == height && wide == width) return part;
      if (!sum.defined()) sum = Tensor::zeros({height, width, part.dim(2)});
      add_to(sum, part, top, left);
    }
  make_shares(sum);
  return sum;
}

Tensor enlarged(const Tensor& map, std::int64_t height, std::int64_t width) {
  if (map.dim(0) == height && map.dim(1) == width) return map;
  return upsample2d(map.reshape({1, map.dim(0), map.dim(1), map.dim(2)}),
                    {.size = {height, width}, .mode = UpsampleMode::bilinear})
      .value()
      .reshape({height, width, map.dim(2)});
}

}  // namespace

Tensor probabilities_of(const DeepLabV3Plus& net, const NetRecipe& recipe, const Tensor& picture,
                        const InferenceOptions& options) {
  const std::int64_t height = picture.dim(0), width = picture.dim(1);
  const auto scaled = [](std::int64_t extent, double scale) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(extent) * scale));
  };
  Tensor sum;
  const auto add = [&](const Tensor& map) {
    if (!sum.defined())
      sum = map.clone();
    else
      add_to(sum, map, 0, 0);
  };
  for (const double scale : options.scales) {
    const Tensor sized =
        scale == 1 ? picture : resize_image(picture, scaled(height, scale), scaled(width, scale));
    add(enlarged(seen(net, recipe, sized, options), height, width));
    if (!options.flip) continue;
    const Tensor turned = warp_image(sized, Warp(sized.dim(0), sized.dim(1)).flip_horizontal());
    add(enlarged(mirrored(seen(net, recipe, turned, options)), height, width));
  }
  if (options.flip || options.scales.size() > 1) make_shares(sum);
  for (const float share : sum.span<float>())
    require(std::isfinite(share), "the net's logits are not numbers");
  return sum;
}

Tensor guesses_of(const Tensor& probabilities) {
  const std::int64_t classes = probabilities.dim(2);
  Tensor guesses = Tensor::empty({probabilities.dim(0), probabilities.dim(1)}, DType::uint8);
  const float* shares = probabilities.data<float>();
  for (std::uint8_t& guess : guesses.mutable_span<std::uint8_t>()) {
    guess = static_cast<std::uint8_t>(std::max_element(shares, shares + classes) - shares);
    shares += classes;
  }
  return guesses;
}

}  // namespace pliant::segment
