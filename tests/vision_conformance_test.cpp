// The golden numbers for vision pass, and what is wrong in a file of them fails.
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

#include <doctest/doctest.h>

#include <pliant/tests/conformance/vision.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

namespace {

namespace fs = std::filesystem;
using namespace pliant;
using namespace pliant::conformance;
using pliant::test::contains;

const fs::path kGolden = fs::path(PLIANT_SOURCE_DIR) / "tests/golden/vision";

Json shipped(const char* name) {
  std::ifstream file(kGolden / name);
  return Json::parse(file);
}

// Results of a file of this name that says so.
std::vector<CaseResult> run(const std::string& name, const std::string& text) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / name) << text;
  return run_vision_file(folder.path() / name, {});
}

// The message of the one block of iou_nms.json that fails after a change.
std::string failure(const std::function<void(Json&)>& change) {
  Json json = shipped("iou_nms.json");
  change(json);
  std::vector<CaseResult> failed;
  for (const CaseResult& result : run("iou_nms.json", json.dump()))
    if (result.status != Status::passed) failed.push_back(result);
  REQUIRE(failed.size() == 1);
  return failed.front().op + ": " + failed.front().message;
}

}  // namespace

TEST_CASE("vision: every shipped block passes, in float64 and in float32") {
  int blocks = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(kGolden))
    for (const DType dtype : {DType::float64, DType::float32})
      for (const CaseResult& result : run_path(entry.path(), {dtype, Device::cpu()})) {
        CHECK_MESSAGE(result.status == Status::passed, result.op, ": ", result.message);
        ++blocks;
      }
  CHECK(blocks == 2 * 56);
}

TEST_CASE("vision: a number that is off fails, by its name") {
  CHECK(contains(failure([](Json& j) { j["iou_8x6_continuous"][0][0] = 0.5; }),
                 "iou_nms/iou_8x6_continuous: iou_8x6_continuous: worst deviation"));
  CHECK(contains(failure([](Json& j) { j["nms"]["0.5"]["continuous"][0] = 1; }),
                 "nms.0.5.continuous"));
  CHECK(contains(failure([](Json& j) { j["nms"]["0.5"]["continuous"].push_back(3); }), "shape"));
}

TEST_CASE("vision: what is missing, unknown or of another kind fails") {
  CHECK(contains(failure([](Json& j) { j["nms"]["0.5"].erase("plus_one"); }),
                 "nms.0.5.plus_one is missing"));
  CHECK(contains(failure([](Json& j) {
                   j["nms"]["0.5"]["more"] = {1, 2};
                 }),
                 "unknown nms.0.5.more"));
  CHECK(contains(failure([](Json& j) {
                   j["soft_nms"] = {{"kept", {1}}};
                 }),
                 "iou_nms/soft_nms: the block is unknown"));
  CHECK(contains(failure([](Json& j) { j["nms"]["0.5"]["plus_one"] = "none"; }), "a number"));
  CHECK(contains(failure([](Json& j) { j["classes"] = Json::array({0.5}); }), "whole numbers"));
}

TEST_CASE("vision: files that are no JSON, unknown or empty are failures of one line") {
  const std::vector<std::array<const char*, 3>> files = {
      {"iou_nms.json", "{", "is no JSON object"},
      {"iou_nms.json", "[1]", "is no JSON object"},
      {"iou_nms.json", "{}", "has no block"},
      {"other.json", "{}", "the file is unknown"}};
  for (const auto& [name, text, message] : files) {
    const std::vector<CaseResult> results = run(name, text);
    REQUIRE(results.size() == 1);
    CHECK(results.front().status == Status::failed);
    CHECK(results.front().message == message);
  }
  CHECK(run_vision_file("missing.json", {}).front().message == "cannot be read");
}
