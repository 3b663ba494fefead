// BMP without compression: palettes of 1, 4 and 8 bits, 16, 24 and 32 bits a pixel.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <vector>

#include <pliant/data/internal/image_decoders.h>

namespace pliant {
namespace {

constexpr std::size_t kFileHeader = 14;  // the information header follows; its size comes first
constexpr std::uint32_t kRgb = 0, kBitfields = 3;

struct Header {
  std::size_t size = 0;  // of the information header: 12 (OS/2's, 16 bits each) or 40 and more
  std::size_t pixels_at = 0;
  std::int64_t width = 0, height = 0;
  bool top_first = false;
  std::uint32_t bits = 0, compression = kRgb, colours = 0;

  bool old() const { return size == 12; }
  std::size_t row_bytes() const { return (static_cast<std::size_t>(width) * bits + 31) / 32 * 4; }
};

// The value of some bits of a pixel, as 8 bits: fewer are repeated, so that all ones become 255.
class Mask {
 public:
  explicit Mask(std::uint32_t bits)
      : bits_(bits), shift_(bits == 0 ? 0 : std::countr_zero(bits)), width_(std::popcount(bits)) {}

  bool contiguous() const { return std::has_single_bit(std::uint64_t{bits_ >> shift_} + 1); }
  bool empty() const { return bits_ == 0; }
  std::uint8_t of(std::uint32_t pixel) const {
    if (bits_ == 0) return 0;
    const std::uint32_t value = (pixel & bits_) >> shift_;
    if (width_ >= 8) return static_cast<std::uint8_t>(value >> (width_ - 8));
    std::uint32_t wide = value << (8 - width_);
    for (int known = width_; known < 8; known *= 2) wide |= wide >> known;
    return static_cast<std::uint8_t>(wide);
  }

 private:
  std::uint32_t bits_;
  int shift_, width_;
};

Header read_header(ImageBytes bytes, const std::string& name) {
  require(bytes.size() >= kFileHeader + 12, name, ": the BMP file is truncated");
  Header header;
  header.pixels_at = little_endian(bytes, 10, 4);
  header.size = little_endian(bytes, kFileHeader, 4);
  require(header.old() || (header.size >= 40 && header.size <= 124), name,
          ": the BMP header's size is ", header.size, ", expected 12 or 40 to 124");
  require(bytes.size() >= kFileHeader + header.size, name, ": the BMP file is truncated");
  if (header.old()) {
    header.width = little_endian(bytes, 18, 2);
    header.height = little_endian(bytes, 20, 2);
    header.bits = little_endian(bytes, 24, 2);
  } else {
    header.width = static_cast<std::int32_t>(little_endian(bytes, 18, 4));
    const std::int64_t height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));
    header.top_first = height < 0;
    header.height = std::abs(height);
    header.bits = little_endian(bytes, 28, 2);
    header.compression = little_endian(bytes, 30, 4);
    header.colours = little_endian(bytes, 46, 4);
  }
  check_image_size(name, header.width, header.height);
  const bool wide = header.bits == 16 || header.bits == 32;
  require(wide || header.bits == 1 || header.bits == 4 || header.bits == 8 || header.bits == 24,
          name, ": the BMP file has ", header.bits,
          " bits a pixel, expected 1, 4, 8, 16, 24 or 32");
  require(header.compression == kRgb || (header.compression == kBitfields && wide), name,
          ": the BMP file is compressed (kind ", header.compression, "), which is not read");
  const auto height = static_cast<std::size_t>(header.height);
  require(bytes.size() >= header.pixels_at &&
              (bytes.size() - header.pixels_at) / header.row_bytes() >= height,
          name, ": the BMP file is truncated");
  return header;
}

// Colours by index, 3 bytes RGB each.
std::vector<std::uint8_t> read_palette(ImageBytes bytes, const Header& header,
                                       const std::string& name) {
  const std::size_t begin = kFileHeader + header.size, each = header.old() ? 3 : 4;
  const std::size_t most = std::size_t{1} << header.bits;
  const std::size_t said = header.colours == 0 ? most : std::min<std::size_t>(header.colours, most);
  require(header.pixels_at >= begin, name, ": the BMP file's pixels begin inside its header");
  const std::size_t count = std::min(said, (header.pixels_at - begin) / each);
  std::vector<std::uint8_t> palette;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 3; c-- > 0;) palette.push_back(bytes[begin + i * each + c]);
  return palette;
}

// Row r of the image, the upper one being 0.
const std::uint8_t* row_of(ImageBytes bytes, const Header& header, std::int64_t r) {
  const std::int64_t in_file = header.top_first ? r : header.height - 1 - r;
  return bytes.data() + header.pixels_at + static_cast<std::size_t>(in_file) * header.row_bytes();
}

Tensor read_indexed(ImageBytes bytes, const Header& header, const std::string& name) {
  const std::vector<std::uint8_t> palette = read_palette(bytes, header, name);
  Tensor pixels = Tensor::empty({header.height, header.width, 3}, DType::uint8);
  std::uint8_t* to = pixels.mutable_data<std::uint8_t>();
  const std::int64_t each = header.bits, in_byte = 8 / each;
  for (std::int64_t r = 0; r < header.height; ++r) {
    const std::uint8_t* const row = row_of(bytes, header, r);
    for (std::int64_t c = 0; c < header.width; ++c, to += 3) {
      const std::int64_t shift = 8 - each * (c % in_byte + 1);
      const auto index = static_cast<std::size_t>(row[c / in_byte] >> shift & ((1 << each) - 1));
      require(3 * index < palette.size(), name, ": a pixel of the BMP file has colour ", index,
              " of a palette of ", palette.size() / 3);
      std::copy_n(palette.data() + 3 * index, 3, to);
    }
  }
  return pixels;
}

Tensor read_24_bits(ImageBytes bytes, const Header& header) {
  Tensor pixels = Tensor::empty({header.height, header.width, 3}, DType::uint8);
  std::uint8_t* to = pixels.mutable_data<std::uint8_t>();
  for (std::int64_t r = 0; r < header.height; ++r) {
    const std::uint8_t* from = row_of(bytes, header, r);
    for (std::int64_t c = 0; c < header.width; ++c, to += 3, from += 3)
      std::reverse_copy(from, from + 3, to);
  }
  return pixels;
}

// Of red, green, blue and alpha.
std::array<Mask, 4> masks_of(ImageBytes bytes, const Header& header, const std::string& name) {
  if (header.compression == kRgb && header.bits == 16)
    return {Mask(0x7C00), Mask(0x03E0), Mask(0x001F), Mask(0)};
  if (header.compression == kRgb)
    return {Mask(0x00FF0000), Mask(0x0000FF00), Mask(0x000000FF), Mask(0xFF000000)};
  require(bytes.size() >= kFileHeader + 52, name, ": the BMP file is truncated");
  const auto mask = [&](std::size_t at) { return Mask(little_endian(bytes, at, 4)); };
  const std::array<Mask, 4> masks = {mask(54), mask(58), mask(62),
                                     header.size >= 56 ? mask(66) : Mask(0)};
  for (const Mask& one : masks)
    require(one.contiguous(), name, ": the BMP file's colour masks are corrupt");
  return masks;
}

// 16 and 32 bits. Many programs leave 0 where 32 bits without masks have room for alpha: if all are
// 0 it is none.
Tensor read_masked(ImageBytes bytes, const Header& header, const std::string& name) {
  const std::array<Mask, 4> masks = masks_of(bytes, header, name);
  const std::int64_t channels = masks[3].empty() ? 3 : 4;
  Tensor pixels = Tensor::empty({header.height, header.width, channels}, DType::uint8);
  std::uint8_t* to = pixels.mutable_data<std::uint8_t>();
  const std::size_t each = header.bits / 8;
  int alphas = 0;
  for (std::int64_t r = 0; r < header.height; ++r) {
    const std::uint8_t* from = row_of(bytes, header, r);
    for (std::int64_t c = 0; c < header.width; ++c, to += channels, from += each) {
      const std::uint32_t pixel = little_endian({from, each}, 0, each);
      for (std::size_t i = 0; i < static_cast<std::size_t>(channels); ++i)
        to[i] = masks[i].of(pixel);
      alphas |= to[channels - 1];
    }
  }
  std::uint8_t* const all = pixels.mutable_data<std::uint8_t>();
  if (channels == 4 && header.compression == kRgb && alphas == 0)
    for (std::int64_t i = 3; i < pixels.size(); i += 4) all[i] = 255;
  return pixels;
}

}  // namespace

DecodedImage decode_bmp(ImageBytes bytes, const std::string& name) {
  const Header header = read_header(bytes, name);
  if (header.bits <= 8) return {read_indexed(bytes, header, name), 1};
  if (header.bits == 24) return {read_24_bits(bytes, header), 1};
  return {read_masked(bytes, header, name), 1};
}

}  // namespace pliant
