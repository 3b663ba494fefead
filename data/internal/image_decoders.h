// What stands behind data/image_file.h: a decoder for each format, and what they share.
#pragma once

#include <csetjmp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/tensor.h>

namespace pliant {

using ImageBytes = std::span<const std::uint8_t>;

// As the file has it.
struct DecodedImage {
  Tensor pixels;        // uint8 [H W C]; C: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha
  int orientation = 1;  // EXIF's, 1 to 8: image_exif.cpp
};

// Each takes a whole file that begins as its format does; what it cannot read is an Error of one
// line that names `name`. A build without libpng or libjpeg says so.
DecodedImage decode_png(ImageBytes bytes, const std::string& name);
DecodedImage decode_jpeg(ImageBytes bytes, const std::string& name);
DecodedImage decode_bmp(ImageBytes bytes, const std::string& name);
DecodedImage decode_pnm(ImageBytes bytes, const std::string& name);

// A PNG of a palette or of grays of 1 to 8 bits: uint8 [H W], the numbers that stand in the file.
Tensor decode_png_indices(ImageBytes bytes, const std::string& name);

// A PNG file. pixels: uint8 [H W C]; with a palette (3 bytes a colour, at most 256) C is 1 and they
// are its indices.
std::vector<std::uint8_t> encode_png(const char* who, const Tensor& pixels,
                                     std::span<const std::uint8_t> palette = {});

// The orientation that EXIF data (TIFF's header and first directory) ask for; 1 (upright) where
// they are damaged or do not say.
int exif_orientation(ImageBytes exif);
// The pixels [H W C] upright.
Tensor upright(const Tensor& pixels, int orientation);

inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 26;

// An Error unless both are at least 1 and there are at most kMaxImagePixels pixels.
void check_image_size(const std::string& name, std::int64_t width, std::int64_t height);

// What a library says of a file may hold bytes of it: here it is one short line of ASCII.
std::string printable_reason(std::string_view text);

inline bool begins_with(ImageBytes bytes, std::string_view mark) {
  if (bytes.size() < mark.size()) return false;
  for (std::size_t i = 0; i < mark.size(); ++i)
    if (bytes[i] != static_cast<std::uint8_t>(mark[i])) return false;
  return true;
}

// The number of `count` bytes that stands at `at`, which must be inside.
inline std::uint32_t big_endian(ImageBytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}
inline std::uint32_t little_endian(ImageBytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

// For C libraries whose errors jump to `back`: runs `step` and says whether it came to its end. No
// object with a destructor may live in `step`, or below it, where the library can fail.
template <class Step>
bool runs_through(std::jmp_buf& back, Step step) {
  if (setjmp(back) != 0) return false;  // NOLINT(cert-err52-cpp)
  step();
  return true;
}

}  // namespace pliant
