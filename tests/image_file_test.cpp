#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include <pliant/data/digit_image.h>
#include <pliant/data/digits.h>
#include <pliant/data/image_file.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Bytes read(const TemporaryFolder& folder, const Bytes& file) {
  return pixels_of(read_image(folder.write("image", file)));
}

std::string error_in(const TemporaryFolder& folder, const Bytes& file) {
  const std::filesystem::path path = folder.write("bad", file);
  return error_of([&] { read_image(path); });
}

const Bytes kGrays = {0, 10, 200, 255, 77, 128};  // 3 wide, 2 high

}  // namespace

TEST_CASE("image_file: every format gives the same grays") {
  const TemporaryFolder folder;
  CHECK(read_image(folder.write("a.png", png(3, 2, gray, 8, kGrays))).shape() == Shape{2, 3, 1});
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
  const Bytes blocks = read(folder, jpeg());
  CHECK(blocks.size() == 128);
  CHECK(std::count(blocks.begin(), blocks.end(), 192) == 64);
  CHECK(std::count(blocks.begin(), blocks.end(), 64) == 64);
}

TEST_CASE("image_file: colours by their luma, what is transparent over white") {
  const TemporaryFolder folder;
  CHECK(read(folder, png(3, 1, rgb, 8, {255, 0, 0, 0, 255, 0, 0, 0, 255})) == Bytes{77, 149, 29});
  CHECK(read(folder, png(3, 1, gray_alpha, 8, {0, 255, 0, 0, 0, 128})) == Bytes{0, 255, 127});
  CHECK(read(folder, png(2, 1, rgb_alpha, 8, {9, 9, 9, 0, 9, 9, 9, 255})) == Bytes{255, 9});
  // White on nothing: over white it would vanish.
  CHECK(read(folder, png(2, 1, gray_alpha, 8, {255, 0, 255, 255})) == Bytes{0, 255});
}

TEST_CASE("image_file: in colour, three channels whatever the file has") {
  const TemporaryFolder folder;
  const auto colours = [&](const Bytes& file) {
    const Tensor image = read_image(folder.write("image", file), ImageColour::rgb);
    CHECK(image.dim(2) == 3);
    return pixels_of(image);
  };
  CHECK(colours(png(2, 1, rgb, 8, {1, 2, 3, 4, 5, 6})) == Bytes{1, 2, 3, 4, 5, 6});
  CHECK(colours(png(2, 1, gray, 8, {7, 9})) == Bytes{7, 7, 7, 9, 9, 9});
  CHECK(colours(png(2, 1, rgb_alpha, 8, {1, 2, 3, 0, 1, 2, 3, 255})) ==
        Bytes{255, 255, 255, 1, 2, 3});
  // White on nothing, as in gray.
  CHECK(colours(png(2, 1, gray_alpha, 8, {255, 0, 255, 255})) == Bytes{0, 0, 0, 255, 255, 255});
}

TEST_CASE("image_file: a PNG's index beyond its palette is black") {
  const TemporaryFolder folder;
  const Chunk two = {"PLTE", {10, 20, 30, 40, 50, 60}};
  const Bytes colours = {10, 20, 30, 40, 50, 60, 0, 0, 0, 0, 0, 0};
  for (const Bytes& file :
       {png(4, 1, palette, 8, {0, 1, 2, 255}, two), png(4, 1, palette, 2, {0b00'01'10'11}, two)})
    CHECK(pixels_of(read_image(folder.write("image", file), ImageColour::rgb)) == colours);
}

TEST_CASE("image_file: interlaced PNG") {
  const TemporaryFolder folder;
  // Adam7 of 3 x 2: the corner, then column 2, then column 1, then the second row.
  const Bytes rows = {0, 0, 0, 200, 0, 10, 0, 255, 77, 128};
  CHECK(read(folder, png_of_rows(png_header(3, 2, {8, gray, 0, 0, 1}), rows, {})) == kGrays);
}

TEST_CASE("image_file: EXIF's orientation is followed, in PNG and JPEG, in either byte order") {
  const TemporaryFolder folder;
  // Where the six pixels 0 to 5 of a 3 x 2 image lie upright, by the orientation that is noted.
  const std::array<Bytes, 8> upright = {{{0, 1, 2, 3, 4, 5},
                                         {2, 1, 0, 5, 4, 3},
                                         {5, 4, 3, 2, 1, 0},
                                         {3, 4, 5, 0, 1, 2},
                                         {0, 3, 1, 4, 2, 5},
                                         {3, 0, 4, 1, 5, 2},
                                         {5, 2, 4, 1, 3, 0},
                                         {2, 5, 1, 4, 0, 3}}};
  for (std::uint32_t orientation = 0; orientation <= 9; ++orientation) {
    CAPTURE(orientation);
    const bool little = orientation % 2 == 0, known = orientation >= 1 && orientation <= 8;
    const Chunk note = {"eXIf", exif(orientation, little)};
    const Tensor image =
        read_image(folder.write("image", png(3, 2, gray, 8, {0, 1, 2, 3, 4, 5}, note)));
    CHECK(pixels_of(image) == upright[known ? orientation - 1 : 0]);
    CHECK(image.dim(0) == (known && orientation >= 5 ? 3 : 2));
    const Bytes app1 = exif_segment(orientation, little);
    const Tensor photo = read_image(folder.write("photo", jpeg(app1)));
    CHECK(photo.dim(0) == (known && orientation >= 5 ? 16 : 8));
    const bool light_first =
        orientation != 2 && orientation != 3 && orientation != 7 && orientation != 8;
    CHECK(pixels_of(photo)[0] == (light_first ? 192 : 64));
    for (auto end = app1.end(); end != app1.begin(); --end)  // cut anywhere, it does no harm
      CHECK(error_in(folder, jpeg({app1.begin(), std::prev(end)})).empty());
  }
}

TEST_CASE("image_file: an EXIF directory that lies about its place or its size does no harm") {
  const TemporaryFolder folder;
  for (std::size_t at = 4; at < 10; ++at)
    for (const std::uint8_t value : Bytes{0x00, 0x01, 0x7F, 0xFF}) {
      Bytes data = exif(6, at % 2 == 0);
      data[at] = value;
      CHECK(error_in(folder, png(3, 2, gray, 8, kGrays, {"eXIf", data})).empty());
    }
}

TEST_CASE("image_file: kinds of files, against another program's reading") {
  const std::filesystem::path folder = std::filesystem::path(PLIANT_SOURCE_DIR) / "tests/images";
  for (const char* name :
       {"progressive.jpg", "cmyk.jpg", "restart.jpg", "on_its_side.jpg", "palette.png",
        "transparent_palette.png", "bits.png", "deep.png", "palette.bmp", "bits.bmp"}) {
    CAPTURE(name);
    const Tensor got = read_image(folder / name);
    const Tensor want = read_image((folder / name).replace_extension(".pgm"));
    REQUIRE(got.shape() == want.shape());
    // Decoders of JPEG may round differently.
    CHECK(max_difference(got.to(DType::float32), want.to(DType::float32)) <=
          (std::string(name).ends_with(".jpg") ? 3 : 0));
  }
}

TEST_CASE("image_file: a JPEG's tables must be in the file") {
  const std::filesystem::path folder = std::filesystem::path(PLIANT_SOURCE_DIR) / "tests/images";
  for (const char* name : {"without_tables.jpg", "component_without_table.jpg"}) {
    const std::string error = error_of([&] { read_image(folder / name); });
    CHECK(contains(error, std::string(name) + ": the JPEG file cannot be read: "));
    CHECK(!contains(error, "\n"));
  }
  // Not even a table of the standard's example is taken for one that is missing: these data mean
  // something under it.
  const TemporaryFolder temporary;
  Bytes bytes = jpeg();
  const Bytes mark = {0xFF, 0xC4};
  const auto first = std::search(bytes.begin(), bytes.end(), mark.begin(), mark.end());
  bytes.erase(first, first + 2 * 22);
  CHECK(contains(error_in(temporary, bytes), "Huffman"));
}

TEST_CASE("image_file: an Error is one printable line, whatever the file holds") {
  const TemporaryFolder folder;
  for (const char* type : {"A\x1b\n\x7f", "CgBI", "\xc3\x28\xff\x01"}) {
    const std::string error = error_in(folder, png(3, 2, gray, 8, kGrays, {type, {1, 2}}));
    CHECK(contains(error, "bad: the PNG file cannot be read: "));
    const std::string said = error.substr(error.find("bad: "));
    CHECK(std::all_of(said.begin(), said.end(), [](char c) { return c >= 0x20 && c <= 0x7E; }));
  }
}

TEST_CASE("image_file: BMP of every depth") {
  const TemporaryFolder folder;
  // One row of two pixels; `rest` are the masks or the palette.
  const auto row = [](std::uint32_t bits, std::uint32_t kind, const Bytes& rest,
                      const Bytes& data) {
    Bytes bytes = {'B', 'M'};
    const auto start = static_cast<std::uint32_t>(54 + rest.size());
    for (const std::uint32_t word : {0U, 0U, start, 40U, 2U, 1U}) append_little(bytes, word);
    append_little(bytes, 1, 2);
    append_little(bytes, bits, 2);
    for (const std::uint32_t word : {kind, 0U, 0U, 0U, 0U, 0U}) append_little(bytes, word);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
  };
  const Bytes palette = {9, 9, 9, 0, 200, 200, 200, 0};
  CHECK(read(folder, row(1, 0, palette, {0x40, 0, 0, 0})) == Bytes{9, 200});
  CHECK(read(folder, row(4, 0, palette, {0x10, 0, 0, 0})) == Bytes{200, 9});
  CHECK(read(folder, row(8, 0, palette, {1, 0, 0, 0})) == Bytes{200, 9});
  CHECK(contains(error_in(folder, row(8, 0, palette, {1, 2, 0, 0})), "colour 2 of a palette of 2"));
  CHECK(read(folder, row(16, 0, {}, {0xFF, 0x7F, 0, 0})) == Bytes{255, 0});
  const Bytes masks565 = {0, 0xF8, 0, 0, 0xE0, 0x07, 0, 0, 0x1F, 0, 0, 0};
  CHECK(read(folder, row(16, 3, masks565, {0xFF, 0xFF, 0xE0, 0x07})) == Bytes{255, 149});
  CHECK(read(folder, row(32, 0, {}, {5, 5, 5, 0, 6, 6, 6, 0})) == Bytes{5, 6});
  CHECK(read(folder, row(32, 0, {}, {5, 5, 5, 0, 6, 6, 6, 255})) == Bytes{255, 6});
  CHECK(contains(error_in(folder, row(8, 1, palette, {1, 0, 0, 0})), "compressed"));
  CHECK(contains(error_in(folder, row(7, 0, palette, {1, 0, 0, 0})), "7 bits"));
}

TEST_CASE("image_file: files that are none, and what their Errors say") {
  const TemporaryFolder folder;
  CHECK(contains(error_of([&] { read_image(folder.path() / "none.png"); }), "none.png"));
  CHECK(contains(error_of([&] { read_image(folder.path()); }), "directory"));
  CHECK(contains(error_in(folder, {}), "bad: the file is empty"));
  const std::filesystem::path pipe = folder.path() / "pipe.png";  // nobody writes into it
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { read_image(pipe); }), "pipe.png: the file is empty"));
  CHECK(contains(error_in(folder, text("GIF89a")), "bad: not an image, expected PNG, JPEG"));
  CHECK(contains(error_in(folder, text("P2 1 1 255\n7")), "not an image"));
  CHECK(contains(error_in(folder, text("P5 0 4 255\n")), "width"));
  CHECK(contains(error_in(folder, text("P5 4 4 99999\n")), "largest value"));
  Bytes changed = png(3, 2, gray, 8, kGrays);
  changed[changed.size() - 22] ^= 1;  // inside IDAT
  CHECK(contains(error_in(folder, changed), "the PNG file cannot be read: IDAT: "));
  Bytes noted = png(3, 2, gray, 8, kGrays, {"eXIf", exif(6, true)});
  noted[8 + 25 + 8] ^= 1;  // inside eXIf
  CHECK(contains(error_in(folder, noted), "eXIf: CRC error"));
}

TEST_CASE("image_file: cut off anywhere, it is an Error of one line") {
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

TEST_CASE("image_file: headers that promise too much are refused before memory is taken") {
  const TemporaryFolder folder;
  CHECK(contains(error_in(folder, png(100000, 1000, gray, 8, Bytes(1000))), "at most 67108864"));
  CHECK(contains(error_in(folder, text("P5 60000 60000 255\n")), "at most 67108864"));
  CHECK(contains(error_in(folder, text("P5 60000 1000 255\n")), "truncated"));
  CHECK(contains(error_in(folder, bmp(0x7FFFFFFF, 0, {})), "bad: "));
  // 512 MB a row, from a file that has nothing to fill them with.
  CHECK(contains(error_in(folder, png(1U << 26, 1, rgb_alpha, 16, {1, 2, 3})), "truncated"));
  // A small image whose data inflate to 64 MB: they are never kept whole.
  CHECK(read(folder, png(1, 1, gray, 8, Bytes(std::size_t{64} << 20))) == Bytes{0});
}

TEST_CASE("image_file: random bytes in and after a good beginning do no harm") {
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
