// EXIF: how the camera was held. The data are a small TIFF file, of which one field matters here:
// https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf, 4.6.4 and its table of
// orientations.
#include <pliant/data/internal/image_decoders.h>

namespace pliant {
namespace {

constexpr std::size_t kEntryBytes = 12;
constexpr std::uint32_t kOrientationTag = 0x0112, kShort = 3, kLong = 4;

}  // namespace

int exif_orientation(ImageBytes exif) {
  const bool little = begins_with(exif, {"II*\0", 4});
  if (exif.size() < 10 || (!little && !begins_with(exif, {"MM\0*", 4}))) return 1;
  const auto number = [&](std::size_t at, std::size_t count) {
    return little ? little_endian(exif, at, count) : big_endian(exif, at, count);
  };
  const std::size_t directory = number(4, 4);
  if (directory > exif.size() - 2) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntryBytes;
    if (exif.size() < kEntryBytes || at > exif.size() - kEntryBytes) return 1;
    if (number(at, 2) != kOrientationTag) continue;
    const std::uint32_t type = number(at + 2, 2);
    if (type != kShort && type != kLong) return 1;
    const std::uint32_t value = number(at + 8, type == kShort ? 2 : 4);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

// The orientation says at which ends of the pixels given the upper left corner lies, and from 5 on
// that a row of the result is a column of theirs.
Tensor upright(const Tensor& pixels, int orientation) {
  if (orientation == 1) return pixels;
  const std::int64_t height = pixels.dim(0), width = pixels.dim(1), channels = pixels.dim(2);
  const bool transposed = orientation >= 5;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const std::int64_t right = from_right ? -channels : channels;
  const std::int64_t down = (from_bottom ? -width : width) * channels;
  const std::int64_t rows = transposed ? width : height, columns = transposed ? height : width;
  const std::int64_t next_row = transposed ? right : down, next_column = transposed ? down : right;
  Tensor result = Tensor::empty({rows, columns, channels}, pixels.dtype());
  std::uint8_t* to = result.mutable_data<std::uint8_t>();
  const std::uint8_t* const from =
      pixels.data<std::uint8_t>() +
      ((from_bottom ? height - 1 : 0) * width + (from_right ? width - 1 : 0)) * channels;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      for (std::int64_t channel = 0; channel < channels; ++channel)
        *to++ = from[r * next_row + c * next_column + channel];
  return result;
}

}  // namespace pliant
