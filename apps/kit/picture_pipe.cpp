#include <pliant/apps/kit/picture_pipe.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include <pliant/core/error.h>
#include <pliant/data/image_file.h>

namespace pliant::kit {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 29;  // of a picture, as of a file
constexpr std::string_view kPng = "\x89PNG\r\n\x1A\n";
// The codes of JPEG's markers, each behind a byte 0xFF.
constexpr std::uint8_t kMarker = 0xFF, kFirstRestart = 0xD0, kLastRestart = 0xD7, kStart = 0xD8,
                       kEnd = 0xD9, kScan = 0xDA, kTemporary = 0x01;

bool is_restart(std::uint8_t code) { return code >= kFirstRestart && code <= kLastRestart; }

}  // namespace

PicturePipe::PicturePipe(std::istream& stream, std::string name)
    : stream_(stream), name_(std::move(name)) {}

std::string PicturePipe::here() const { return text_from(name_, ", picture ", count_); }

std::uint8_t PicturePipe::take() {
  take(1);
  return bytes_.back();
}

void PicturePipe::take(std::size_t count) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;  // what is promised may not come
  require(bytes_.size() + count <= kMostBytes, here(), ": has more than ", kMostBytes,
          " bytes, expected a picture");
  while (count > 0) {
    const std::size_t before = bytes_.size(), piece = std::min(count, kPiece);
    bytes_.resize(before + piece);
    stream_.read(reinterpret_cast<char*>(bytes_.data() + before),
                 static_cast<std::streamsize>(piece));
    require(stream_.gcount() == static_cast<std::streamsize>(piece), here(),
            ": the stream ends within it, after ",
            before + static_cast<std::size_t>(stream_.gcount()), " bytes");
    count -= piece;
  }
}

std::size_t PicturePipe::number_here(std::size_t digits) const {
  std::size_t number = 0;
  for (std::size_t i = bytes_.size() - digits; i < bytes_.size(); ++i)
    number = number << 8 | bytes_[i];
  return number;
}

// Chunks, each a length, a type, so many bytes and a sum; the last is IEND.
void PicturePipe::take_png() {
  take(kPng.size() - bytes_.size());
  require(std::equal(kPng.begin(), kPng.end(), bytes_.begin(),
                     [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }),
          here(), ": begins as a PNG and goes on as none");
  constexpr std::size_t kIend = 0x49454E44;
  for (std::size_t type = 0; type != kIend;) {
    take(4);
    const std::size_t length = number_here(4);
    take(4);
    type = number_here(4);
    take(length + 4);
  }
}

// Segments, each a marker and a length with what it counts, thumbnails among it, and scans.
void PicturePipe::take_jpeg() {
  for (std::uint8_t code = kStart; code != kEnd;) {
    if (code == kScan) {
      take(2);
      take(std::max<std::size_t>(number_here(2), 2) - 2);
      code = take_jpeg_scan();
      continue;
    }
    if (code != kStart && code != kTemporary && !is_restart(code)) {
      take(2);
      take(std::max<std::size_t>(number_here(2), 2) - 2);
    }
    require(take() == kMarker, here(), ": a JPEG without a marker after ", bytes_.size() - 1,
            " bytes");
    do code = take();
    while (code == kMarker);
  }
}

// What is coded: 0xFF comes with a 0 behind it, or as a restart.
std::uint8_t PicturePipe::take_jpeg_scan() {
  for (;;) {
    if (take() != kMarker) continue;
    std::uint8_t code = kMarker;
    while (code == kMarker) code = take();
    if (code != 0 && !is_restart(code)) return code;
  }
}

// Three numbers apart, comments between them, one white space, and the pixels.
void PicturePipe::take_pnm() {
  std::size_t numbers[3] = {};
  for (std::size_t& number : numbers) {
    std::uint8_t byte = take();
    while (std::isspace(byte) != 0 || byte == '#') {
      while (byte == '#' && take() != '\n') {
      }
      byte = take();
    }
    for (; std::isdigit(byte) != 0; byte = take()) {
      number = 10 * number + (byte - std::size_t{'0'});
      require(number <= kMostBytes, here(), ": a PNM with a number of ", number,
              ", expected width, height and largest value");
    }
    require(std::isspace(byte) != 0 && number > 0, here(),
            ": a PNM without its width, height or largest value");
  }
  const auto& [width, height, white] = numbers;
  const std::size_t channels = bytes_[1] == '5' ? 1 : 3,
                    each = white > 255 ? 2 * channels : channels;
  require(width <= kMostBytes / height / each, here(), ": a PNM of ", width, " x ", height,
          " pixels, expected at most ", kMostBytes, " bytes");
  take(width * height * each);
}

std::optional<Tensor> PicturePipe::next() {
  bytes_.clear();
  if (stream_.peek() == std::istream::traits_type::eof()) return std::nullopt;
  ++count_;
  take(2);
  const std::uint8_t first = bytes_[0], second = bytes_[1];
  if (first == kMarker && second == kStart)
    take_jpeg();
  else if (first == static_cast<std::uint8_t>(kPng[0]) && second == 'P')
    take_png();
  else if (first == 'P' && (second == '5' || second == '6'))
    take_pnm();
  else
    fail(here(), ": begins as no picture does, expected PNG, JPEG, or binary PGM or PPM");
  return decode_image(bytes_, here(), ImageColour::rgb);
}

}  // namespace pliant::kit
