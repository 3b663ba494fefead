// pliant-segment: its nets, its pictures, its statistics, and the program itself.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include <pliant/apps/segment/inference.h>
#include <pliant/apps/segment/nets.h>
#include <pliant/apps/segment/pictures.h>
#include <pliant/apps/segment/robustness.h>
#include <pliant/apps/segment/runs.h>
#include <pliant/apps/segment/scenes.h>
#include <pliant/apps/segment/statistics.h>
#include <pliant/data/image_file.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/program.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

Ended run_segment(std::vector<std::string> words, int signal = 0, int milliseconds = 0) {
  words.insert(words.begin(), PLIANT_PROGRAMS "/pliant-segment");
  return run_program(std::move(words), signal, milliseconds);
}

// Scenes of 24 x 32 pixels in the folders images and masks of `root`.
void write_scenes(const fs::path& root, int count, std::uint64_t key = 1) {
  fs::create_directories(root / "images");
  fs::create_directories(root / "masks");
  std::ofstream names(root / "classes.txt");
  for (const std::string& name : segment::scene_classes()) names << name << '\n';
  for (int i = 0; i < count; ++i) {
    const SegmentationSample scene =
        segment::make_scene(24, 32, Rng(key).fork(static_cast<std::uint64_t>(i)));
    const std::string name = std::to_string(i) + ".png";
    write_image(root / "images" / name, scene.image);
    write_mask(root / "masks" / name, scene.mask);
  }
}

segment::NetRecipe recipe_of(const std::string& arm, const std::string& deform = "dcn1") {
  return {.preset = "tiny",
          .arm = arm,
          .deform = deform,
          .classes = segment::scene_classes(),
          .colours = Palette(segment::scene_classes().size()),
          .height = 24,
          .width = 32};
}

// Of a net of 21 classes, as VOC has.
std::int64_t parameters_of(const std::string& preset, const std::string& arm) {
  segment::NetRecipe recipe = recipe_of(arm);
  recipe.preset = preset;
  recipe.classes.assign(21, "some");
  return segment::make_net(recipe)->trainable_count();
}

}  // namespace

TEST_CASE("pliant-segment: parameters of the published nets and of their control") {
  CHECK(parameters_of("resnet50", "plain") == 40352181);
  CHECK(parameters_of("resnet50", "extra") == 154593717);
  CHECK(parameters_of("resnet50", "extra-fixed") == 153598389);
  CHECK(parameters_of("resnet50", "replace") == 40601067);
  CHECK(parameters_of("resnet18", "plain") == 16608181);
  CHECK(parameters_of("resnet18", "extra") == 21492661);
  CHECK(parameters_of("resnet18", "replace") == 16898557);
}

TEST_CASE("pliant-segment: arms begin as plain does, and fixed ones have no offsets to learn") {
  const Tensor picture = segment::make_scene(24, 32, Rng(3)).image;
  const auto said = [&](const std::string& arm, const std::string& deform) {
    const auto net = segment::make_net(recipe_of(arm, deform));
    net->initialise(Rng(1));
    return segment::probabilities_of(*net, recipe_of(arm, deform), picture, {});
  };
  const Tensor plain = said("plain", "dcn1");
  CHECK(max_difference(said("replace", "dcn1"), plain) < 1e-5);
  CHECK(max_difference(said("extra", "dcn1"), plain) < 1e-5);
  CHECK(max_difference(said("extra-fixed", "dcn1"), plain) < 1e-5);
  for (const char* const deform : {"dcn2", "dcn3", "dcn4"}) {
    CAPTURE(deform);
    CHECK(max_difference(said("replace-fixed", deform), said("replace", deform)) == 0);
  }
  CHECK(contains(error_of([] { segment::make_net(recipe_of("replace-fixed")); }),
                 "replace-fixed of dcn1 is plain"));
  CHECK(contains(error_of([] { segment::preset_of("smal"); }), "did you mean small?"));
}

TEST_CASE("pliant-segment: a picture of any size, in windows, mirrored and scaled") {
  const auto net = segment::make_net(recipe_of("replace"));
  net->initialise(Rng(1));
  const segment::NetRecipe recipe = recipe_of("replace");
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 40}, {37, 23}, {50, 90}}) {
    const Tensor picture = segment::make_scene(height, width, Rng(7)).image;
    for (const std::int64_t window : {0, 16, 64}) {
      const Tensor shares = segment::probabilities_of(
          *net, recipe, picture, {.flip = true, .scales = {0.5, 1, 1.7}, .window = window});
      CHECK(shares.shape() == Shape{height, width, 6});
      double sum = 0;
      for (const double share : shares.to_vector()) sum += share;
      CHECK(sum == doctest::Approx(height * width));
    }
  }
  // A window that holds the picture changes nothing.
  const Tensor picture = segment::make_scene(24, 32, Rng(7)).image;
  CHECK(max_difference(segment::probabilities_of(*net, recipe, picture, {.window = 32}),
                       segment::probabilities_of(*net, recipe, picture, {})) == 0);
}

TEST_CASE("pliant-segment: scenes are a pure function of their key, of all classes") {
  std::vector<std::int64_t> seen(segment::scene_classes().size());
  for (std::uint64_t i = 0; i < 20; ++i) {
    const SegmentationSample a = segment::make_scene(40, 50, Rng(i)),
                             b = segment::make_scene(40, 50, Rng(i));
    CHECK(max_difference(a.image, b.image) == 0);
    for (const std::uint8_t label : a.mask.span<std::uint8_t>()) {
      REQUIRE(label < seen.size());
      ++seen[label];
    }
  }
  CHECK(*std::min_element(seen.begin(), seen.end()) > 100);
}

TEST_CASE("pliant-segment: differences by seed, their interval and the verdict") {
  const auto seen = [](int right, int wrong) {
    segment::ClassCounts counts(2);
    counts.right = {right, right};
    counts.labels = counts.guesses = {right + wrong, right + wrong};
    return counts;
  };
  const segment::Seen poor(8, seen(50, 50)), good(8, seen(80, 20));
  const std::vector<std::string> ids = {"a_1", "a_2", "a_3", "a_4", "b_1", "b_2", "b_3", "b_4"};
  CHECK(segment::video_of("a_1_2") == "a");
  const segment::Difference better = segment::difference_of(ids, {{poor, good}, {poor, good}}, 2);
  CHECK(better.by_seed.size() == 2);
  CHECK(better.mean == doctest::Approx(80.0 / 120 - 50.0 / 150));
  CHECK(better.low == doctest::Approx(better.mean));
  CHECK(better.verdict() == std::string("better"));
  CHECK(segment::difference_of(ids, {{good, poor}}, 1).verdict() == std::string("worse"));
  // One seed each way: nothing is found, whatever the mean.
  CHECK(segment::difference_of(ids, {{poor, good}, {good, poor}}, 1).verdict() ==
        std::string("no difference found"));
}

TEST_CASE("pliant-segment: the transforms are those of the committed file") {
  const auto file = nlohmann::ordered_json::parse(
      text_of(fs::path(PLIANT_SOURCE_DIR) / "bench/results/transforms.json"));
  const auto now = kit::json_of(kit::transforms());
  REQUIRE(file.size() == now.size());
  CHECK(now.size() == 14 * 3);
  for (std::size_t i = 0; i < now.size(); ++i) {
    CAPTURE(i);
    CHECK(file[i]["kind"] == now[i]["kind"]);
    for (const char* const number : {"level", "shift_x", "shift_y"})
      CHECK(file[i][number].get<double>() == doctest::Approx(now[i][number].get<double>()));
    CHECK(file[i]["along_y"] == now[i]["along_y"]);
  }
}

TEST_CASE("pliant-segment: arms by name") {
  CHECK(segment::arm_from("replace:dcn2+warp", "dcn1").name() == "replace:dcn2+warp");
  CHECK(segment::arm_from("replace", "dcn4").name() == "replace:dcn4");
  CHECK(segment::arm_from("extra", "dcn4").name() == "extra");
  const auto error = [](const char* text) {
    return error_of([&] { segment::arm_from(text, "dcn1"); });
  };
  CHECK(contains(error("replase"), "did you mean replace?"));
  CHECK(contains(error("plain:dcn2"), "plain is of no deformation"));
  CHECK(contains(error("replace:dcn9"), "no deformation 'dcn9'"));
}

TEST_CASE("pliant-segment: bad pictures and masks are one line each, or left out") {
  const TemporaryFolder folder;
  const fs::path root = folder.path() / "data";
  write_scenes(root, 8);
  const auto said = [&](std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"train",    root.string(),
                                      "--preset", "tiny",
                                      "--out",    (folder.path() / "net.safetensors").string()};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run_segment(words);
    CHECK(ended.status == 1);
    CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(folder.path() / "net.safetensors"));
    return ended.err;
  };
  const fs::path mask = root / "masks/3.png", image = root / "images/3.png";
  const std::string good_mask = text_of(mask), good_image = text_of(image);
  const auto restore = [](const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  };
  write_mask(mask, Tensor::zeros({24, 31}, DType::uint8));
  CHECK(contains(said(), "masks/3.png: the mask is 31 x 24 pixels, its picture, upright, 32 x 24"));
  write_mask(mask, Tensor::full({24, 32}, 9, DType::uint8));
  CHECK(contains(said(), "masks/3.png: the mask has a label 9"));
  fs::remove(mask);
  CHECK(contains(said(), "images/3.png: has no mask of its name"));
  restore(mask, good_mask);
  restore(image, good_image.substr(0, good_image.size() - 20));
  CHECK(contains(said(), "images/3.png"));
  restore(image, good_image);
  std::ofstream(root / "colours.txt") << "1 2 3 road\n3 2 1 tree\n";
  CHECK(contains(said(), "has the colour"));
  fs::remove(root / "colours.txt");
  fs::remove(mask);
  const segment::PictureSets sets =
      segment::open_pictures(root.string(), {.bad_files = BadFiles::skip});
  CHECK(sets.train.size() + sets.val.size() == 7);
  REQUIRE(sets.notices.size() == 1);
  CHECK(contains(sets.notices[0], "left out: "));
  CHECK(contains(error_of([] { segment::open_pictures("/nowhere", {}); }), "no such folder"));
  CHECK(contains(error_of([&] { segment::open_pictures(folder.path().string(), {}); }),
                 "expected ImageSets/Segmentation"));
}

TEST_CASE("pliant-segment: trains, is killed, goes on to the same bits, judges and labels") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write_scenes(root / "data", 14);
  const auto words = [&](const std::string& out) -> std::vector<std::string> {
    return {"train",
            (root / "data").string(),
            "--preset",
            "tiny",
            "--arm",
            "replace",
            "--deform",
            "dcn2",
            "--epochs",
            "6",
            "--batch",
            "4",
            "--crop-height",
            "24",
            "--crop-width",
            "32",
            "--class-weights",
            "--threads",
            "1",
            "--device",
            "cpu",
            "--log",
            out + ".jsonl",
            "--json",
            out + ".json",
            "--report",
            out + "-page",
            "--out",
            out + ".safetensors",
            "--checkpoint-seconds",
            "0",
            "--resume"};
  };
  const std::string calm = (root / "calm").string(), rough = (root / "rough").string();
  const Ended ended = run_segment(words(calm));
  REQUIRE_MESSAGE(ended.status == 0, ended.err);
  CHECK(contains(ended.out, "on val"));
  const std::string page = text_of(calm + "-page/index.html");
  for (const char* const part : {"Side by side", "Where it reads", "The worst pictures"})
    CHECK(contains(page, part));
  CHECK(contains(text_of(calm + ".jsonl"), "\"val/mean_iou\""));

  int stops = 0;
  for (int life = 60;; life += 20 + life / 8) {
    REQUIRE(life < 100000);
    if (run_segment(words(rough), stops % 2 == 0 ? SIGKILL : SIGINT, life).status == 0) break;
    stops += fs::exists(rough + ".safetensors.checkpoint") ? 1 : 0;
  }
  CHECK(stops >= 1);
  CHECK(text_of(rough + ".safetensors") == text_of(calm + ".safetensors"));
  CHECK(text_of(rough + ".jsonl") == text_of(calm + ".jsonl"));

  const std::string weights = calm + ".safetensors";
  const Ended eval = run_segment({"eval", (root / "data").string(), "--weights", weights});
  CHECK(eval.status == 0);
  CHECK(contains(eval.out, " pictures: mIoU "));

  folder.write("data/images/broken.png", {1, 2, 3});
  const Ended predict =
      run_segment({"predict", "--weights", weights, "--out", (root / "labels").string(), "--write",
                   "overlay,palette,index", "--flip", (root / "data/images").string()});
  CHECK(predict.status == 1);  // for the broken one alone
  CHECK(std::count(predict.err.begin(), predict.err.end(), '\n') == 1);
  CHECK(std::count(predict.out.begin(), predict.out.end(), '\n') == 14);
  const Tensor labels = read_mask(root / "labels/3.palette.png");
  CHECK(max_difference(labels, read_mask(root / "labels/3.index.png")) == 0);
  CHECK(read_image(root / "labels/3.overlay.png", ImageColour::rgb).shape() == Shape{24, 32, 3});
}

TEST_CASE("pliant-segment: a table, killed on the way, is that of one that was not") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  for (const char* const split : {"train", "val", "test"}) write_scenes(root / "data" / split, 8);
  fs::rename(root / "data/train/classes.txt", root / "data/classes.txt");
  const auto words = [&](const std::string& runs) -> std::vector<std::string> {
    return {"table",         (root / "data").string(),
            "--presets",     "tiny",
            "--arms",        "plain,extra,extra-fixed",
            "--seeds",       "1,2",
            "--epochs",      "2",
            "--batch",       "4",
            "--crop-height", "24",
            "--crop-width",  "32",
            "--draws",       "1",
            "--threads",     "1",
            "--device",      "cpu",
            "--commit",      "abc",
            "--checkpoint",  (root / runs).string(),
            "--report",      (root / (runs + "-page")).string(),
            "--resume"};
  };
  const Ended calm = run_segment(words("calm"));
  REQUIRE_MESSAGE(calm.status == 0, calm.err);
  CHECK(contains(calm.out, "tiny, extra-fixed"));
  CHECK(contains(calm.out, "95 % interval"));
  CHECK(contains(calm.out, "rotate -30"));
  CHECK(contains(text_of(root / "calm-page/index.html"), "The table"));
  const segment::Run run = segment::read_run(root / "calm/tiny-extra-seed2.json");
  CHECK(run.commit == "abc");
  CHECK(contains(run.command, "pliant-segment table"));
  CHECK(run.ids.size() == 8);
  CHECK(run.moved.size() == 14);

  for (int life = 200;; life += 200 + life / 4) {
    REQUIRE(life < 100000);
    if (run_segment(words("rough"), SIGKILL, life).status == 0) break;
  }
  for (const char* const name : {"tiny-plain-seed1", "tiny-extra-seed2", "tiny-extra-fixed-seed2"})
    CHECK(text_of(root / "rough" / (std::string(name) + ".safetensors")) ==
          text_of(root / "calm" / (std::string(name) + ".safetensors")));
  const Ended printed = run_segment({"table", "--checkpoint", (root / "rough").string()});
  CHECK(printed.status == 0);
  CHECK(contains(printed.out, "Scores on 8 test pictures"));
  std::vector<std::string> other = words("calm");
  other.insert(other.end(), {"--lr", "0.01"});
  CHECK(contains(run_segment(other).err, "was made with other options: lr is 0.1 there and 0.01"));
}
