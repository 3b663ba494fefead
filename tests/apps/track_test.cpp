// pliant-track: its shapes, its pairs, its trackers, and the program itself.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <pliant/apps/track/inputs.h>
#include <pliant/apps/track/judge.h>
#include <pliant/apps/track/statistics.h>
#include <pliant/apps/track/training.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/track_files.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

TEST_CASE("pliant-track: shapes are a pure function of their key, boxes are inside and tight") {
  for (std::uint64_t number = 0; number < 6; ++number) {
    const track::Video a = shapes(number, 60), b = shapes(number, 60);
    CHECK(max_difference(a.read(7), b.read(7)) == 0);
    for (std::int64_t i = 0; i < a.size(); ++i) {
      const auto& [x, y, w, h] = a.box(i);
      CHECK((x >= 0 && y >= 0 && w > 4 && h > 4 && x + w <= track::kShapeWidth &&
             y + h <= track::kShapeHeight));
      if (i > 0) CHECK(std::abs(x - a.box(i - 1)[0]) < 12);
    }
  }
}

TEST_CASE("pliant-track: a view has the target's box where the map says, in its middle") {
  const track::NetRecipe recipe;
  Tensor frame = Tensor::zeros({40, 61, 3}, DType::uint8);
  frame.mutable_data<std::uint8_t>()[3 * (20 * 61 + 30)] = 255;  // the pixel about (30.5, 20.5)
  const track::View view{.cx = 30.5, .cy = 20.5, .width = 21, .height = 21, .pixels = 63};
  const Point at = view.warp(40, 61).map()({30.5, 20.5});
  CHECK(at.x == doctest::Approx(31.5));
  CHECK(at.y == doctest::Approx(31.5));
  const Tensor seen = track::view_of(frame, view, recipe);
  CHECK(seen.shape() == Shape{1, 63, 63, 3});
  const auto values = seen.span<float>();
  const std::size_t brightest =
      static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  CHECK(brightest / 3 == 31 * 63 + 31);
}

TEST_CASE("pliant-track: pairs are drawn by key, anchors count as the rule says") {
  const track::NetRecipe recipe{.preset = "tiny"};
  const auto net = track::make_net(recipe);
  const track::Videos videos = {shapes(0), shapes(1)};
  const auto counts = [](const track::NetPair& pair) {
    std::array<std::int64_t, 2> all{};
    for (const std::int64_t label : pair.labels.span<std::int64_t>())
      if (label >= 0) ++all[static_cast<std::size_t>(label)];
    return all;
  };
  for (const double generated : {0.0, 1.0}) {
    const track::PairInput positive(videos, {}, *net, recipe,
                                    {.negatives = 0, .generated = generated});
    const track::PairInput negative(videos, {}, *net, recipe,
                                    {.negatives = 1, .generated = generated});
    std::int64_t found = 0;
    for (std::uint64_t i = 0; i < 8; ++i) {
      const Rng rng = Rng(1).fork(i);
      const track::NetPair one = positive.at(0, rng), same = positive.at(0, rng);
      CHECK(max_difference(one.search, same.search) == 0);
      const auto [without, with] = counts(one);
      CHECK((without <= 48 && with <= 16));
      found += with;
      double weight = 0;
      for (const float w : one.weights.span<float>()) weight += static_cast<double>(w);
      CHECK(weight == doctest::Approx(with > 0 ? 1 : 0));
      const auto [others, none] = counts(negative.at(0, rng));
      CHECK((others == 16 && none == 0));
    }
    CHECK(found > 16);
  }
  const Schedule lr = track::siamrpn_lr(0.005, 20, 10);
  CHECK(lr(0) == doctest::Approx(0.001));
  CHECK(lr(50) == doctest::Approx(0.005));
  CHECK(lr(199) == doctest::Approx(0.0005));
}

TEST_CASE("pliant-track: trivial trackers, and resets as VOT has them") {
  const track::Videos videos = {shapes(0, 40), shapes(1, 40)};
  for (const std::string& name : track::trivial_names()) {
    const auto tracker = track::trivial_tracker(name);
    const track::Judgement judgement = track::judge(*tracker, videos);
    CHECK((judgement.auc() > 0 && judgement.auc() < 1));
    CHECK((judgement.lengths().low == 8 && judgement.lengths().high == 32));
    for (const track::VideoScore& video : judgement.videos) {
      CHECK((video.boxes.size() == 40 && video.resets.overlaps.size() == 40));
      CHECK(std::ssize(video.resets.starts) >= video.resets.failures);
    }
  }
  CHECK(track::overlap_of({{0, 0}, {2, 0}, {2, 2}, {0, 2}}, {1, 0, 2, 2}) ==
        doctest::Approx(1.0 / 3));
}

TEST_CASE("pliant-track: an arm that starts as plain says the same as plain") {
  const track::Video video = shapes(2, 4);
  std::vector<std::vector<double>> all;
  for (const std::string& arm : track::arm_names()) {
    const track::NetRecipe recipe{.preset = "tiny", .arm = arm};
    const auto net = track::make_net(recipe);
    net->initialise(Rng(1));
    track::NetTracker tracker(*net, recipe, {});
    tracker.start(video.read(0), video.box(0));
    const TrackedBox box = tracker.follow(video.read(1));
    all.emplace_back(box.begin(), box.end());
    for (std::size_t i = 0; i < 4; ++i) CHECK(all.back()[i] == doctest::Approx(all.front()[i]));
  }
}

TEST_CASE("pliant-track: data that is no set, or has bad parts, is one line each") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  const auto said = [&](const fs::path& data) {
    const Ended ended = run_track(tiny(
        {"train", data.string(), "--epochs", "1", "--out", (root / "n.safetensors").string()}));
    CHECK(ended.status == 1);
    CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(root / "n.safetensors"));
    return ended.err;
  };
  CHECK(contains(said(root / "none"), "there is no such folder"));
  fs::create_directories(root / "empty");
  CHECK(contains(said(root / "empty"), "empty"));
  write_set(root / "vot");
  const fs::path truth = root / "vot/shapes1/groundtruth.txt";
  write_text(truth, "1,2,3\n");
  CHECK(contains(said(root / "vot"), "groundtruth.txt"));
  write_text(root / "vot/train.txt", "shapes0\nnowhere\n");
  CHECK(contains(said(root / "vot"), "nowhere"));
}

TEST_CASE("pliant-track: trains, is killed, goes on with the same bits, judges and follows") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write_set(root / "data");
  const auto words = [&](const std::string& out) {
    return tiny({"train",
                 (root / "data").string(),
                 "--arm",
                 "replace",
                 "--epochs",
                 "3",
                 "--pairs",
                 "16",
                 "--batch",
                 "4",
                 "--out",
                 out + ".safetensors",
                 "--log",
                 out + ".jsonl",
                 "--json",
                 out + ".json",
                 "--report",
                 out + "-page",
                 "--checkpoint-seconds",
                 "0",
                 "--resume"});
  };
  const std::string calm = (root / "calm").string(), rough = (root / "rough").string();
  const Ended ended = run_track(words(calm));
  REQUIRE_MESSAGE(ended.status == 0, ended.err);
  CHECK(contains(ended.out, "on val"));
  CHECK(contains(ended.out, "expected overlap"));
  CHECK(contains(text_of(calm + ".jsonl"), "\"val/auc\""));
  CHECK(contains(text_of(calm + "-page/index.html"), "What it answers"));
  int stops = 0;
  for (int life = 60;; life += 20 + life / 8) {
    REQUIRE(life < 200000);
    if (run_track(words(rough), SIGKILL, life).status == 0) break;
    stops += fs::exists(rough + ".safetensors.checkpoint") ? 1 : 0;
  }
  CHECK(stops >= 1);
  CHECK(text_of(rough + ".safetensors") == text_of(calm + ".safetensors"));
  CHECK(text_of(rough + ".jsonl") == text_of(calm + ".jsonl"));

  const fs::path results = root / "results", followed = root / "followed";
  const Ended eval =
      run_track({"eval", (root / "data").string(), "--weights", calm + ".safetensors", "--results",
                 results.string(), "--json", (root / "eval.json").string()});
  REQUIRE_MESSAGE(eval.status == 0, eval.err);
  CHECK(json_in(root / "eval.json")["videos"].size() == 1);
  const std::string otb = text_of(results / "otb/shapes4.txt");
  CHECK(std::count(otb.begin(), otb.end(), '\n') == 12);
  CHECK(text_of(results / "baseline/shapes4/shapes4_001.txt").starts_with("1\n"));
  const Ended pysot = run_track({"eval", (root / "data").string(), "--tracker", "stay",
                                 "--protocol", "pysot", "--json", (root / "eval.json").string()});
  REQUIRE_MESSAGE(pysot.status == 0, pysot.err);
  CHECK(contains(pysot.out, "as pysot has it"));
  CHECK(json_in(root / "eval.json")["expected_overlap_curve"].size() == 12);

  const auto follow = [&](const std::string& box) {
    return run_track({"run", (root / "data/shapes4").string(), "--box", box, "--weights",
                      calm + ".safetensors", "--out", followed.string()});
  };
  const Ended run = follow("40,40,30,30");
  REQUIRE_MESSAGE(run.status == 0, run.err);
  const std::string lines = text_of(followed / "boxes-1.txt");
  CHECK(lines.starts_with("40.0000,40.0000,30.0000,30.0000\n"));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 12);
  CHECK(fs::exists(followed / "00001000.png"));
  CHECK(contains(follow("40,40,30").err, "expected x,y,w,h"));
  CHECK(contains(follow("40,40,30,0").err, "expected sides above 0"));
  CHECK(contains(follow("4000,40,30,30").err, "--box: 4000,40,30,30 lies outside "));
}

TEST_CASE("pliant-track: differences are paired, and a net is no better than itself") {
  const std::vector<double> low = {0.2, 0.3, 0.1, 0.4}, high = {0.4, 0.5, 0.2, 0.5};
  const track::Difference better = track::difference_of({{.without = low, .with = high}}, 200);
  CHECK(better.mean == doctest::Approx(0.15));
  CHECK((better.low > 0 && better.low < better.mean && better.mean < better.high));
  CHECK(std::string(better.verdict()) == "better");
  const auto verdict = [](const std::vector<double>& without, const std::vector<double>& with) {
    return std::string(track::difference_of({{without, with}}, 200).verdict());
  };
  CHECK(verdict(high, low) == "worse");
  CHECK(verdict(low, low) == "no difference found");
}

TEST_CASE("pliant-track: a table of runs that are kept one by one") {
  const TemporaryFolder folder;
  const fs::path root = folder.path(), runs = root / "runs";
  write_set(root / "data");
  const auto words = [&](const std::string& arms, std::vector<std::string> more = {}) {
    std::vector<std::string> all =
        tiny({"table", (root / "data").string(), "--arms", arms, "--epochs", "1", "--pairs", "8",
              "--batch", "4", "--resamples", "20", "--seeds", "1,2", "--checkpoint", runs.string(),
              "--commit", "abc1234"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const Ended first = run_track(words("plain"));
  REQUIRE_MESSAGE(first.status == 0, first.err);
  const std::string kept = text_of(runs / "tiny-plain-seed1.json");
  CHECK(contains(kept, "abc1234"));
  CHECK(contains(kept, "--arms plain"));
  CHECK(fs::exists(runs / "none-correlation.json"));
  CHECK(contains(run_track(words("plain,replace")).err, "holds an earlier run"));
  const Ended second =
      run_track(words("plain,replace", {"--resume", "--report", (root / "page").string(), "--json",
                                        (root / "t.json").string()}));
  REQUIRE_MESSAGE(second.status == 0, second.err);
  CHECK(contains(second.out, "paired by seed"));
  CHECK(contains(second.out, "correlation"));
  CHECK(text_of(runs / "tiny-plain-seed1.json") == kept);
  CHECK(json_in(root / "t.json")["runs"].size() == 7);
  const std::string page = text_of(root / "page/index.html");
  CHECK(contains(page, "Differences of the AUC"));
  CHECK(contains(page, "What it answers"));
  CHECK(contains(page, "Where it reads: replace"));
  CHECK_FALSE(contains(page, "Where it reads: plain"));
  const Ended printed = run_track({"table", "--checkpoint", runs.string(), "--resamples", "20"});
  REQUIRE_MESSAGE(printed.status == 0, printed.err);
  CHECK(contains(printed.out, "tiny, replace"));
  CHECK(contains(run_track(words("plain", {"--resume", "--lr", "0.5"})).err,
                 "was made with other options"));
}
