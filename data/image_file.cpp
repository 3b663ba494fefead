#include <pliant/data/image_file.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include <pliant/core/atomic_file.h>
#include <pliant/data/internal/files.h>
#include <pliant/data/internal/image_decoders.h>

namespace pliant {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 29;  // 2^26 pixels of 8 bytes, uncompressed
constexpr const char* kPngMark = "\x89PNG\r\n\x1A\n";

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  return read_bytes(path, kMaxFileBytes, "an image");
}

void write_file(const char* who, const std::filesystem::path& path,
                const std::vector<std::uint8_t>& bytes) {
  AtomicFile file(who, path);
  file.write(bytes.data(), static_cast<std::int64_t>(bytes.size()));
  file.commit();
}

bool is_pnm(ImageBytes bytes) {
  return bytes.size() >= 3 && (begins_with(bytes, "P5") || begins_with(bytes, "P6")) &&
         (std::isspace(bytes[2]) != 0 || bytes[2] == '#');
}

DecodedImage decode(ImageBytes bytes, const std::string& name) {
  require(!bytes.empty(), name, ": the file is empty");
  if (begins_with(bytes, kPngMark)) return decode_png(bytes, name);
  if (begins_with(bytes, "\xFF\xD8\xFF")) return decode_jpeg(bytes, name);
  if (begins_with(bytes, "BM")) return decode_bmp(bytes, name);
  if (is_pnm(bytes)) return decode_pnm(bytes, name);
  fail(name, ": not an image, expected PNG, JPEG, BMP, or binary PGM or PPM");
}

int luma(const std::uint8_t* rgb) { return (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8; }

// pixels [H W C], C as in DecodedImage -> uint8 [H W `channels`], over `backdrop` where there is
// alpha.
Tensor convert(const Tensor& pixels, std::int64_t channels, int backdrop) {
  const std::int64_t given = pixels.dim(2), colours = given >= 3 ? 3 : 1;
  Tensor result = Tensor::empty({pixels.dim(0), pixels.dim(1), channels}, DType::uint8);
  std::uint8_t* to = result.mutable_data<std::uint8_t>();
  const std::uint8_t* from = pixels.data<std::uint8_t>();
  const std::int64_t count = pixels.dim(0) * pixels.dim(1);
  for (std::int64_t i = 0; i < count; ++i, from += given, to += channels)
    for (std::int64_t c = 0; c < channels; ++c) {
      int value = channels == 1 && colours == 3 ? luma(from) : from[std::min(c, colours - 1)];
      if (given % 2 == 0) {
        const int alpha = from[given - 1];
        value = (value * alpha + backdrop * (255 - alpha) + 127) / 255;
      }
      to[c] = static_cast<std::uint8_t>(value);
    }
  return result;
}

// Every pixel is that of the upper left corner.
bool is_uniform(const Tensor& pixels) {
  const auto all = pixels.span<std::uint8_t>();
  const auto step = static_cast<std::size_t>(pixels.dim(2));
  return std::equal(all.begin() + static_cast<std::ptrdiff_t>(step), all.end(), all.begin());
}

}  // namespace

void check_image_size(const std::string& name, std::int64_t width, std::int64_t height) {
  require(width >= 1 && height >= 1, name, ": the image is ", width, " x ", height,
          " pixels, expected at least one");
  require(width <= kMaxImagePixels / height, name, ": the image is ", width, " x ", height,
          " pixels, expected at most ", kMaxImagePixels, " in all");
}

std::string printable_reason(std::string_view text) {
  std::string line(text.substr(0, 100));
  for (char& c : line)
    if (c < 0x20 || c > 0x7E) c = '?';
  return line;
}

Tensor decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                    ImageColour colour) {
  const DecodedImage image = decode(bytes, name);
  const std::int64_t channels = colour == ImageColour::gray ? 1 : 3;
  Tensor pixels = convert(image.pixels, channels, 255);
  if (image.pixels.dim(2) % 2 == 0 && is_uniform(pixels))
    pixels = convert(image.pixels, channels, 0);
  return upright(pixels, image.orientation);
}

Tensor read_image(const std::filesystem::path& path, ImageColour colour) {
  return decode_image(read_file(path), path.string(), colour);
}

namespace {

std::vector<std::uint8_t> encode_as(const char* who, const Tensor& image) {
  require(image.defined() && image.dtype() == DType::uint8 && image.rank() == 3 &&
              (image.dim(2) == 1 || image.dim(2) == 3 || image.dim(2) == 4),
          who, ": needs uint8 [H W C] of 1, 3 or 4 channels, got ", image);
  return encode_png(who, image);
}

}  // namespace

void write_image(const std::filesystem::path& path, const Tensor& image) {
  write_file("write_image", path, encode_as("write_image", image));
}

std::vector<std::uint8_t> encode_image(const Tensor& image) {
  return encode_as("encode_image", image);
}

Tensor read_mask(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  require(begins_with(bytes, kPngMark), path.string(),
          ": not a mask, expected PNG with a palette or grays");
  return decode_png_indices(bytes, path.string());
}

void write_mask(const std::filesystem::path& path, const Tensor& mask, const Palette& palette) {
  require(mask.defined() && mask.dtype() == DType::uint8 && mask.rank() == 2,
          "write_mask: needs uint8 [H W], got ", mask);
  require(!palette.empty() && palette.size() <= 256, "write_mask: the palette has ", palette.size(),
          " colours, expected 1 to 256");
  const auto indices = mask.span<std::uint8_t>();
  const auto largest = std::max_element(indices.begin(), indices.end());
  require(largest == indices.end() || *largest < palette.size(), "write_mask: the mask has a ",
          largest == indices.end() ? 0 : int{*largest}, ", the palette ", palette.size(),
          " colours");
  write_file("write_mask", path,
             encode_png("write_mask", mask.reshape({mask.dim(0), mask.dim(1), 1}),
                        {palette.front().data(), 3 * palette.size()}));
}

// Bits 0, 3, 6 of an index make the highest bits of red, bits 1, 4, 7 of green, 2 and 5 of blue.
Palette voc_palette() {
  Palette palette(256);
  for (std::size_t i = 0; i < palette.size(); ++i)
    for (std::size_t bit = 0; bit < 8; ++bit)
      palette[i][bit % 3] |= static_cast<std::uint8_t>((i >> bit & 1) << (7 - bit / 3));
  return palette;
}

}  // namespace pliant
