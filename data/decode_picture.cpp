#include <pliant/data/decode_picture.h>

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <pliant/core/error.h>

namespace {

// stb_image sizes what it inflates by the stream, not by the picture: this bounds each block.
thread_local std::size_t block_limit = 0;

// stb_image is C: it wants malloc's kin.
void* limited_realloc(void* block, std::size_t size) {
  return size <= block_limit ? std::realloc(block, size) : nullptr;  // NOLINT(*-no-malloc)
}
void* limited_malloc(std::size_t size) { return limited_realloc(nullptr, size); }
void release(void* block) { std::free(block); }  // NOLINT(*-no-malloc)

}  // namespace

// Static, so that a program with a stb_image of its own can link this library.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_MALLOC limited_malloc
#define STBI_REALLOC limited_realloc
#define STBI_FREE release
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace pliant {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kPngMark = "\x89PNG\r\n\x1A\n", kJpegMark = "\xFF\xD8\xFF",
                           kBmpMark = "BM";

bool begins_with(Bytes bytes, std::string_view mark) {
  return bytes.size() >= mark.size() &&
         std::equal(mark.begin(), mark.end(), bytes.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// The number of `count` bytes that stands at `at`, which must be inside.
std::uint32_t big_endian(Bytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}

std::uint32_t little_endian(Bytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

// Every chunk is there and has its checksum, up to IEND. stb_image checks neither.
void check_png(Bytes bytes, const std::string& name) {
  for (std::size_t at = kPngMark.size();;) {
    require(bytes.size() - at >= 12, name, ": the PNG file is truncated");
    const std::size_t size = big_endian(bytes, at, 4);
    require(bytes.size() - at - 12 >= size, name, ": the PNG file is truncated");
    const auto crc = static_cast<std::uint32_t>(crc32_z(0, bytes.data() + at + 4, size + 4));
    require(crc == big_endian(bytes, at + 8 + size, 4), name,
            ": the PNG file is corrupt (a chunk's checksum is wrong)");
    if (begins_with(bytes.subspan(at + 4), "IEND")) return;
    at += 12 + size;
  }
}

// The content of a DHT segment: up to 256 codes a table. stb_image 2.27 takes more, and writes them
// past its own table.
void check_huffman_tables(Bytes segment, const std::string& name) {
  for (std::size_t at = 0; at < segment.size();) {
    std::size_t codes = 0;
    for (std::size_t i = at + 1; i < std::min(at + 17, segment.size()); ++i) codes += segment[i];
    at += 17 + codes;
    require(codes <= 256 && at <= segment.size(), name,
            ": the JPEG file is corrupt (a Huffman table)");
  }
}

// Every segment is there, up to the end marker. stb_image fills in gray for what is missing.
void check_jpeg(Bytes bytes, const std::string& name) {
  std::size_t at = 2;
  const auto need = [&](std::size_t count) {
    require(bytes.size() - at >= count, name, ": the JPEG file is truncated");
  };
  for (;;) {
    need(2);
    const int marker = bytes[at] == 0xFF ? bytes[at + 1] : -1;
    if (marker == 0xD9) return;
    if (marker >= 0xC0 && marker != 0xFF && (marker < 0xD0 || marker > 0xD7)) {
      at += 2;
      need(2);
      const std::size_t size = big_endian(bytes, at, 2);
      need(size);
      require(size >= 2, name, ": the JPEG file is corrupt (a segment's size)");
      if (marker == 0xC4) check_huffman_tables(bytes.subspan(at + 2, size - 2), name);
      at += size;
    } else {
      ++at;  // compressed data, a stuffed or a filling byte, a restart
    }
  }
}

// stb_image takes zeros for what is missing.
void check_bmp(Bytes bytes, const std::string& name) {
  require(bytes.size() >= 30, name, ": the BMP file is truncated");
  const bool old = little_endian(bytes, 14, 4) == 12;  // OS/2's header: 16 bits each
  const std::size_t word = old ? 2 : 4, bits_at = old ? 24 : 28;
  const auto magnitude = [&](std::uint32_t v) -> std::uint64_t {
    return !old && v >> 31 != 0 ? std::uint64_t{1} + ~v : v;  // a negative height: top row first
  };
  const std::uint64_t width = magnitude(little_endian(bytes, 18, word));
  const std::uint64_t height = magnitude(little_endian(bytes, 18 + word, word));
  const std::uint64_t row = (width * little_endian(bytes, bits_at, 2) + 31) / 32 * 4;
  const std::uint64_t start = little_endian(bytes, 10, 4);
  require(bytes.size() >= start && (row == 0 || (bytes.size() - start) / row >= height), name,
          ": the BMP file is truncated");
}

void check_complete(Bytes bytes, const std::string& name) {
  if (begins_with(bytes, kPngMark)) {
    check_png(bytes, name);
  } else if (begins_with(bytes, kJpegMark)) {
    check_jpeg(bytes, name);
  } else {
    check_bmp(bytes, name);
  }
}

}  // namespace

bool is_decodable_picture(Bytes bytes) {
  return begins_with(bytes, kPngMark) || begins_with(bytes, kJpegMark) ||
         begins_with(bytes, kBmpMark);
}

Tensor decode_picture(Bytes bytes, std::int64_t max_pixels, const std::string& name) {
  check_complete(bytes, name);
  block_limit = std::size_t{1} << 20;  // enough for every header
  const int size = static_cast<int>(bytes.size());
  int width = 0, height = 0, channels = 0;
  require(bytes.size() == static_cast<std::size_t>(size) && size > 0 &&
              stbi_info_from_memory(bytes.data(), size, &width, &height, &channels) == 1 &&
              width > 0 && height > 0,
          name, ": the picture's header is corrupt or of a kind that is not read");
  const std::int64_t pixels = std::int64_t{width} * height;
  require(pixels <= max_pixels, name, ": the picture is ", width, " x ", height,
          " pixels, expected at most ", max_pixels, " in all");

  // Four channels of 16 bits, twice: a buffer that turns out too small is doubled.
  block_limit += static_cast<std::size_t>(pixels) * 16;
  const std::shared_ptr<void> memory(
      stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 0), release);
  require(memory != nullptr, name, ": the picture is corrupt or of a kind that is not read (",
          stbi_failure_reason(), ")");
  return Tensor::wrap(static_cast<std::uint8_t*>(memory.get()), {height, width, channels}, memory);
}

}  // namespace pliant
