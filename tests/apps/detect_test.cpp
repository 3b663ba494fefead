// pliant-detect: its scenes, its sets, its metrics, and the program itself.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include <pliant/apps/detect/matches.h>
#include <pliant/apps/detect/nets.h>
#include <pliant/apps/detect/pictures.h>
#include <pliant/apps/detect/robustness.h>
#include <pliant/apps/detect/runs.h>
#include <pliant/apps/detect/scenes.h>
#include <pliant/apps/detect/statistics.h>
#include <pliant/data/coco.h>
#include <pliant/data/image_file.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/program.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

Ended run_detect(std::vector<std::string> words, int signal = 0, int milliseconds = 0) {
  words.insert(words.begin(), PLIANT_PROGRAMS "/pliant-detect");
  return run_program(std::move(words), signal, milliseconds);
}

Json json_in(const fs::path& file) { return Json::parse(text_of(file)); }

constexpr std::int64_t kHeight = 48, kWidth = 64;

DetectionSample scene(std::int64_t i) {
  return detect::make_scene(kHeight, kWidth, Rng(5).fork(static_cast<std::uint64_t>(i)));
}

std::string xml_of(const DetectionSample& sample) {
  std::string text = text_from("<annotation><size><width>", kWidth, "</width><height>", kHeight,
                               "</height></size>");
  const auto boxes = sample.boxes.span<float>();
  for (std::size_t i = 0; i < static_cast<std::size_t>(sample.labels.size()); ++i)
    text += text_from(
        "<object><name>",
        detect::scene_classes()[static_cast<std::size_t>(sample.labels.span<std::int64_t>()[i])],
        "</name><difficult>", int{sample.difficult.span<std::uint8_t>()[i]},
        "</difficult><bndbox><xmin>", boxes[4 * i] + 1, "</xmin><ymin>", boxes[4 * i + 1] + 1,
        "</ymin><xmax>", boxes[4 * i + 2], "</xmax><ymax>", boxes[4 * i + 3],
        "</ymax></bndbox></object>");
  return text + "</annotation>";
}

std::string class_lines() {
  std::string lines;
  for (const std::string& name : detect::scene_classes()) lines += name + '\n';
  return lines;
}

// Scenes in the layout of PASCAL VOC: 12 to learn from, 4 to choose by, 4 to judge by.
void write_voc(const fs::path& root) {
  write_text(root / "classes.txt", class_lines());
  std::int64_t number = 0;
  for (const auto& [split, count] : {std::pair("train", 12), {"val", 4}, {"test", 4}}) {
    std::string names;
    for (int i = 0; i < count; ++i) {
      const DetectionSample sample = scene(number);
      const std::string name = "scene" + std::to_string(number++);
      fs::create_directories(root / "JPEGImages");
      write_image(root / "JPEGImages" / (name + ".png"), sample.image);
      write_text(root / "Annotations" / (name + ".xml"), xml_of(sample));
      names += name + '\n';
    }
    write_text(root / "ImageSets/Main" / (std::string(split) + ".txt"), names);
  }
}

// The same boxes in the layout of YOLO, without splits.
void write_yolo(const fs::path& root, std::int64_t count) {
  write_text(root / "classes.txt", class_lines());
  fs::create_directories(root / "images");
  fs::create_directories(root / "labels");
  for (std::int64_t n = 0; n < count; ++n) {
    const DetectionSample sample = scene(n);
    const std::string name = "scene" + std::to_string(n);
    write_image(root / "images" / (name + ".png"), sample.image);
    std::string lines;
    const auto boxes = sample.boxes.span<float>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(sample.labels.size()); ++i) {
      const double w = boxes[4 * i + 2] - boxes[4 * i], h = boxes[4 * i + 3] - boxes[4 * i + 1];
      lines += text_from(sample.labels.span<std::int64_t>()[i], ' ',
                         (boxes[4 * i] + w / 2) / kWidth, ' ', (boxes[4 * i + 1] + h / 2) / kHeight,
                         ' ', w / kWidth, ' ', h / kHeight, '\n');
    }
    if (!lines.empty()) write_text(root / "labels" / (name + ".txt"), lines);
  }
}

std::vector<std::string> tiny(std::vector<std::string> words) {
  for (const char* word : {"--preset", "tiny", "--threads", "1", "--device", "cpu"})
    words.emplace_back(word);
  return words;
}

}  // namespace

TEST_CASE("pliant-detect: scenes are a pure function of their key, boxes are tight and inside") {
  std::int64_t objects = 0, empty = 0, difficult = 0;
  for (std::int64_t i = 0; i < 80; ++i) {
    const DetectionSample a = scene(i), b = scene(i);
    CHECK(max_difference(a.image, b.image) == 0);
    CHECK(max_difference(a.boxes, b.boxes) == 0);
    objects += a.labels.size();
    empty += a.labels.size() == 0 ? 1 : 0;
    for (const std::uint8_t flag : a.difficult.span<std::uint8_t>()) difficult += flag;
    const auto boxes = a.boxes.span<float>();
    for (std::size_t k = 0; k + 3 < boxes.size(); k += 4)
      CHECK((boxes[k] >= 0 && boxes[k + 1] >= 0 && boxes[k + 2] <= kWidth &&
             boxes[k + 3] <= kHeight && boxes[k] < boxes[k + 2] && boxes[k + 1] < boxes[k + 3]));
  }
  CHECK(objects > 200);
  CHECK(empty > 0);
  CHECK(difficult > 0);
}

TEST_CASE("pliant-detect: one set in the layouts of VOC and YOLO, with held out pictures") {
  const TemporaryFolder folder;
  write_voc(folder.path() / "voc");
  write_yolo(folder.path() / "yolo", 12);
  const detect::PictureSets voc = detect::open_pictures(folder.path() / "voc", {});
  CHECK((voc.train.size() == 12 && voc.val.size() == 4 && voc.test.size() == 4));
  CHECK(voc.classes == detect::scene_classes());
  const detect::PictureSets yolo = detect::open_pictures(folder.path() / "yolo", {.val = 0.25});
  CHECK((yolo.train.size() == 9 && yolo.val.size() == 3 && yolo.test.size() == 0));
  for (std::int64_t i = 0; i < yolo.train.size(); ++i)
    for (std::int64_t k = 0; k < voc.train.size(); ++k) {
      if (voc.train.id(k) != yolo.train.id(i)) continue;
      const DetectionSample a = voc.train.at(k), b = yolo.train.at(i);
      CHECK(max_difference(a.image, b.image) == 0);
      CHECK(max_difference(a.boxes, b.boxes) < 1e-3);
    }
}

TEST_CASE("pliant-detect: data that is no set, or has bad parts, is one line each") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  const auto said = [&](const fs::path& data, std::vector<std::string> more = {}) {
    std::vector<std::string> words =
        tiny({"train", data.string(), "--epochs", "1", "--out", (root / "n.safetensors").string()});
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run_detect(words);
    CHECK(ended.status == 1);
    CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(root / "n.safetensors"));
    return ended.err;
  };
  CHECK(contains(said(root / "none"), "there is no such folder"));
  fs::create_directories(root / "empty");
  CHECK(contains(said(root / "empty"), "the layout of PASCAL VOC"));
  write_voc(root / "voc");
  const fs::path bad = root / "voc/Annotations/scene1.xml";
  const std::string good = text_of(bad);
  write_text(bad, "<annotation><object><name>cube</name></object></annotation>");
  CHECK(contains(said(root / "voc"), "its class \"cube\" is none of the 3"));
  write_text(bad, "<annotation>");
  CHECK(contains(said(root / "voc"), "the XML cannot be read"));
  write_text(bad, good);
  fs::remove(root / "voc/JPEGImages/scene2.png");
  CHECK(contains(said(root / "voc"), "scene2"));
  write_yolo(root / "yolo", 4);
  write_text(root / "yolo/labels/scene0.txt", "7 .5 .5 .1 .1\n");
  CHECK(contains(said(root / "yolo"), "line 1: its class 7 is none of the 3"));
  write_text(root / "yolo/labels/scene0.txt", "0 .5 .5 .1\n");
  CHECK(contains(said(root / "yolo"), "has 4 numbers"));
}

TEST_CASE(
    "pliant-detect: bad pictures are skipped and boxes mended, counted, where that is asked") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write_voc(root);
  write_text(root / "Annotations/scene1.xml",
             "<annotation><size><width>64</width><height>48</height></size>"
             "<object><name>disc</name><bndbox><xmin>0</xmin><ymin>-5</ymin><xmax>90</xmax>"
             "<ymax>20</ymax></bndbox></object>"
             "<object><name>disc</name><bndbox><xmin>10</xmin><ymin>30</ymin><xmax>9</xmax>"
             "<ymax>40</ymax></bndbox></object></annotation>");
  write_text(root / "Annotations/scene2.xml", "nothing");
  const detect::PictureSets sets = detect::open_pictures(root, {.bad_files = BadFiles::skip});
  CHECK(sets.train.size() == 11);
  REQUIRE(sets.notices.size() == 2);
  CHECK(contains(sets.notices[0], "left out: "));
  CHECK(contains(sets.notices[1], "train: 1 box without area"));
  const DetectionSample mended = sets.train.at(1);
  CHECK(mended.boxes.to_vector() == std::vector<double>{0, 0, 64, 20});
}

TEST_CASE("pliant-detect: nets of every preset and arm, saved and made again") {
  const TemporaryFolder folder;
  for (const std::string& arm : detect::arm_names()) {
    const detect::NetRecipe recipe{.preset = "tiny", .arm = arm, .classes = {"a", "b"}};
    const auto net = detect::make_net(recipe);
    net->initialise(Rng(1));
    const fs::path file = folder.path() / (arm + ".safetensors");
    detect::save_net(file, *net, recipe);
    const detect::LoadedNet again = detect::load_net(file, {.score = 0.2, .nms = 0.4, .most = 7});
    CHECK(again.recipe.title() == "tiny, " + arm);
    CHECK(again.net->options().head.detection.most == 7);
    CHECK(again.net->parameter_count() == net->parameter_count());
  }
  CHECK(contains(error_of([] { detect::preset_of("smal"); }), "did you mean small?"));
  CHECK(contains(
      error_of([] { detect::make_net({.preset = "small-fpn", .arm = "pool", .classes = {"a"}}); }),
      "small-fpn has no pool"));
}

TEST_CASE("pliant-detect: what is right, wrong and missed in a picture") {
  const Corners here = {0, 0, 10, 10}, there = {20, 20, 40, 40}, hidden = {50, 0, 60, 10};
  const detect::Judgement judgement = detect::judgement_of(
      {{.image = 0, .label = 0, .box = here},
       {.image = 0, .label = 1, .box = there},
       {.image = 0, .label = 0, .box = hidden, .difficult = true, .crowd = true}},
      {{.image = 0, .label = 0, .box = here, .score = 0.9},
       {.image = 0, .label = 0, .box = {0, 0, 10, 9}, .score = 0.8},
       {.image = 0, .label = 0, .box = hidden, .score = 0.7},
       {.image = 1, .label = 1, .box = there, .score = 0.6},
       {.image = 0, .label = 1, .box = there, .score = 0.1}},
      2, 2);
  const auto matches = detect::matches_of(judgement, 0.5);
  REQUIRE(matches.size() == 2);
  CHECK((matches[0].right.size() == 1 && matches[0].wrong.size() == 1));
  CHECK((matches[0].missed.size() == 1 && matches[0].missed[0].label == 1));
  CHECK((matches[0].to_find == 2 && matches[1].mistakes() == 1));
  CHECK(judgement.voc[0].ap50 == doctest::Approx(1));
  CHECK(judgement.voc[1].ap50 == doctest::Approx(0.5));
}

TEST_CASE("pliant-detect: COCO's twelve figures of crowds and outlines are pycocotools'") {
  const fs::path given = fs::path(PLIANT_SOURCE_DIR) / "tests/coco";
  const TemporaryFolder folder;
  const Json list = json_in(given / "truth.json");
  for (const Json& image : list["images"])
    write_image(folder.path() / image["file_name"].get<std::string>(),
                Tensor::zeros({120, 160, 3}, DType::uint8));
  const CocoDetection set(folder.path(), given / "truth.json");
  std::vector<TrueBox> truth;
  std::map<std::int64_t, std::int64_t> places;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    places[std::stoll(set.id(i))] = i;
    for (const TrueBox& box : detect::truth_in(set.at(i), i)) truth.push_back(box);
  }
  std::vector<FoundBox> found;
  for (const Json& box : json_in(given / "found.json")) {
    const auto side = box["bbox"].get<std::vector<double>>();
    found.push_back({.image = places.at(box["image_id"]),
                     .label = box["category_id"] == set.category(0) ? 0 : 1,
                     .box = {side[0], side[1], side[0] + side[2], side[1] + side[3]},
                     .score = box["score"]});
  }
  const auto figures = detect::judgement_of(truth, found, set.size(), 2).coco.all();
  const Json expected = json_in(given / "figures.json");
  for (std::size_t i = 0; i < figures.size(); ++i)
    CHECK(figures[i] == doctest::Approx(expected[i].get<double>()).epsilon(1e-12));
}

TEST_CASE("pliant-detect: differences are paired, and a net is no better than itself") {
  std::vector<TrueBox> truth;
  std::vector<FoundBox> all, some;
  for (std::int64_t i = 0; i < 30; ++i) {
    const Corners box = {5, 5, 30, 30};
    truth.push_back({.image = i, .label = 0, .box = box});
    all.push_back({.image = i, .label = 0, .box = box, .score = 0.9});
    if (i % 3 != 0) some.push_back(all.back());
  }
  const auto one = detect::resampled_ap(detect::judgement_of(truth, all, 30, 1), 1, 200);
  const auto other = detect::resampled_ap(detect::judgement_of(truth, some, 30, 1), 1, 200);
  CHECK(one.size() == 201);
  const detect::Difference better = detect::difference_of({{.without = other, .with = one}});
  CHECK(better.mean == doctest::Approx(1 - 67.0 / 101));
  CHECK((better.low > 0 && better.low < better.mean && better.mean < better.high));
  CHECK(std::string(better.verdict()) == "better");
  CHECK(std::string(detect::difference_of({{.without = one, .with = other}}).verdict()) == "worse");
  CHECK(std::string(detect::difference_of({{.without = one, .with = one}}).verdict()) ==
        "no difference found");
}

TEST_CASE("pliant-detect: transforms are the same for every net and move boxes with pictures") {
  const auto all = detect::transforms(3);
  CHECK(all.size() == 3 * 14);
  CHECK(kit::json_of(all) ==
        json_in(fs::path(PLIANT_SOURCE_DIR) / "bench/results/transforms.json"));
  const detect::PictureSet set({"one"}, [](std::int64_t) { return scene(3); });
  const detect::NetRecipe recipe;
  for (const detect::Transform& transform : all) {
    const DetectionSample moved = detect::transformed(set, transform, recipe).at(0);
    CHECK(moved.image.shape() == Shape{kHeight, kWidth, 3});
    CHECK(moved.boxes.dim(0) == moved.labels.size());
  }
  const detect::Augmentation light;
  CHECK_FALSE(detect::Transform{.kind = "rotate", .level = 10}.is_within(light));
  CHECK(detect::Transform{.kind = "scale", .level = 0.9}.is_within(light));
}

TEST_CASE("pliant-detect: trains, is killed, goes on with the same bits, judges and finds") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write_voc(root / "data");
  const auto words = [&](const std::string& out) {
    return tiny({"train", (root / "data").string(), "--arm", "pool-stage", "--epochs", "4", "--out",
                 out + ".safetensors", "--log", out + ".jsonl", "--json", out + ".json", "--report",
                 out + "-page", "--checkpoint-seconds", "0", "--resume"});
  };
  const std::string calm = (root / "calm").string(), rough = (root / "rough").string();
  const Ended ended = run_detect(words(calm));
  REQUIRE_MESSAGE(ended.status == 0, ended.err);
  CHECK(contains(ended.out, "on val"));
  CHECK(contains(ended.out, "COCO: AP "));
  CHECK(contains(text_of(calm + ".jsonl"), "\"val/ap\""));
  const std::string page = text_of(calm + "-page/index.html");
  CHECK(contains(page, "The worst pictures"));
  CHECK(contains(page, "Precision and recall"));

  int stops = 0;
  for (int life = 60;; life += 20 + life / 8) {
    REQUIRE(life < 200000);
    if (run_detect(words(rough), SIGKILL, life).status == 0) break;
    stops += fs::exists(rough + ".safetensors.checkpoint") ? 1 : 0;
  }
  CHECK(stops >= 1);
  CHECK(text_of(rough + ".safetensors") == text_of(calm + ".safetensors"));
  CHECK(text_of(rough + ".jsonl") == text_of(calm + ".jsonl"));

  const std::string found = (root / "found.json").string(), truth = (root / "truth.json").string();
  const Ended eval =
      run_detect({"eval", (root / "data").string(), "--weights", calm + ".safetensors", "--score",
                  "0.01", "--coco", found, "--coco-truth", truth});
  REQUIRE_MESSAGE(eval.status == 0, eval.err);
  CHECK(json_in(truth)["images"].size() == 4);
  for (const Json& box : json_in(found)) {
    CHECK(box["bbox"].size() == 4);
    CHECK((box["image_id"] >= 1 && box["image_id"] <= 4 && box["category_id"] <= 3));
  }

  const fs::path drawn = root / "drawn", list = root / "list.json";
  write_text(root / "broken.png", "no picture");
  const Ended predict =
      run_detect({"predict", "--weights", calm + ".safetensors", "--out", drawn.string(), "--json",
                  list.string(), "--score", "0.01", "--max-per-image", "5",
                  (root / "data/JPEGImages/scene0.png").string(), (root / "broken.png").string()});
  CHECK(predict.status == 1);
  CHECK(std::count(predict.err.begin(), predict.err.end(), '\n') == 1);
  CHECK(read_image(drawn / "scene0.png", ImageColour::rgb).shape() == Shape{kHeight, kWidth, 3});
  const Json answers = json_in(list);
  CHECK(answers[0]["found"].size() <= 5);
  CHECK(answers[1].contains("error"));
}

TEST_CASE("pliant-detect: a table of runs that are kept one by one") {
  const TemporaryFolder folder;
  const fs::path root = folder.path(), runs = root / "runs";
  write_voc(root / "data");
  const auto words = [&](const std::string& arms, std::vector<std::string> more = {}) {
    std::vector<std::string> all =
        tiny({"table", (root / "data").string(), "--arms", arms, "--epochs", "2", "--draws", "0",
              "--resamples", "20", "--seeds", "1,2", "--checkpoint", runs.string(), "--commit",
              "abc1234"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const Ended first = run_detect(words("align"));
  REQUIRE_MESSAGE(first.status == 0, first.err);
  const std::string kept = text_of(runs / "tiny-align-seed1.json");
  CHECK(contains(kept, "abc1234"));
  CHECK(contains(kept, "--arms align"));
  CHECK(contains(run_detect(words("align,pool")).err, "holds an earlier run"));
  const Ended second =
      run_detect(words("align,pool", {"--resume", "--report", (root / "page").string(), "--json",
                                      (root / "t.json").string()}));
  REQUIRE_MESSAGE(second.status == 0, second.err);
  CHECK(contains(second.out, "paired by seed"));
  CHECK(text_of(runs / "tiny-align-seed1.json") == kept);
  CHECK(json_in(root / "t.json")["runs"].size() == 4);
  CHECK(contains(text_of(root / "page/index.html"), "Differences of the AP"));
  const Ended printed = run_detect({"table", "--checkpoint", runs.string(), "--resamples", "20"});
  REQUIRE_MESSAGE(printed.status == 0, printed.err);
  CHECK(contains(printed.out, "tiny, pool"));
  CHECK(contains(run_detect(words("align", {"--resume", "--lr", "0.5"})).err,
                 "was made with other options"));
}
