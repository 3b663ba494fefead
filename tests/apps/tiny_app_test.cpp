// A second program on apps/kit and apps/page: nothing in them knows the first.
#include <csignal>
#include <filesystem>
#include <regex>

#include <nlohmann/json.hpp>

#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/program.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

// One start, ended by `signal` after so many milliseconds unless it ends before.
Ended run(const fs::path& folder, std::vector<std::string> words, int signal = 0,
          int milliseconds = 0) {
  const std::vector<std::string> all = {PLIANT_TINY_APP,
                                        "--out",
                                        folder,
                                        "--epochs",
                                        "12",
                                        "--device",
                                        "cpu",
                                        "--threads",
                                        "1",
                                        "--json",
                                        folder.string() + ".json"};
  words.insert(words.begin(), all.begin(), all.end());
  return run_program(words, signal, milliseconds);
}

// What it wrote, but for times.
nlohmann::ordered_json figures_in(const fs::path& folder) {
  auto json = nlohmann::ordered_json::parse(text_of(folder.string() + ".json"));
  for (const char* key : {"seconds", "wait_seconds"}) json.erase(key);
  return json;
}

// Stopped and started until it ends by itself: the same bits as without a stop.
void check_survives(int signal, const std::vector<std::string>& words) {
  const TemporaryFolder runs;
  const fs::path calm = runs.path() / "calm", rough = runs.path() / "rough";
  REQUIRE(run(calm, words).status == 0);
  int stops = 0;
  for (int life = 5;; life += 1 + life / 8) {
    REQUIRE(life < 100000);
    const int status = run(rough, words, signal, life).status;
    if (status == 0) break;
    CHECK(status == 128 + signal);
    stops += fs::exists(rough / "net.checkpoint") ? 1 : 0;
  }
  CHECK(stops >= 2);  // in the middle of the training
  CHECK(text_of(rough / "net.safetensors") == text_of(calm / "net.safetensors"));
  CHECK(text_of(rough / "index.html") == text_of(calm / "index.html"));
  CHECK(figures_in(rough) == figures_in(calm));
  CHECK_FALSE(fs::exists(rough / "net.checkpoint"));
}

}  // namespace

TEST_CASE("tiny app: stopped by Ctrl-C or killed, it ends with the bits of an undisturbed run") {
  check_survives(SIGINT, {});
  check_survives(SIGKILL, {});
}

TEST_CASE("tiny app: so it does by captured steps") { check_survives(SIGINT, {"--captured"}); }

TEST_CASE("tiny app: a page with a chart, and figures") {
  const TemporaryFolder runs;
  const fs::path folder = runs.path() / "run";
  const Ended ended = run(folder, {});
  REQUIRE(ended.status == 0);
  CHECK(std::regex_match(ended.out, std::regex("[0-9.]+ % right\n")));
  const std::string page = text_of(folder / "index.html");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(contains(page, "<title>Discs &amp; rings</title>"));
  CHECK(contains(page, "<figure class=\"chart\"><figcaption>Training loss</figcaption><svg"));
  const auto json = figures_in(folder);
  CHECK(json["images_seen"] == 12 * 96);
  REQUIRE(json["epochs"].size() == 12);
  CHECK(json["epochs"][11]["measured"] > 0.8);
  CHECK(json["curve"].back()[2] < json["curve"].front()[2]);
}

TEST_CASE("tiny app: a checkpoint of other options is refused in one line") {
  const TemporaryFolder runs;
  const fs::path folder = runs.path() / "run";
  for (int life = 20; !fs::exists(folder / "net.checkpoint"); life += life / 4)
    REQUIRE(run(folder, {}, SIGTERM, life).status != 0);
  const Ended other = run(folder, {"--captured"});
  CHECK(other.status == 1);
  CHECK(contains(other.err,
                 "net.checkpoint cannot be used (it belongs to another training: "
                 "captured is false there and true here); delete it"));
}
