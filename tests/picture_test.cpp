#include <algorithm>
#include <array>
#include <cstring>

#include <pliant/data/digit_picture.h>
#include <pliant/data/digits.h>
#include <pliant/data/picture.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

void append(Bytes& bytes, std::uint32_t value, int count = 4) {  // big-endian
  for (int i = count; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_little(Bytes& bytes, std::uint32_t value, int count = 4) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_chunk(Bytes& png, const char* type, const Bytes& content) {
  append(png, static_cast<std::uint32_t>(content.size()));
  Bytes body(type, type + 4);
  body.insert(body.end(), content.begin(), content.end());
  png.insert(png.end(), body.begin(), body.end());
  append(png, static_cast<std::uint32_t>(crc32_z(0, body.data(), body.size())));
}

enum ColourType : std::uint8_t { gray = 0, rgb = 2, gray_alpha = 4, rgb_alpha = 6 };

// `samples` are rows of pixels as PNG has them, without the filter byte that begins each row.
Bytes png(std::uint32_t width, std::uint32_t height, ColourType colour, std::uint8_t depth,
          const Bytes& samples) {
  Bytes bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, header, rows;
  append(header, width);
  append(header, height);
  header.insert(header.end(), {depth, colour, 0, 0, 0});
  append_chunk(bytes, "IHDR", header);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i % (samples.size() / height) == 0) rows.push_back(0);
    rows.push_back(samples[i]);
  }
  uLongf size = compressBound(rows.size());
  Bytes packed(size);
  REQUIRE(compress(packed.data(), &size, rows.data(), rows.size()) == Z_OK);
  packed.resize(size);
  append_chunk(bytes, "IDAT", packed);
  append_chunk(bytes, "IEND", {});
  return bytes;
}

// 24 bits, bottom row first, rows of gray pixels padded to 4 bytes.
Bytes bmp(std::uint32_t width, std::uint32_t height, const Bytes& grays) {
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

Bytes text(const std::string& characters, const Bytes& rest = {}) {
  Bytes bytes(characters.begin(), characters.end());
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

// 8 x 8 gray, one block of value 128 + dc/8: a baseline JPEG with Huffman tables of a single code.
Bytes jpeg() {
  Bytes bytes = {0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0};
  bytes.insert(bytes.end(), 64, 1);
  const Bytes frame = {0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0};
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  for (const std::uint8_t table :
       Bytes{0x00, 0x10}) {  // DC: one code, 10 bits follow; AC: end of block
    bytes.insert(bytes.end(), {0xFF, 0xC4, 0, 20, table, 1});
    bytes.insert(bytes.end(), 15, 0);
    bytes.push_back(table == 0 ? 10 : 0);
  }
  const Bytes scan = {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0};
  bytes.insert(bytes.end(), scan.begin(), scan.end());
  // 0, then 1000000000 = 512 (dc: 512 / 8 = 64 above 128), then 0, and ones to fill.
  bytes.insert(bytes.end(), {0b01000000, 0b00001111, 0xFF, 0xD9});
  return bytes;
}

Bytes pixels_of(const Tensor& picture) {
  const auto span = picture.span<std::uint8_t>();
  return {span.begin(), span.end()};
}

Bytes read(const TemporaryFolder& folder, const Bytes& file) {
  return pixels_of(read_picture(folder.write("picture", file)));
}

std::string error_in(const TemporaryFolder& folder, const Bytes& file) {
  const std::filesystem::path path = folder.write("bad", file);
  return error_of([&] { read_picture(path); });
}

const Bytes kGrays = {0, 10, 200, 255, 77, 128};  // 3 wide, 2 high

}  // namespace

TEST_CASE("picture: every format gives the same grays") {
  const TemporaryFolder folder;
  CHECK(read_picture(folder.write("a.png", png(3, 2, gray, 8, kGrays))).shape() == Shape{2, 3, 1});
  CHECK(read(folder, png(3, 2, gray, 8, kGrays)) == kGrays);
  CHECK(read(folder, text("P5\n# made by hand\n3 2 255\n", kGrays)) == kGrays);
  CHECK(read(folder, bmp(3, 2, kGrays)) == kGrays);
  Bytes wide, triple;
  for (const std::uint8_t v : kGrays) {
    wide.insert(wide.end(), {v, 0x12});
    triple.insert(triple.end(), 3, v);
  }
  CHECK(read(folder, png(3, 2, gray, 16, wide)) == kGrays);
  CHECK(read(folder, png(3, 2, rgb, 8, triple)) == kGrays);
  CHECK(read(folder, text("P6 3 2 255\n", triple)) == kGrays);
  CHECK(read(folder, text("P5 2 1 15\n", {0, 15})) == Bytes{0, 255});
  CHECK(read(folder, text("P5 2 1 65535\n", {0xFF, 0xFF, 0x80, 0x80})) == Bytes{255, 128});
  CHECK(read(folder, jpeg()) == Bytes(64, 192));
}

TEST_CASE("picture: colours by their luma, what is transparent over white") {
  const TemporaryFolder folder;
  CHECK(read(folder, png(3, 1, rgb, 8, {255, 0, 0, 0, 255, 0, 0, 0, 255})) == Bytes{77, 149, 29});
  CHECK(read(folder, png(3, 1, gray_alpha, 8, {0, 255, 0, 0, 0, 128})) == Bytes{0, 255, 127});
  CHECK(read(folder, png(2, 1, rgb_alpha, 8, {9, 9, 9, 0, 9, 9, 9, 255})) == Bytes{255, 9});
  // White on nothing: over white it would vanish.
  CHECK(read(folder, png(2, 1, gray_alpha, 8, {255, 0, 255, 255})) == Bytes{0, 255});
}

TEST_CASE("picture: files that are none, and what their Errors say") {
  const TemporaryFolder folder;
  CHECK(contains(error_of([&] { read_picture(folder.path() / "none.png"); }), "none.png"));
  CHECK(contains(error_of([&] { read_picture(folder.path()); }), "directory"));
  CHECK(contains(error_in(folder, {}), "bad: the file is empty"));
  CHECK(contains(error_in(folder, text("GIF89a")), "bad: not a picture, expected PNG, JPEG"));
  CHECK(contains(error_in(folder, text("P2 1 1 255\n7")), "not a picture"));
  CHECK(contains(error_in(folder, text("P5 0 4 255\n")), "width"));
  CHECK(contains(error_in(folder, text("P5 4 4 99999\n")), "largest value"));
  Bytes changed = png(3, 2, gray, 8, kGrays);
  changed[changed.size() - 22] ^= 1;  // inside IDAT
  CHECK(contains(error_in(folder, changed), "checksum"));
}

TEST_CASE("picture: cut off anywhere, it is an Error of one line") {
  const TemporaryFolder folder;
  for (const Bytes& whole :
       {png(3, 2, gray, 8, kGrays), bmp(3, 2, kGrays), jpeg(), text("P5 3 2 255\n", kGrays)}) {
    REQUIRE(error_in(folder, whole).empty());
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string error =
          error_in(folder, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
      CHECK_MESSAGE(contains(error, "bad: "), int(whole[1]), " cut at ", size);
      CHECK(!contains(error, "\n"));
    }
  }
}

TEST_CASE("picture: headers that promise too much are refused before memory is taken") {
  const TemporaryFolder folder;
  CHECK(contains(error_in(folder, png(100000, 1000, gray, 8, Bytes(1000))), "at most 67108864"));
  CHECK(contains(error_in(folder, text("P5 60000 60000 255\n")), "at most 67108864"));
  CHECK(contains(error_in(folder, text("P5 60000 1000 255\n")), "truncated"));
  CHECK(contains(error_in(folder, bmp(0x7FFFFFFF, 0, {})), "bad: "));
  // A small picture whose data inflate to 64 MB: refused or read, never kept whole.
  CHECK(contains(error_in(folder, png(1, 1, gray, 8, Bytes(std::size_t{64} << 20))), "bad: "));
}

TEST_CASE("picture: random bytes in and after a good beginning do no harm") {
  const TemporaryFolder folder;
  const std::array<Bytes, 4> good = {png(3, 2, gray, 8, kGrays), bmp(3, 2, kGrays), jpeg(),
                                     text("P6 1 2 255\n", kGrays)};
  int refused = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Rng rng = Rng(5).fork(i);
    Bytes bytes = good[i % good.size()];
    const std::size_t changes = 1 + rng.below(0, 12);
    for (std::size_t k = 0; k < changes; ++k)
      bytes[2 + rng.below(3 * k + 1, bytes.size() - 2)] =
          static_cast<std::uint8_t>(rng.below(3 * k + 2, 256));
    refused += error_in(folder, bytes).empty() ? 0 : 1;
    Bytes noise(rng.below(90, 400));
    for (std::size_t k = 0; k < noise.size(); ++k)
      noise[k] = static_cast<std::uint8_t>(rng.below(100 + k, 256));
    CHECK(!error_in(folder, noise).empty());
  }
  CHECK(refused > 30);
  CHECK(refused < 300);  // a changed pixel of a BMP or a PPM is no error
}
