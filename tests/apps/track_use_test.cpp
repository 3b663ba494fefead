// pliant-track: what it says of a tracker, penalties, and videos from a pipe.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <pliant/apps/track/judge.h>
#include <pliant/apps/track/nets.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/track_files.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

TEST_CASE("pliant-track: expected overlap with the frame of a new start is pysot's, ours without") {
  const Json vot =
      json_in(fs::path(PLIANT_SOURCE_DIR) / "tests/golden/vision/tracking_metrics.json")["vot"];
  track::Judgement judgement;
  for (const Json& sequence : vot["sequences"]) {
    ResetRun run;
    for (const Json& overlap : sequence["overlaps"])
      run.overlaps.push_back(overlap.is_null() ? std::nan("") : overlap.get<double>());
    for (std::size_t i = 0; i < sequence["states"].size(); ++i)
      if (sequence["states"][i] == "init") run.starts.push_back(static_cast<std::int64_t>(i));
    track::VideoScore score;
    score.resets = std::move(run);
    judgement.videos.push_back(std::move(score));
  }
  const std::vector<double> own = judgement.expected_overlap_curve();
  judgement.protocol = track::ResetProtocol::pysot;
  const std::vector<double> pysot = judgement.expected_overlap_curve();
  REQUIRE(pysot.size() == vot["curve"].size());
  bool is_less = false;
  for (std::size_t i = 0; i < pysot.size(); ++i) {
    CHECK(pysot[i] == doctest::Approx(vot["curve"][i].get<double>()).epsilon(1e-6));
    CHECK(own[i] <= pysot[i]);
    is_less |= own[i] < pysot[i];
  }
  CHECK(is_less);
  // Two fragments, 1 .6 0 0 0 and 1 .8: what is left out is the 1 of the new start alone.
  track::VideoScore score;
  score.resets = {.overlaps = {1, 0.6, std::nan(""), 1, 0.8}, .starts = {0, 3}, .failures = 1};
  track::Judgement small;
  small.videos = {score};
  CHECK(small.expected_overlap_curve()[3] == doctest::Approx(0.2));
  small.protocol = track::ResetProtocol::pysot;
  CHECK(small.expected_overlap_curve()[3] == doctest::Approx(1.6 / 3));
  // A target that comes later: the frames before it are not there.
  track::Judgement late = small;
  late.videos[0].resets.overlaps.insert(late.videos[0].resets.overlaps.begin(), 2, std::nan(""));
  late.videos[0].resets.starts = {2, 5};
  CHECK(late.expected_overlap_curve() == small.expected_overlap_curve());
  CHECK(late.accuracy() == small.accuracy());
}

TEST_CASE("pliant-track: penalties are searched on val, kept, and what is interrupted goes on") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write_set(root / "data");
  for (const auto& frame : fs::directory_iterator(root / "data/shapes4"))
    if (frame.path().extension() == ".png") write_text(frame.path(), "no picture");
  const track::NetRecipe recipe{.preset = "tiny", .penalty = 0, .window = 0, .rate = 1};
  const auto net = track::make_net(recipe);
  net->initialise(Rng(1));
  State state = net->state();  // boxes are the anchors: what is chosen is up to the penalties
  for (auto& entry : state)
    if (entry.first.starts_with("head.h_loc.")) entry.second = Tensor::zeros(entry.second.shape());
  net->load(state);
  const fs::path weights = root / "net.safetensors";
  track::save_net(weights, *net, recipe);
  const auto words = [&](const std::string& out, const char* tries) {
    return std::vector<std::string>{"tune",      (root / "data").string(),
                                    "--weights", weights.string(),
                                    "--out",     (root / (out + ".safetensors")).string(),
                                    "--json",    (root / (out + ".json")).string(),
                                    "--tries",   tries,
                                    "--threads", "1",
                                    "--resume"};
  };
  const Ended ended = run_track(words("calm", "12"));
  REQUIRE_MESSAGE(ended.status == 0, ended.err);
  const Json json = json_in(root / "calm.json");
  REQUIRE(json["tries"].size() == 12);
  CHECK(json["tries"][0]["penalty"] == recipe.penalty);
  double best = 0;
  for (const Json& one : json["tries"]) best = std::max(best, one["auc"].get<double>());
  CHECK(best > json["tries"][0]["auc"].get<double>());
  CHECK(json["best"]["auc"] == best);
  const track::LoadedNet tuned = track::load_net(root / "calm.safetensors");
  CHECK(tuned.recipe.penalty == json["best"]["penalty"]);
  CHECK(tuned.recipe.window == json["best"]["window"]);
  CHECK(tuned.recipe.rate == json["best"]["rate"]);
  CHECK(track::load_net(weights).recipe.penalty == recipe.penalty);
  const std::string last = ended.out.substr(0, ended.out.rfind((root / "calm").string()));
  CHECK(contains(last.substr(last.rfind('\n', last.size() - 2)), fixed(best, 3)));

  int stops = 0;
  const fs::path tries = root / "rough.safetensors.tries";
  for (int life = 30;; life += 10) {
    REQUIRE(life < 20000);
    if (run_track(words("rough", "12"), SIGKILL, life).status == 0) break;
    stops += fs::exists(tries) ? 1 : 0;
  }
  CHECK(stops >= 1);
  CHECK(text_of(root / "rough.json") == text_of(root / "calm.json"));
  CHECK(text_of(root / "rough.safetensors") == text_of(root / "calm.safetensors"));
  CHECK_FALSE(fs::exists(tries));
  const Ended judged = run_track({"eval", (root / "data").string(), "--split", "val", "--weights",
                                  (root / "calm.safetensors").string(), "--json",
                                  (root / "eval.json").string(), "--threads", "1"});
  REQUIRE_MESSAGE(judged.status == 0, judged.err);
  CHECK(json_in(root / "eval.json")["auc"] == best);
}

TEST_CASE("pliant-track: frames from a pipe give the boxes that the folder gives") {
  const TemporaryFolder folder;
  const fs::path root = folder.path(), frames = root / "shapes0";
  write_video(root, 0, 6);
  const track::NetRecipe recipe{.preset = "tiny"};
  const auto net = track::make_net(recipe);
  net->initialise(Rng(1));
  track::save_net(root / "net.safetensors", *net, recipe);
  const auto follow = [&](const std::string& from, const std::string& out) {
    return run_program(
        {"/bin/sh", "-c",
         from + PLIANT_PROGRAMS "/pliant-track run " + (from.empty() ? frames.string() : "-") +
             " --box 40,40,30,30 --threads 1 --weights " + (root / "net.safetensors").string() +
             " --out " + (root / out).string()});
  };
  const auto boxes_in = [&](const std::string& out) { return text_of(root / out / "boxes-1.txt"); };
  const std::string all = "cat " + frames.string() + "/*.png";
  CHECK(follow("", "folder").status == 0);
  const Ended piped = follow(all + " | ", "pipe");
  REQUIRE_MESSAGE(piped.status == 0, piped.err);
  const std::string boxes = boxes_in("folder");
  CHECK(boxes_in("pipe") == boxes);
  CHECK(fs::exists(root / "pipe/000006.png"));

  const Ended cut = follow("(" + all + ") | head -c -9 | ", "cut");
  CHECK(cut.status == 1);
  CHECK(std::count(cut.err.begin(), cut.err.end(), '\n') == 1);
  CHECK(contains(cut.err, "standard input, picture 6: the stream ends within it"));
  CHECK(boxes.starts_with(boxes_in("cut")));
  CHECK(std::count(boxes.begin(), boxes.end(), '\n') == 6);
  const std::string kept = boxes_in("cut");
  CHECK(std::count(kept.begin(), kept.end(), '\n') == 5);

  CHECK(contains(follow("(" + all + "; echo foreign) | ", "foreign").err, "begins as no picture"));
  CHECK(boxes_in("foreign") == boxes);
  CHECK(contains(follow("true | ", "none").err, "has no picture"));
  CHECK_FALSE(fs::exists(root / "none/boxes-1.txt"));
}
