#include <pliant/data/image_file.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include <pliant/data/internal/byte_reader.h>
#include <pliant/data/internal/image_decoders.h>

namespace pliant {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 29;  // 2^26 pixels of 8 bytes, uncompressed
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  ByteReader reader(path);
  std::vector<std::uint8_t> bytes;
  for (std::size_t used = 0;;) {
    bytes.resize(used + kChunkBytes);
    const std::size_t got = reader.read(bytes.data() + used, kChunkBytes);
    used += got;
    require(used <= kMaxFileBytes, path.string(), ": larger than ", kMaxFileBytes,
            " bytes, too large for an image");
    if (got < kChunkBytes) {
      bytes.resize(used);
      return bytes;
    }
  }
}

bool is_pnm(ImageBytes bytes) {
  return bytes.size() >= 3 && (begins_with(bytes, "P5") || begins_with(bytes, "P6")) &&
         (std::isspace(bytes[2]) != 0 || bytes[2] == '#');
}

DecodedImage decode(ImageBytes bytes, const std::string& name) {
  require(!bytes.empty(), name, ": the file is empty");
  if (begins_with(bytes, "\x89PNG\r\n\x1A\n")) return decode_png(bytes, name);
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

}  // namespace pliant
