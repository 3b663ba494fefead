// pliant-track: still pictures to learn from.
#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <pliant/apps/track/inputs.h>
#include <pliant/apps/track/stills.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/track_files.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// 64 x 48, of one colour, with a white box at 20, 10 of 16 x 24 pixels; counted from 0.
void write_picture(const fs::path& file, std::uint8_t colour) {
  Tensor picture = Tensor::empty({48, 64, 3}, DType::uint8);
  std::uint8_t* const pixels = picture.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < 48 * 64; ++i) {
    const std::int64_t r = i / 64, c = i % 64;
    const bool inside = r >= 10 && r < 34 && c >= 20 && c < 36;
    std::fill(pixels + 3 * i, pixels + 3 * i + 3, inside ? std::uint8_t{255} : colour);
  }
  fs::create_directories(file.parent_path());
  write_image(file, picture);
}

std::string object(const char* name, const char* difficult, int x1, int y1, int x2, int y2) {
  return text_from("<object><name>", name, "</name><difficult>", difficult,
                   "</difficult><bndbox><xmin>", x1, "</xmin><ymin>", y1, "</ymin><xmax>", x2,
                   "</xmax><ymax>", y2, "</ymax></bndbox></object>");
}

// A picture with a target among objects that are none: difficult, and too small; and one without.
void write_voc(const fs::path& root) {
  write_picture(root / "JPEGImages/a.png", 100);
  write_picture(root / "JPEGImages/b.png", 100);
  const std::string size = "<size><width>64</width><height>48</height><depth>3</depth></size>";
  write_text(root / "Annotations/a.xml", "<annotation>" + size + object("cat", "1", 1, 1, 60, 40) +
                                             object("cat", "0", 2, 2, 5, 5) +
                                             object("cat", "0", 21, 11, 36, 34) + "</annotation>");
  write_text(root / "Annotations/b.xml", "<annotation>" + size + "</annotation>");
  write_text(root / "ImageSets/Main/train.txt", "a\nb\n");
}

void write_coco(const fs::path& root) {
  write_picture(root / "images/c.png", 200);
  const Json json = {
      {"images", {{{"id", 7}, {"file_name", "c.png"}, {"width", 64}, {"height", 48}}}},
      {"categories", {{{"id", 3}, {"name", "cat"}}}},
      {"annotations",
       {{{"id", 1},
         {"image_id", 7},
         {"category_id", 3},
         {"bbox", {0, 0, 60, 40}},
         {"iscrowd", 1},
         {"segmentation", {{"counts", {3072}}, {"size", {48, 64}}}},
         {"area", 2400}},
        {{"id", 2},
         {"image_id", 7},
         {"category_id", 3},
         {"bbox", {20, 10, 16, 24}},
         {"iscrowd", 0},
         {"area", 384}}}}};
  write_text(root / "annotations/train.json", json.dump());
}

}  // namespace

TEST_CASE("pliant-track: stills of both layouts, whose targets are neither crowds nor difficult") {
  const TemporaryFolder folder;
  const fs::path voc = folder.path() / "voc", coco = folder.path() / "coco";
  write_voc(voc);
  write_coco(coco);
  std::vector<std::string> notices;
  const track::Stills stills =
      track::open_stills({voc.string(), coco.string()}, BadFiles::stop, notices);
  CHECK(stills.size() == 3);
  bool dark = false, bright = false;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const track::Still still = track::drawn_still(stills, Rng(1).fork(i));
    REQUIRE(still.image.defined());
    CHECK(still.box == TrackedBox{20, 10, 16, 24});
    const std::uint8_t corner = still.image.span<std::uint8_t>()[0];
    dark |= corner == 100;
    bright |= corner == 200;
  }
  CHECK((dark && bright));

  // Both images of a pair are of the still, and the target is where the labels say.
  const track::NetRecipe recipe{.preset = "tiny"};
  const auto net = track::make_net(recipe);
  const track::Videos videos = {shapes(0)};
  const auto input = [&](double negatives) {
    return track::PairInput(videos, stills, *net, recipe,
                            {.negatives = negatives, .generated = 0, .stills = 1, .colour = 0});
  };
  // In bytes: the picture's colour, or its mean, which is up to 20 brighter.
  const auto corner_of = [](const Tensor& view) {
    return 255 * (static_cast<double>(view.span<float>()[0]) * 0.229 + 0.485);
  };
  std::int64_t found = 0, different = 0;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const track::NetPair one = input(0).at(0, Rng(1).fork(i)),
                         same = input(0).at(0, Rng(1).fork(i));
    CHECK(max_difference(one.search, same.search) == 0);
    const double first = corner_of(one.exemplar), second = corner_of(one.search);
    CHECK(((first > 95 && first < 125) || (first > 195 && first < 225)));
    CHECK(std::abs(first - second) < 30);
    const auto labels = one.labels.span<std::int64_t>();
    found += std::count(labels.begin(), labels.end(), 1);
    const track::NetPair other = input(1).at(0, Rng(1).fork(i));
    different += std::abs(corner_of(other.exemplar) - corner_of(other.search)) > 60 ? 1 : 0;
    const auto none = other.labels.span<std::int64_t>();
    CHECK(std::count(none.begin(), none.end(), 1) == 0);
  }
  CHECK(found > 12);
  CHECK(different > 0);
}

TEST_CASE("pliant-track: trains on stills besides, and says what they are not") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write_set(root / "data");
  write_voc(root / "voc");
  write_coco(root / "coco");
  const auto train = [&](std::vector<std::string> more) {
    std::vector<std::string> words =
        tiny({"train", (root / "data").string(), "--epochs", "1", "--pairs", "8", "--batch", "4",
              "--out", (root / "net.safetensors").string()});
    words.insert(words.end(), more.begin(), more.end());
    return run_track(words);
  };
  const std::string voc = (root / "voc").string(), coco = (root / "coco").string();
  const Ended plain = train({"--stills-share", "0.6"});
  REQUIRE_MESSAGE(plain.status == 0, plain.err);
  const std::string without = text_of(root / "net.safetensors");
  const Ended ended = train({"--stills", voc, "--stills", coco, "--stills-share", "0.6"});
  REQUIRE_MESSAGE(ended.status == 0, ended.err);
  CHECK(contains(ended.out, "stills: 3 pictures"));
  CHECK(text_of(root / "net.safetensors") != without);
  const auto said = [&](std::vector<std::string> words) {
    const Ended bad = train(std::move(words));
    CHECK(bad.status == 1);
    CHECK(std::count(bad.err.begin(), bad.err.end(), '\n') == 1);
    return bad.err;
  };
  CHECK(contains(said({"--stills", (root / "data").string()}), "expected stills"));
  CHECK(contains(said({"--stills", voc, "--stills-share", "0.8"}), "at most 1 together"));
  write_text(root / "voc/ImageSets/Main/train.txt", "b\n");
  CHECK(contains(said({"--stills", voc}), "have no object"));
}
