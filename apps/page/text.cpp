#include <pliant/apps/page/text.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/core/crc32.h>
#include <pliant/core/error.h>

namespace pliant::page {
namespace {

using Bytes = std::vector<std::uint8_t>;

void append_word(Bytes& to, std::uint32_t word) {
  for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<std::uint8_t>(word >> shift));
}

std::uint32_t adler32_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : bytes) {
    a = (a + byte) % 65521u;
    b = (b + a) % 65521u;
  }
  return b << 16 | a;
}

void append_chunk(Bytes& png, const char (&type)[5], const Bytes& data) {
  append_word(png, static_cast<std::uint32_t>(data.size()));
  Bytes checked(type, type + 4);
  checked.insert(checked.end(), data.begin(), data.end());
  png.insert(png.end(), checked.begin(), checked.end());
  append_word(png, crc32_of(checked.data(), checked.size()));
}

// A zlib stream of stored blocks: the pictures are too small for compression to matter.
Bytes stored(const Bytes& raw) {
  constexpr std::size_t kBlock = 65535;
  Bytes stream{0x78, 0x01};
  for (std::size_t at = 0; at < raw.size(); at += kBlock) {
    const std::size_t length = std::min(kBlock, raw.size() - at);
    stream.push_back(at + length == raw.size() ? 1 : 0);
    for (const std::size_t word : {length, ~length})
      for (const int shift : {0, 8}) stream.push_back(static_cast<std::uint8_t>(word >> shift));
    const auto from = raw.begin() + static_cast<std::ptrdiff_t>(at);
    stream.insert(stream.end(), from, from + static_cast<std::ptrdiff_t>(length));
  }
  append_word(stream, adler32_of(raw));
  return stream;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  return result;
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string base64(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i) word = word << 8 | (i < count ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= count ? kDigits[word >> (18 - 6 * i) & 63u] : '=';
  }
  return text;
}

std::string png_address(std::span<const std::uint8_t> pixels, std::int64_t width,
                        std::int64_t channels) {
  require(channels == 1 || channels == 3, "png: ", channels, " channels, expected 1 or 3");
  const auto bytes = static_cast<std::size_t>(width * channels);  // of a row
  require(width > 0 && !pixels.empty() && pixels.size() % bytes == 0, "png: ", pixels.size(),
          " bytes do not make rows of ", width, " pixels of ", channels);
  const std::uint8_t colours = channels == 1 ? 0 : 2;
  Bytes header, rows;
  append_word(header, static_cast<std::uint32_t>(width));
  append_word(header, static_cast<std::uint32_t>(pixels.size() / bytes));
  header.insert(header.end(), {8, colours, 0, 0, 0});  // of 8 bits, no interlacing
  for (std::size_t at = 0; at < pixels.size(); at += bytes) {
    rows.push_back(0);  // no filter
    const auto row = pixels.subspan(at, bytes);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  Bytes png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", stored(rows));
  append_chunk(png, "IEND", {});
  return "data:image/png;base64," + base64(png);
}

std::string png_address(std::span<const float> grey, std::int64_t width) {
  Bytes bytes;
  bytes.reserve(grey.size());
  for (const float value : grey)
    bytes.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * 255)));
  return png_address(bytes, width);
}

}  // namespace pliant::page
