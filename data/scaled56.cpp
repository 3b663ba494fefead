#include <pliant/data/scaled56.h>

#include <algorithm>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/transforms.h>

namespace pliant {
namespace {

constexpr std::int64_t kImagesPerTask = 64;
constexpr double kZoomLow = 0.5, kZoomHigh = 1.5;

}  // namespace

double draw_zoom56(const Rng& rng) { return rng.uniform(0, kZoomLow, kZoomHigh); }

Tensor scaled56(const Tensor& images, const Rng& rng) {
  require(images.defined() && images.dtype() == DType::uint8 && images.rank() == 4,
          "scaled56: needs uint8 [N H W C], got ", images);
  constexpr std::int64_t pad = kScaled56Padding;
  const std::int64_t count = images.dim(0), height = images.dim(1), channels = images.dim(3);
  const std::int64_t row = images.dim(2) * channels;
  const std::int64_t tall = height + 2 * pad, wide = images.dim(2) + 2 * pad;
  const std::uint8_t* const from = images.span<std::uint8_t>().data();
  Tensor result = Tensor::empty({count, tall, wide, channels}, DType::uint8);
  std::uint8_t* const to = result.mutable_data<std::uint8_t>();
  parallel_blocks(count, kImagesPerTask, [&](std::int64_t begin, std::int64_t end) {
    // The frame stays zero while images come and go within it.
    std::vector<std::uint8_t> padded(static_cast<std::size_t>(tall * wide * channels));
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t r = 0; r < height; ++r)
        std::copy_n(from + (i * height + r) * row, row,
                    padded.data() + ((r + pad) * wide + pad) * channels);
      const double zoom = draw_zoom56(rng.fork(static_cast<std::uint64_t>(i)));
      scale_bytes(padded.data(), tall, wide, channels, {.zoom_rows = zoom, .zoom_columns = zoom},
                  to + i * tall * wide * channels);
    }
  });
  return result;
}

ImageSets make_scaled56(const LabelledImages& train, const LabelledImages& test, const Rng& rng) {
  return {{scaled56(train.images, rng.fork("scaled56 train")), train.labels},
          {scaled56(test.images, rng.fork("scaled56 test")), test.labels}};
}

}  // namespace pliant
