#include <pliant/data/loader.h>
#include <pliant/data/mask_folder.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

#include <filesystem>

using namespace pliant;
using namespace pliant::test;

namespace {

// A folder with a gray picture "a" of 3 x 2 pixels and what else a test puts there.
struct OnePicture {
  OnePicture() {
    std::filesystem::create_directories(folder.path() / "images");
    std::filesystem::create_directories(folder.path() / "masks");
    write_image(folder.path() / "images/a.png", Tensor::full({2, 3, 3}, 100, DType::uint8));
  }
  std::filesystem::path mask(const std::string& name = "a") const {
    return folder.path() / "masks" / (name + ".png");
  }
  MaskFolder open(BadFiles bad_files = BadFiles::stop) const {
    return MaskFolder(folder.path(), read_mask_classes(folder.path()), bad_files);
  }
  std::string error() const {
    return error_of([this] { static_cast<void>(open().at(0)); });
  }

  TemporaryFolder folder;
};

}  // namespace

TEST_CASE("mask folder: labels as they stand, 255 among them") {
  const OnePicture one;
  one.folder.write("classes.txt", text("ground\r\nworm\r\n"));
  const Tensor labels = Tensor::from<std::uint8_t>({0, 1, 1, 255, 0, 1}, {2, 3});
  write_mask(one.mask(), labels);
  const MaskFolder set = one.open();
  CHECK(set.size() == 1);
  CHECK(set.id(0) == "a");
  CHECK(set.classes().names == std::vector<std::string>{"ground", "worm"});
  CHECK(same_bits(set.at(0).mask, labels));
  CHECK(set.at(0).image.shape() == Shape{2, 3, 3});
}

TEST_CASE("mask folder: colours by a list, of which void is no class") {
  const OnePicture one;
  one.folder.write("label_colors.txt", text("10 20 30\tRoad\n0 0 0 Void\n255 0 0\ta red car\n"));
  write_image(one.mask(), Tensor::from<std::uint8_t>({10, 20, 30, 0, 0, 0, 255, 0, 0,  //
                                                      255, 0, 0, 10, 20, 30, 0, 0, 0},
                                                     {2, 3, 3}));
  const MaskFolder set = one.open();
  CHECK(set.classes().names == std::vector<std::string>{"Road", "a red car"});
  CHECK(set.classes().colours == Palette{{10, 20, 30}, {255, 0, 0}});
  CHECK(pixels_of(set.at(0).mask) == Bytes{0, 255, 1, 1, 0, 255});
}

TEST_CASE("mask folder: what is wrong is a line that names the file") {
  const OnePicture one;
  CHECK(contains(one.error(), "has neither colours.txt nor classes.txt"));
  one.folder.write("classes.txt", text("ground\nworm\n"));
  CHECK(contains(one.error(), "images/a.png: has no mask of its name in"));
  write_mask(one.mask(), Tensor::zeros({2, 2}, DType::uint8));
  CHECK(
      contains(one.error(), "masks/a.png: the mask is 2 x 2 pixels, its picture, upright, 3 x 2"));
  write_mask(one.mask(), Tensor::full({2, 3}, 7, DType::uint8));
  CHECK(contains(one.error(), "has a label 7, which is neither one of the 2 classes nor 255"));
  one.folder.write("colours.txt", text("10 20 30 road\n"));
  write_image(one.mask(), Tensor::full({2, 3, 3}, 9, DType::uint8));
  CHECK(contains(one.error(),
                 "masks/a.png: the pixel in row 0, column 0 has the colour 9 9 9, which is none"));
  for (const auto& [list, said] :
       {std::pair{"10 20 road\n", "'10 20 road' is no colour of a class"},
        {"10 20 300 road\n", "is no colour of a class"},
        {"1 2 3 road\n1 2 3 tree\n", "road and tree have the colour 1 2 3"},
        {"1 2 3 road\n3 2 1 road\n", "has the class 'road' twice"},
        {"\n", "0 classes of masks"}}) {
    one.folder.write("colours.txt", text(list));
    CHECK(contains(one.error(), said));
  }
}

TEST_CASE("mask folder: bad files can be left out") {
  const OnePicture one;
  one.folder.write("classes.txt", text("ground\nworm\n"));
  write_mask(one.mask(), Tensor::zeros({2, 3}, DType::uint8));
  one.folder.write("images/b.png", text("no picture"));
  write_mask(one.mask("b"), Tensor::zeros({2, 3}, DType::uint8));
  write_image(one.folder.path() / "images/c.png", Tensor::zeros({2, 3, 3}, DType::uint8));
  const MaskFolder set = one.open(BadFiles::skip);
  CHECK(set.size() == 1);
  REQUIRE(set.skipped().size() == 2);
  CHECK(contains(set.skipped()[0].reason, "images/b.png"));
  CHECK(contains(set.skipped()[1].reason, "c.png: has no mask"));
  CHECK(contains(error_of([&] { one.open(); }), "c.png: has no mask"));
}
