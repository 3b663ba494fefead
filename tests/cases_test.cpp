// That no op is forgotten.
#include <filesystem>
#include <set>
#include <string>

#include <pliant/tests/all_cases.h>

using namespace pliant;
using namespace pliant::test;

namespace fs = std::filesystem;

TEST_CASE("cases: every op has a test of its stem, and cases that a GPU is held against") {
  const fs::path root = PLIANT_SOURCE_DIR;
  // What training on boxes is told, and what is made of a net's results: on the CPU, no gradient.
  const std::set<std::string> without = {"anchors", "box_matching", "detections", "nms"};
  std::set<std::string> with;
  for (const StemCases& of : cases_by_stem())
    if (!of.cases.empty()) with.insert(of.stem);
  int ops = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(root / "autograd/ops")) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() != ".h" || stem == "loss_reduction") continue;
    CAPTURE(stem);
    CHECK(fs::exists(root / "tests" / (stem + "_test.cpp")));
    CHECK(with.contains(stem) != without.contains(stem));
    ++ops;
  }
  CHECK(ops > 45);
}
