// Binary PGM and PPM: https://netpbm.sourceforge.net/doc/pgm.html.
#include <algorithm>
#include <cctype>

#include <pliant/data/internal/image_decoders.h>

namespace pliant {
namespace {

// The numbers of a PNM header: separated by white space and by comments that # begins.
class PnmHeader {
 public:
  PnmHeader(ImageBytes bytes, const std::string& name) : bytes_(bytes), name_(name) {}

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

  ImageBytes bytes_;
  const std::string& name_;
  std::size_t at_ = 2;
};

}  // namespace

DecodedImage decode_pnm(ImageBytes bytes, const std::string& name) {
  PnmHeader header(bytes, name);
  const std::int64_t width = header.number("width", kMaxImagePixels);
  const std::int64_t height = header.number("height", kMaxImagePixels);
  const std::int64_t white = header.number("largest value", 65535);
  check_image_size(name, width, height);
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
  return {pixels, 1};
}

}  // namespace pliant
