#include <pliant/data/coco.h>
#include <pliant/data/rle.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The JSON of two pictures of 16 x 8 pixels, ids 7 and 3, categories dog 18 and cat 5.
std::string coco(const std::string& annotations) {
  return R"({"info":{},"images":[
    {"id":7,"file_name":"a.jpg","width":16,"height":8},
    {"id":3,"file_name":"b [1].JPG","width":16,"height":8}],
    "categories":[{"id":18,"name":"dog"},{"id":5,"name":"cat"}],
    "annotations":[)" +
         annotations + "]}";
}

struct TwoPictures {
  explicit TwoPictures(const std::string& json) {
    folder.write("images/a.jpg", jpeg());
    folder.write("images/b [1].JPG", jpeg());
    folder.write("instances.json", text(json));
  }
  CocoDetection open(const CocoOptions& options = {}) const {
    return CocoDetection(folder.path() / "images", folder.path() / "instances.json", options);
  }
  std::string error() const {
    return error_of([this] { open(); });
  }

  TemporaryFolder folder;
};

std::string object(const std::string& more, int image = 7, int category = 5) {
  return text_from(R"({"image_id":)", image, R"(,"category_id":)", category,
                   R"(,"bbox":[1,2,3.5,4])", more, "}");
}

std::vector<std::int64_t> runs_of_text(const std::string& text) { return rle_runs(text); }

}  // namespace

TEST_CASE("rle: runs go down the columns, in numbers and in COCO's text") {
  const Tensor mask = Tensor::from<std::uint8_t>({0, 1, 1, 0, 1, 1}, {2, 3});
  const std::vector<std::int64_t> runs = {2, 4};
  CHECK(rle_runs(mask) == runs);
  CHECK(same_bits(rle_mask(runs, 2, 3), mask));
  CHECK(rle_text(runs) == "24");
  CHECK(runs_of_text("24") == runs);
  // By hand: 15 is 0x0F, whose highest bit of five would be a sign were it 16: a second character.
  CHECK(rle_text(std::vector<std::int64_t>{15, 16, 31, 32}) == "?`0o0`0");
  CHECK(runs_of_text("?`0o0`0") == std::vector<std::int64_t>{15, 16, 31, 32});
  // From the fourth on, differences to the one before the last: 5, 9, 3, 9 - 2 = 7 ('N' is -2).
  CHECK(runs_of_text("593N") == std::vector<std::int64_t>{5, 9, 3, 7});
}

TEST_CASE("rle: every mask survives both encodings") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Rng rng(seed);
    const auto height = static_cast<std::int64_t>(1 + rng.below(0, 40));
    const auto width = static_cast<std::int64_t>(1 + rng.below(1, 40));
    Tensor mask = Tensor::empty({height, width}, DType::uint8);
    const double level = rng.uniform(2, 0, 1);
    for (std::int64_t i = 0; i < mask.size(); ++i)
      mask.mutable_data<std::uint8_t>()[i] =
          rng.uniform(static_cast<std::uint64_t>(10 + i / 7), 0, 1) < level ? 1 : 0;
    const std::vector<std::int64_t> runs = rle_runs(mask);
    CHECK(runs_of_text(rle_text(runs)) == runs);
    CHECK(same_bits(rle_mask(runs, height, width), mask));
  }
}

TEST_CASE("rle: what is none is an Error") {
  for (const char* const bad : {"\x01", "o", "`", "N", "zzzzzzzzzzzzzzzzzzz"})
    CHECK(contains(error_of([bad] { runs_of_text(bad); }), "the runs of a mask"));
  CHECK(contains(error_of([] { rle_mask(std::vector<std::int64_t>{2, 3}, 2, 3); }), "end after 5"));
  CHECK(contains(error_of([] { rle_mask(std::vector<std::int64_t>{2, 5}, 2, 3); }), "a run of 5"));
  CHECK(contains(error_of([] {
                   rle_mask(std::vector<std::int64_t>{-1, 7}, 2, 3);
                 }),
                 "a run of -1"));
}

TEST_CASE("polygon: a pixel belongs to it if its centre does") {
  const Tensor mask = polygon_mask(std::vector<Polygon>{{{1, 1}, {3, 1}, {3, 3}, {1, 3}}}, 4, 4);
  CHECK(mask.to_vector() == std::vector<double>{0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0});
  // Half a pixel: to its centre and no farther. Two polygons are one outline.
  CHECK(polygon_mask(std::vector<Polygon>{{{0.6, 0}, {2.4, 0}, {2.4, 1}, {0.6, 1}},
                                          {{-9, 0}, {0.5, 0}, {0.5, 1}}},
                     1, 4)
            .to_vector() == std::vector<double>{0, 1, 0, 0});
  CHECK(
      polygon_mask(std::vector<Polygon>{{{-1e9, -1e9}, {1e9, -1e9}, {1e9, 1e9}, {-1e9, 1e9}}}, 2, 2)
          .to_vector() == std::vector<double>{1, 1, 1, 1});
  CHECK(polygon_mask({}, 1, 2).to_vector() == std::vector<double>{0, 0});
  CHECK(contains(error_of([] {
                   polygon_mask(std::vector<Polygon>{{{NAN, 0}, {1, 1}, {2, 2}}}, 2, 2);
                 }),
                 "a corner is at nan"));
}

TEST_CASE("coco: boxes, labels by category, crowds, pictures without objects") {
  const TwoPictures two(coco(object("") + "," + object(R"(,"iscrowd":1)", 7, 18) + "," +
                             R"({"image_id":7,"category_id":5,"bbox":[3,3,0,4]})" + "," +
                             R"({"image_id":7,"category_id":5,"bbox":[-2,-2,99,99],"iscrowd":0})"));
  const CocoDetection set = two.open();
  REQUIRE(set.size() == 2);
  CHECK(set.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(set.category(1) == 18);
  CHECK(set.id(0) == "7");
  CHECK(set.objects() == 3);
  CHECK(set.dropped() == 1);
  const DetectionSample sample = set.at(0);
  CHECK(sample.image.shape() == Shape{8, 16, 3});
  CHECK(sample.boxes.to_vector() == std::vector<double>{1, 2, 4.5, 6, 1, 2, 4.5, 6, 0, 0, 16, 8});
  CHECK(sample.labels.to_vector() == std::vector<double>{0, 1, 0});
  CHECK(sample.crowd.to_vector() == std::vector<double>{0, 1, 0});
  CHECK_FALSE(sample.masks.defined());
  CHECK(set.at(1).boxes.shape() == Shape{0, 4});
}

TEST_CASE("coco: polygons, runs and compressed runs give the same mask") {
  // Columns 2 to 4, rows 1 to 5: in each column 1 row above, 5 in it, 2 below.
  const std::string counts = "17,5,3,5,3,5,90";
  const std::vector<std::int64_t> runs = {17, 5, 3, 5, 3, 5, 90};
  const TwoPictures two(
      coco(object(R"(,"segmentation":[[2,1,5,1,5,6,2,6]])") + "," +
           object(R"(,"segmentation":{"size":[8,16],"counts":[)" + counts + "]}") + "," +
           object(R"(,"segmentation":{"size":[8,16],"counts":")" + rle_text(runs) + "\"}") + "," +
           object(R"(,"segmentation":[])")));
  const DetectionSample sample = two.open({.masks = true}).at(0);
  REQUIRE(sample.masks.shape() == Shape{4, 8, 16});
  const Tensor first = sample.masks.slice(0, 1);
  CHECK(rle_runs(first.reshape({8, 16})) == runs);
  CHECK(same_bits(sample.masks.slice(1, 2), first));
  CHECK(same_bits(sample.masks.slice(2, 3), first));
  CHECK(sample.masks.slice(3, 4).to_vector() == std::vector<double>(128, 0));
  REQUIRE(sample.polygons.size() == 4);
  REQUIRE(sample.polygons[0].size() == 1);
  CHECK(sample.polygons[0][0][2].x == 5);
  CHECK(sample.polygons[1].empty());
}

TEST_CASE("coco: what is wrong is one line that names the file and the entry") {
  const auto says = [](const std::string& objects) { return TwoPictures(coco(objects)).error(); };
  CHECK(contains(says(object("", 8)), "instances.json: annotations[0]: its image 8 is not listed"));
  CHECK(contains(says(object("") + "," + object("", 7, 1)),
                 "annotations[1]: its category 1 is none of the 2 that are listed"));
  CHECK(
      contains(says(R"({"image_id":7,"category_id":5,"bbox":[1,2,3]})"), "\"bbox\" has 3 numbers"));
  CHECK(contains(says(R"({"image_id":7,"category_id":5})"), "has no \"bbox\""));
  CHECK(contains(says(R"({"image_id":"7","category_id":5})"), "\"image_id\" is no whole number"));
  CHECK(contains(says(R"({"image_id":7,"category_id":5,"bbox":[1,2,3,null]})"),
                 "no list of numbers"));
  CHECK(contains(says("5"), "annotations[0]: is no object"));
  CHECK(contains(says(object(R"(,"segmentation":[[1,2,3,4]])")), "a polygon of 4 numbers"));
  CHECK(contains(says(object(R"(,"segmentation":"x")")), "neither polygons nor runs"));
  CHECK(contains(says(object(R"(,"segmentation":{"size":[16,8],"counts":[128]})")),
                 "its mask is of another size than its picture"));
  CHECK(contains(says(object(R"(,"segmentation":{"size":[8,16],"counts":[100]})")),
                 "its mask has 100 pixels, its picture 128"));
  CHECK(contains(says(object(R"(,"segmentation":{"size":[8,16],"counts":"o"})")), "cut off"));
  CHECK(contains(says(object(R"(,"iscrowd":2)")), "\"iscrowd\" is 2"));
  CHECK(contains(TwoPictures("{\"images\":").error(), "instances.json: the JSON cannot be read: "));
  CHECK(contains(TwoPictures("[]").error(), "is no JSON object"));
  CHECK(contains(TwoPictures("{}").error(), "has no list \"categories\""));
  CHECK_FALSE(contains(TwoPictures("{\"images\":\n\x01").error(), "\n"));
}

TEST_CASE("coco: pictures that are missing, damaged or of another size") {
  const TwoPictures two(coco(""));
  std::filesystem::remove(two.folder.path() / "images/a.jpg");
  CHECK(contains(two.error(), "a.jpg: there is no such picture"));
  CHECK(two.open({.bad_files = BadFiles::skip}).size() == 1);
  CHECK(contains(two.open({.bad_files = BadFiles::skip}).skipped()[0].reason, "a.jpg"));
  two.folder.write("images/a.jpg", png(2, 1, gray, 8, {1, 2}));
  CHECK(
      contains(error_of([&] { two.open().at(0); }), "is 2 x 1 pixels, its annotation says 16 x 8"));
}
