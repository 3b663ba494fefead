// Image files, byte by byte, for tests: also those that no program writes.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>

#include <pliant/core/tensor.h>
#include <pliant/tests/data_files.h>

namespace pliant::test {

inline Bytes pixels_of(const Tensor& image) {
  const auto span = image.span<std::uint8_t>();
  return {span.begin(), span.end()};
}

inline void append(Bytes& bytes, std::uint32_t value, int count = 4) {  // big-endian
  for (int i = count; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

inline void append_little(Bytes& bytes, std::uint32_t value, int count = 4) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

inline void append_chunk(Bytes& png, const char* type, const Bytes& content) {
  append(png, static_cast<std::uint32_t>(content.size()));
  Bytes body(type, type + 4);
  body.insert(body.end(), content.begin(), content.end());
  png.insert(png.end(), body.begin(), body.end());
  append(png, static_cast<std::uint32_t>(crc32_z(0, body.data(), body.size())));
}

enum ColourType : std::uint8_t { gray = 0, rgb = 2, palette = 3, gray_alpha = 4, rgb_alpha = 6 };

// A chunk that stands before the pixels.
struct Chunk {
  const char* type = nullptr;
  Bytes content;
};

// `rows` are as PNG packs them: each begins with its filter byte.
inline Bytes png_of_rows(const Bytes& header, const Bytes& rows, const Chunk& extra) {
  Bytes bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  append_chunk(bytes, "IHDR", header);
  if (extra.type != nullptr) append_chunk(bytes, extra.type, extra.content);
  uLongf size = compressBound(rows.size());
  Bytes packed(size);
  REQUIRE(compress(packed.data(), &size, rows.data(), rows.size()) == Z_OK);
  packed.resize(size);
  append_chunk(bytes, "IDAT", packed);
  append_chunk(bytes, "IEND", {});
  return bytes;
}

inline Bytes png_header(std::uint32_t width, std::uint32_t height, const Bytes& rest) {
  Bytes header;
  append(header, width);
  append(header, height);
  header.insert(header.end(), rest.begin(), rest.end());
  return header;
}

// `samples` are rows of pixels as PNG has them, without the filter byte that begins each row.
inline Bytes png(std::uint32_t width, std::uint32_t height, ColourType colour, std::uint8_t depth,
                 const Bytes& samples, const Chunk& extra = {}) {
  Bytes rows;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i % (samples.size() / height) == 0) rows.push_back(0);
    rows.push_back(samples[i]);
  }
  return png_of_rows(png_header(width, height, {depth, colour, 0, 0, 0}), rows, extra);
}

// TIFF's header, then a directory of two entries: the maker's name, the orientation.
inline Bytes exif(std::uint32_t orientation, bool little) {
  Bytes bytes = little ? Bytes{'I', 'I', '*', 0} : Bytes{'M', 'M', 0, '*'};
  const auto add = [&](std::uint32_t value, int count) {
    (little ? append_little : append)(bytes, value, count);
  };
  add(8, 4);
  add(2, 2);
  for (const auto& [tag, type] : {std::pair{0x010FU, 2U}, {0x0112U, 3U}}) {
    add(tag, 2);
    add(type, 2);
    add(1, 4);
    add(tag == 0x0112 ? orientation : 'x', 2);
    add(0, 2);
  }
  add(0, 4);
  return bytes;
}

// 24 bits, bottom row first, rows of gray pixels padded to 4 bytes.
inline Bytes bmp(std::uint32_t width, std::uint32_t height, const Bytes& grays) {
  Bytes bytes = {'B', 'M'};
  const std::uint32_t row = (3 * width + 3) / 4 * 4;
  for (const std::uint32_t word : {54 + row * height, 0U, 54U, 40U, width, height})
    append_little(bytes, word);
  append_little(bytes, 1, 2);
  append_little(bytes, 24, 2);
  bytes.resize(54);
  for (std::uint32_t r = height; r-- > 0;) {
    for (std::uint32_t c = 0; c < width; ++c) bytes.insert(bytes.end(), 3, grays[r * width + c]);
    bytes.insert(bytes.end(), row - 3 * width, 0);
  }
  return bytes;
}

inline Bytes text(const std::string& characters, const Bytes& rest = {}) {
  Bytes bytes(characters.begin(), characters.end());
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

// The content of a JPEG's segment APP1 with that orientation.
inline Bytes exif_segment(std::uint32_t orientation, bool little) {
  return text(std::string("Exif\0\0", 6), exif(orientation, little));
}

// 16 x 8 gray, blocks of value 128 + dc/8, 192 and 64: a baseline JPEG with Huffman tables of a
// single code. `app1`, if there is any, is the content of a segment APP1.
inline Bytes jpeg(const Bytes& app1 = {}) {
  Bytes bytes = {0xFF, 0xD8};
  if (!app1.empty()) {
    append(bytes, 0xFFE1, 2);
    append(bytes, static_cast<std::uint32_t>(app1.size() + 2), 2);
    bytes.insert(bytes.end(), app1.begin(), app1.end());
  }
  bytes.insert(bytes.end(), {0xFF, 0xDB, 0, 67, 0});
  bytes.insert(bytes.end(), 64, 1);
  const Bytes frame = {0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0};
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  for (const std::uint8_t table :
       Bytes{0x00, 0x10}) {  // DC: one code, 10 bits follow; AC: end of block
    bytes.insert(bytes.end(), {0xFF, 0xC4, 0, 20, table, 1});
    bytes.insert(bytes.end(), 15, 0);
    bytes.push_back(table == 0 ? 10 : 0);
  }
  const Bytes scan = {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0};
  bytes.insert(bytes.end(), scan.begin(), scan.end());
  // 0, then 1000000000 = 512 (dc: 512 / 8 = 64 above 128), then 0; 0, then 0000000000 = -1023 (the
  // difference), then 0.
  bytes.insert(bytes.end(), {0b01000000, 0, 0, 0xFF, 0xD9});
  return bytes;
}

}  // namespace pliant::test
