#include <pliant/data/loader.h>
#include <pliant/data/voc.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

#include <functional>

using namespace pliant;
using namespace pliant::test;

namespace {

std::string object(const std::string& name, const std::string& box, const std::string& more = "") {
  return "<object><name>" + name + "</name>" + more + "<bndbox>" + box + "</bndbox></object>\n";
}

std::string box(const std::string& xmin, const std::string& ymin, const std::string& xmax,
                const std::string& ymax) {
  return "<xmin>" + xmin + "</xmin><ymin>" + ymin + "</ymin><xmax>" + xmax + "</xmax><ymax>" +
         ymax + "</ymax>";
}

std::string annotation(
    const std::string& objects,
    const std::string& size = "<size><width>16</width><height>8</height></size>") {
  return "<annotation><filename>elsewhere.jpg</filename>" + size + objects + "</annotation>";
}

// A set of one picture, 16 x 8 and gray, with what `xml` says of it.
struct OnePicture {
  explicit OnePicture(const std::string& xml, const Bytes& picture = jpeg()) {
    folder.write("classes.txt", text("cat\r\ndog\r\n"));
    folder.write("ImageSets/Main/train.txt", text("a\r\n"));
    folder.write("JPEGImages/a.jpg", picture);
    folder.write("Annotations/a.xml", text(xml));
  }
  VocDetection open(BadFiles bad_files = BadFiles::stop) const {
    return VocDetection(folder.path(), "train", {.bad_files = bad_files});
  }
  DetectionSample sample() const { return open().at(0); }
  std::string error() const {
    return error_of([this] { static_cast<void>(sample()); });
  }

  TemporaryFolder folder;
};

std::vector<double> boxes_of(const std::string& objects) {
  return OnePicture(annotation(objects)).sample().boxes.to_vector();
}

}  // namespace

TEST_CASE("voc: boxes, labels, difficult, and a gray picture in colour") {
  const DetectionSample sample =
      OnePicture(annotation(object("dog", box("1", "1", "16", "8")) +
                            object("cat", box("3", "2", "5", "4"), "<difficult>1</difficult>")))
          .sample();
  CHECK(sample.image.shape() == Shape{8, 16, 3});
  CHECK(sample.boxes.shape() == Shape{2, 4});
  CHECK(sample.boxes.to_vector() == std::vector<double>{0, 0, 16, 8, 2, 1, 5, 4});
  CHECK(sample.labels.to_vector() == std::vector<double>{1, 0});
  CHECK(sample.difficult.to_vector() == std::vector<double>{0, 1});
  CHECK(sample.crowd.to_vector() == std::vector<double>{0, 0});
  CHECK(sample.id == "a");
  CHECK(sample.height == 8);
  CHECK(sample.width == 16);
}

TEST_CASE("voc: xmin 0, fractions, white space, one pixel, parts of objects") {
  CHECK(boxes_of(object("cat", box("0", "0", "4", "4"))) == std::vector<double>{0, 0, 4, 4});
  CHECK(boxes_of(object("cat", box(" 2.5\r\n", "\t1 ", "1e1", "+4"))) ==
        std::vector<double>{1.5, 0, 10, 4});
  CHECK(boxes_of(object("cat", box("3", "3", "3", "3"))) == std::vector<double>{2, 2, 3, 3});
  CHECK(boxes_of(object(" cat\n", box("-5", "1", "99", "4"))) == std::vector<double>{0, 0, 16, 4});
  CHECK(boxes_of(object("cat", box("3", "3", "4", "5"),
                        "<part><name>head</name><bndbox>" + box("9", "9", "9", "9") +
                            "</bndbox></part>")) == std::vector<double>{2, 2, 4, 5});
  CHECK(boxes_of("") == std::vector<double>{});
}

TEST_CASE("voc: boxes without area are dropped and counted") {
  const OnePicture one(annotation(object("cat", box("5", "1", "4", "4")) +
                                  object("dog", box("1", "1", "2", "2")) +
                                  object("cat", box("30", "1", "40", "4"))));
  const VocDetection set = one.open();
  CHECK(set.objects() == 1);
  CHECK(set.dropped() == 2);
  CHECK(set.at(0).labels.to_vector() == std::vector<double>{1});
}

TEST_CASE("voc: a size that is missing or 0 is the picture's; another is an Error") {
  for (const char* const size : {"", "<size><width>0</width><height>0</height></size>"}) {
    const DetectionSample sample =
        OnePicture(annotation(object("cat", box("1", "1", "99", "99")), size)).sample();
    CHECK(sample.boxes.to_vector() == std::vector<double>{0, 0, 16, 8});
  }
  CHECK(contains(
      OnePicture(annotation("", "<size><width>8</width><height>16</height></size>")).error(),
      "a.jpg: the picture, upright, is 16 x 8 pixels, its annotation says 8 x 16"));
}

TEST_CASE("voc: a picture that lies on its side is upright, its boxes stay as they are") {
  const Bytes turned = jpeg(exif_segment(6, true));
  const DetectionSample sample =
      OnePicture(annotation(object("cat", box("1", "1", "8", "16")),
                            "<size><width>8</width><height>16</height></size>"),
                 turned)
          .sample();
  CHECK(sample.image.shape() == Shape{16, 8, 3});
  CHECK(sample.boxes.to_vector() == std::vector<double>{0, 0, 8, 16});
}

TEST_CASE("voc: what is wrong in an annotation is one line that names the file") {
  const auto says = [](const std::string& objects) {
    return OnePicture(annotation(objects)).error();
  };
  CHECK(contains(says(object("cow", box("1", "1", "2", "2"))),
                 "a.xml: object 1: its class \"cow\" is none of the 2 (cat, ..)"));
  CHECK(contains(says(object("cat", box("1", "1", "2", "2")) + "<object><name>cat</name></object>"),
                 "a.xml: object 2: has no <bndbox>"));
  CHECK(contains(says(object("cat", box("NaN", "1", "2", "2"))), "<xmin> is \"NaN\""));
  CHECK(contains(says(object("cat", box("1,5", "1", "2", "2"))), "expected a number of pixels"));
  CHECK(contains(says(object("cat", box("1", "", "2", "2"))), "<ymin> is \"\""));
  CHECK(contains(says(object("cat", box("1", "1", "1e300", "2"))), "<xmax>"));
  CHECK(contains(says(object("cat", "<xmin>1</xmin>")), "<bndbox> has no <ymin>"));
  CHECK(contains(says(object("cat", box("1", "1", "2", "2"), "<difficult>maybe</difficult>")),
                 "<difficult> is \"maybe\", expected 0 or 1"));
  CHECK(contains(OnePicture("<annotation><object>").error(), "a.xml: the XML cannot be read: "));
  CHECK(contains(OnePicture("").error(), "a.xml: the XML cannot be read: "));
  CHECK(contains(OnePicture("<html/>").error(), "has no <annotation>"));
  CHECK(contains(
      OnePicture(annotation("", "<size><width>1e9</width><height>1e9</height></size>")).error(),
      "expected at most 67108864"));
  CHECK(OnePicture(annotation(object("cat", box("1", "1", "2", "2"), "<difficult></difficult>")))
            .error()
            .empty());
}

TEST_CASE("voc: names with upper-case endings, brackets and blanks; lists of a class") {
  const TemporaryFolder folder;
  const std::string xml = annotation(object("person", box("1", "1", "2", "2")));
  for (const char* const name : {"A [1] b", "a.b", "plain"})
    folder.write("Annotations/" + std::string(name) + ".xml", text(xml));
  folder.write("JPEGImages/A [1] b.JPG", jpeg());
  folder.write("JPEGImages/a.b.Jpeg", jpeg());
  folder.write("JPEGImages/plain.PNG", png(16, 8, gray, 8, Bytes(128)));
  folder.write("ImageSets/Main/val.txt", text("A [1] b  \r\n\r\na.b\r\nplain"));
  folder.write("ImageSets/Main/person_val.txt", text("A [1] b  1\na.b -1\nplain  0\n"));
  for (const char* const split : {"val", "person_val"}) {
    const VocDetection set(folder.path(), split);
    REQUIRE(set.size() == 3);
    CHECK(set.id(0) == "A [1] b");
    CHECK(set.classes() == voc_classes());
    for (std::int64_t i = 0; i < 3; ++i)
      CHECK(set.at(i).labels.to_vector() == std::vector<double>{14});
  }
}

TEST_CASE("voc: files that are missing or cut off stop the set or are skipped by name") {
  const TemporaryFolder folder;
  folder.write("classes.txt", text("cat\n"));
  folder.write("ImageSets/Main/train.txt", text("good\ncut\nno_picture\nno_xml\nwrong\n"));
  Bytes cut = jpeg();
  cut.resize(cut.size() - 20);
  folder.write("JPEGImages/good.jpg", jpeg());
  folder.write("JPEGImages/cut.jpg", cut);
  folder.write("JPEGImages/no_xml.jpg", jpeg());
  folder.write("JPEGImages/wrong.jpg", jpeg());
  const std::string good = annotation(object("cat", box("1", "1", "2", "2")));
  for (const char* const name : {"good", "cut", "no_picture"})
    folder.write("Annotations/" + std::string(name) + ".xml", text(good));
  folder.write("Annotations/wrong.xml", text(annotation(object("dog", box("1", "1", "2", "2")))));
  CHECK(contains(error_of([&] { VocDetection(folder.path(), "train"); }),
                 "train.txt: names no_picture, which is no picture in JPEGImages"));
  const VocDetection set(folder.path(), "train", {.bad_files = BadFiles::skip});
  CHECK(set.size() == 1);
  CHECK(set.id(0) == "good");
  std::vector<std::string> names;
  for (const BadFile& bad : set.skipped()) {
    names.push_back(bad.name);
    CHECK(contains(bad.reason, bad.name));
    CHECK_FALSE(contains(bad.reason, "\n"));
  }
  CHECK(names == std::vector<std::string>{"cut", "no_picture", "no_xml", "wrong"});
  CHECK(contains(error_of([&] { VocDetection(folder.path(), "test"); }), "test.txt"));
  folder.write("classes.txt", text("cat\ncat\n"));
  CHECK(contains(error_of([&] { VocDetection(folder.path(), "train"); }),
                 "names the class cat twice"));
}

TEST_CASE("voc: a segmentation's masks, and what is wrong with them") {
  const TemporaryFolder folder;
  folder.write("classes.txt", text("sky\nroad\n"));
  folder.write("ImageSets/Segmentation/train.txt", text("a\n"));
  folder.write("JPEGImages/a.jpg", jpeg());
  std::filesystem::create_directories(folder.path() / "SegmentationClass");
  const std::filesystem::path mask = folder.path() / "SegmentationClass/a.png";
  const auto open = [&](BadFiles bad_files = BadFiles::stop) {
    return VocSegmentation(folder.path(), "train", {.bad_files = bad_files});
  };
  CHECK(contains(error_of([&] { open(); }), "train.txt: names a, which is no picture in Segm"));

  Tensor labels = Tensor::full({8, 16}, 255, DType::uint8);
  labels.mutable_data<std::uint8_t>()[17] = 1;
  write_mask(mask, labels);
  const SegmentationSample sample = open().at(0);
  CHECK(sample.image.shape() == Shape{8, 16, 3});
  CHECK(same_bits(sample.mask, labels));
  CHECK(sample.id == "a");
  const Loader loader(open(), stack_segmentation, {.size = 1});
  for (const SegmentationBatch& batch : loader.epoch(0)) {
    CHECK(batch.images.shape() == Shape{1, 8, 16, 3});
    CHECK(batch.labels.dtype() == DType::int64);
    CHECK(batch.labels.shape() == Shape{1, 8, 16});
  }

  labels.mutable_data<std::uint8_t>()[3] = 2;
  write_mask(mask, labels);
  CHECK(contains(error_of([&] { open().at(0); }),
                 "a.png: the mask has a label 2, which is neither one of the 2 classes nor 255"));
  write_mask(mask, Tensor::zeros({16, 8}, DType::uint8));
  CHECK(contains(error_of([&] { open().at(0); }),
                 "a.png: the mask is 8 x 16 pixels, its picture, upright, 16 x 8"));
  CHECK(contains(error_of([&] { open(BadFiles::skip); }), "no file of the set can be read"));
  std::filesystem::remove(folder.path() / "classes.txt");
  CHECK(open().classes().size() == 21);
  CHECK(open().classes()[0] == "background");
}
