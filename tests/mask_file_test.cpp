#include <pliant/data/image_file.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

const Chunk kTwo = {"PLTE", {10, 20, 30, 40, 50, 60}};

}  // namespace

TEST_CASE("mask: what is written is read again, with VOC's palette or another") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "mask.png";
  const Tensor mask = Tensor::from<std::uint8_t>({0, 1, 2, 15, 254, 255}, {2, 3});
  write_mask(path, mask);
  CHECK(same_bits(read_mask(path), mask));
  // As a picture it has the colours.
  const Bytes colours = pixels_of(read_image(path, ImageColour::rgb));
  CHECK(Bytes(colours.begin(), colours.begin() + 12) ==
        Bytes{0, 0, 0, 128, 0, 0, 0, 128, 0, 192, 128, 128});
  CHECK(Bytes(colours.end() - 3, colours.end()) == Bytes{224, 224, 192});

  const Tensor two = Tensor::from<std::uint8_t>({0, 1}, {1, 2});
  write_mask(path, two, {{1, 2, 3}, {4, 5, 6}});
  CHECK(same_bits(read_mask(path), two));
  CHECK(pixels_of(read_image(path, ImageColour::rgb)) == Bytes{1, 2, 3, 4, 5, 6});
  CHECK(contains(error_of([&] {
                   write_mask(path, mask, {{1, 2, 3}, {4, 5, 6}});
                 }),
                 "the mask has a 255, the palette 2 colours"));
  CHECK(contains(error_of([&] { write_mask(path, Tensor::zeros({2, 2})); }), "uint8 [H W]"));
}

TEST_CASE("mask: palettes and grays of 1, 2, 4 and 8 bits are read as they stand") {
  const TemporaryFolder folder;
  const auto read = [&](const Bytes& file) {
    return pixels_of(read_mask(folder.write("m.png", file)));
  };
  CHECK(read(png(8, 1, palette, 1, {0b01100001}, kTwo)) == Bytes{0, 1, 1, 0, 0, 0, 0, 1});
  CHECK(read(png(4, 1, palette, 2, {0b00011011}, kTwo)) == Bytes{0, 1, 2, 3});  // beyond it too
  CHECK(read(png(2, 1, palette, 4, {0x1F}, kTwo)) == Bytes{1, 15});
  CHECK(read(png(3, 1, palette, 8, {0, 1, 255}, kTwo)) == Bytes{0, 1, 255});
  CHECK(read(png(8, 1, gray, 1, {0b01100001})) == Bytes{0, 1, 1, 0, 0, 0, 0, 1});
  CHECK(read(png(4, 1, gray, 2, {0b00011011})) == Bytes{0, 1, 2, 3});
  CHECK(read(png(2, 1, gray, 4, {0x1F})) == Bytes{1, 15});
  CHECK(read(png(3, 1, gray, 8, {0, 7, 255})) == Bytes{0, 7, 255});
  // Of odd widths, and interlaced.
  CHECK(read(png(3, 2, gray, 1, {0b10100000, 0b01000000})) == Bytes{1, 0, 1, 0, 1, 0});
  CHECK(read(png_of_rows(png_header(3, 2, {8, gray, 0, 0, 1}),
                         {0, 0, 0, 200, 0, 10, 0, 255, 77, 128}, {})) ==
        Bytes{0, 10, 200, 255, 77, 128});
}

TEST_CASE("mask: what is none is named") {
  const TemporaryFolder folder;
  const auto says = [&](const Bytes& file) {
    const std::filesystem::path path = folder.write("bad.png", file);
    return error_of([&] { read_mask(path); });
  };
  CHECK(contains(says(png(1, 1, rgb, 8, {1, 2, 3})), "bad.png: the PNG file has colours without"));
  CHECK(contains(says(png(1, 1, gray_alpha, 8, {1, 2})), "colours without a palette"));
  CHECK(contains(says(png(1, 1, gray, 16, {1, 2})), "grays of 16 bits"));
  CHECK(contains(says(jpeg()), "bad.png: not a mask"));
  CHECK(contains(says(text("P5 1 1 255\n0")), "not a mask"));
  Bytes cut = png(3, 1, palette, 8, {0, 1, 255}, kTwo);
  cut.resize(cut.size() - 20);
  CHECK(contains(says(cut), "bad.png: the PNG file cannot be read"));
  CHECK(contains(says(png(100000, 1000, gray, 1, Bytes(12500))), "at most 67108864"));
  CHECK(contains(error_of([&] { read_mask(folder.path() / "none.png"); }), "none.png"));
}

TEST_CASE("image: what is written is read again, gray, RGB and with alpha") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "image.png";
  const Tensor gray_image = Tensor::from<std::uint8_t>({0, 1, 128, 255, 7, 9}, {2, 3, 1});
  write_image(path, gray_image);
  CHECK(same_bits(read_image(path), gray_image));
  const Tensor colours = Tensor::from<std::uint8_t>({1, 2, 3, 255, 0, 9}, {1, 2, 3});
  write_image(path, colours);
  CHECK(same_bits(read_image(path, ImageColour::rgb), colours));
  write_image(path, Tensor::from<std::uint8_t>({1, 2, 3, 0, 1, 2, 3, 255}, {1, 2, 4}));
  CHECK(pixels_of(read_image(path, ImageColour::rgb)) == Bytes{255, 255, 255, 1, 2, 3});
}

TEST_CASE("image: what cannot be written is an Error, and the file stays as it was") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("image.png", {1, 2, 3});
  for (const Tensor& bad : {Tensor(), Tensor::zeros({2, 2, 3}), Tensor::zeros({2, 2}, DType::uint8),
                            Tensor::zeros({2, 2, 2}, DType::uint8)})
    CHECK(contains(error_of([&] { write_image(path, bad); }), "write_image: needs uint8 [H W C]"));
  CHECK(contains(error_of([&] {
                   write_image(path, Tensor::zeros({0, 2, 3}, DType::uint8));
                 }),
                 "2 x 0 pixels"));
  CHECK(std::filesystem::file_size(path) == 3);
  CHECK(contains(
      error_of([&] {
        write_image(folder.path() / "none" / "image.png", Tensor::zeros({2, 2, 3}, DType::uint8));
      }),
      "write_image"));
}
