#include <pliant/data/picture.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/data/byte_reader.h>
#include <pliant/data/decode_picture.h>

namespace pliant {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 26;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 29;  // 2^26 pixels of 8 bytes, uncompressed
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

using Bytes = std::vector<std::uint8_t>;

Bytes read_file(const std::filesystem::path& path) {
  ByteReader reader(path);
  Bytes bytes;
  for (std::size_t used = 0;;) {
    bytes.resize(used + kChunkBytes);
    const std::size_t got = reader.read(bytes.data() + used, kChunkBytes);
    used += got;
    require(used <= kMaxFileBytes, path.string(), ": larger than ", kMaxFileBytes,
            " bytes, too large for a picture");
    if (got < kChunkBytes) {
      bytes.resize(used);
      return bytes;
    }
  }
}

// The numbers of a PNM header: separated by white space and by comments that # begins.
class PnmHeader {
 public:
  PnmHeader(const Bytes& bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  // The next number, 1 to `most`.
  std::int64_t number(const char* what, std::int64_t most) {
    while (std::isspace(peek()) != 0 || peek() == '#') {
      if (peek() == '#')
        while (peek() >= 0 && peek() != '\n') ++at_;
      else
        ++at_;
    }
    std::int64_t value = 0;
    for (; std::isdigit(peek()) != 0 && value <= most; ++at_) value = 10 * value + peek() - '0';
    require(value >= 1 && value <= most, name_, ": the PNM header's ", what,
            " is missing or not 1 to ", most);
    return value;
  }
  // Where the pixels begin: after one white space.
  std::size_t end() const { return at_ + 1; }

 private:
  int peek() const { return at_ < bytes_.size() ? bytes_[at_] : -1; }

  const Bytes& bytes_;
  const std::string& name_;
  std::size_t at_ = 2;
};

bool is_pnm(const Bytes& bytes) {
  return bytes.size() >= 3 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6') &&
         (std::isspace(bytes[2]) != 0 || bytes[2] == '#');
}

// uint8 [H W 1] or [H W 3]; the format: https://netpbm.sourceforge.net/doc/pgm.html.
Tensor decode_pnm(const Bytes& bytes, const std::string& name) {
  PnmHeader header(bytes, name);
  const std::int64_t width = header.number("width", kMaxPixels);
  const std::int64_t height = header.number("height", kMaxPixels);
  const std::int64_t white = header.number("largest value", 65535);
  require(width <= kMaxPixels / height, name, ": the picture is ", width, " x ", height,
          " pixels, expected at most ", kMaxPixels, " in all");
  const std::int64_t channels = bytes[1] == '5' ? 1 : 3, each = white > 255 ? 2 : 1;
  const std::int64_t count = width * height * channels;
  require(bytes.size() >= header.end() + static_cast<std::size_t>(count * each), name,
          ": the PNM file is truncated");
  Tensor pixels = Tensor::empty({height, width, channels}, DType::uint8);
  std::uint8_t* const to = pixels.mutable_data<std::uint8_t>();
  const std::uint8_t* const from = bytes.data() + header.end();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t value = each == 1 ? from[i] : from[2 * i] << 8 | from[2 * i + 1];
    to[i] =
        static_cast<std::uint8_t>(std::min<std::int64_t>(255, (255 * value + white / 2) / white));
  }
  return pixels;
}

int luma(const std::uint8_t* rgb) {  // ITU-R BT.601
  return (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8;
}

// pixels [H W C] -> uint8 [H W 1], over `backdrop` where there is alpha.
Tensor to_gray(const Tensor& pixels, int backdrop) {
  const std::int64_t channels = pixels.dim(2);
  Tensor gray = Tensor::empty({pixels.dim(0), pixels.dim(1), 1}, DType::uint8);
  std::uint8_t* const to = gray.mutable_data<std::uint8_t>();
  const std::uint8_t* from = pixels.data<std::uint8_t>();
  for (std::int64_t i = 0; i < gray.size(); ++i, from += channels) {
    int value = channels >= 3 ? luma(from) : from[0];
    if (channels % 2 == 0) {
      const int alpha = from[channels - 1];
      value = (value * alpha + backdrop * (255 - alpha) + 127) / 255;
    }
    to[i] = static_cast<std::uint8_t>(value);
  }
  return gray;
}

bool is_even(const Tensor& gray) {
  const auto [low, high] = std::ranges::minmax(gray.span<std::uint8_t>());
  return low == high;
}

}  // namespace

Tensor read_picture(const std::filesystem::path& path) {
  const std::string name = path.string();
  const Bytes bytes = read_file(path);
  require(!bytes.empty(), name, ": the file is empty");
  require(is_pnm(bytes) || is_decodable_picture(bytes), name,
          ": not a picture, expected PNG, JPEG, BMP, or binary PGM or PPM");
  const Tensor pixels =
      is_pnm(bytes) ? decode_pnm(bytes, name) : decode_picture(bytes, kMaxPixels, name);
  Tensor gray = to_gray(pixels, 255);
  if (pixels.dim(2) % 2 == 0 && is_even(gray)) gray = to_gray(pixels, 0);
  return gray;
}

}  // namespace pliant
