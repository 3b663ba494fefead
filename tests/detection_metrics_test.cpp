// Average precision by hand, and what the rules say of crowds, areas, difficult boxes and ties.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <pliant/layers/train/detection_metrics.h>
#include <pliant/tests/op_case.h>

namespace {

using namespace pliant;
using pliant::test::contains;
using pliant::test::error_of;
using Numbers = std::vector<double>;

constexpr Corners kHere = {0, 0, 10, 10}, kThere = {50, 50, 90, 90}, kNowhere = {200, 0, 210, 10};

TrueBox truth(std::int64_t image, const Corners& box) { return {.image = image, .box = box}; }
FoundBox found(std::int64_t image, const Corners& box, double score) {
  return {.image = image, .box = box, .score = score};
}

}  // namespace

TEST_CASE("precision_recall: hits, a second hit, a miss") {
  const std::vector<TrueBox> boxes = {truth(0, kHere), truth(1, kHere)};
  const std::vector<FoundBox> all = {found(0, kHere, 0.9), found(0, kHere, 0.8),
                                     found(1, kNowhere, 0.7), found(1, kHere, 0.6)};
  const PrecisionRecall curve = precision_recall(boxes, all, 0);
  CHECK(curve.positives == 2);
  CHECK(curve.recall == Numbers{0.5, 0.5, 0.5, 1});
  CHECK(curve.precision == Numbers{1, 0.5, 1.0 / 3, 0.5});
  CHECK(average_precision(curve) == doctest::Approx(0.75));
  CHECK(average_precision_11_point(curve) == doctest::Approx((6 + 5 * 0.5) / 11));
}

TEST_CASE("precision_recall: difficult boxes are neither to be found nor wrong to find") {
  TrueBox difficult = truth(0, kThere);
  difficult.difficult = true;
  const PrecisionRecall curve = precision_recall({truth(0, kHere), difficult},
                                                 {found(0, kThere, 0.9), found(0, kHere, 0.8)}, 0);
  CHECK(curve.positives == 1);
  CHECK(curve.precision == Numbers{0, 1});
  CHECK(average_precision(curve) == 1);
}

TEST_CASE("precision_recall: the threshold is strict, and a side of pixels is one longer") {
  const std::vector<TrueBox> boxes = {truth(0, {0, 0, 10, 10})};
  const std::vector<FoundBox> half = {found(0, {0, 0, 10, 5}, 1)};
  CHECK(precision_recall(boxes, half, 0, {.inclusive = false}).recall == Numbers{0});
  CHECK(precision_recall(boxes, half, 0).recall == Numbers{1});  // 66 / 121
}

TEST_CASE("average precision: nothing to find, nothing found, another label, a score of NaN") {
  CHECK(std::isnan(average_precision(precision_recall({}, {found(0, kHere, 1)}, 0))));
  CHECK(std::isnan(average_precision_11_point(precision_recall({}, {}, 0))));
  CHECK(average_precision(precision_recall({truth(0, kHere)}, {}, 0)) == 0);
  CHECK(precision_recall({truth(0, kHere)}, {found(0, kHere, 1)}, 1).recall.empty());
  CHECK(contains(error_of([] { precision_recall({}, {found(3, kHere, NAN)}, 0); }), "image 3"));
}

TEST_CASE("a recall of 0.3 does not reach the fourth of eleven points") {
  PrecisionRecall curve{.positives = 10, .recall = {0.3}, .precision = {1}};
  CHECK(average_precision_11_point(curve) == doctest::Approx(3.0 / 11));
  curve.recall = {0.3 + 1e-12};
  CHECK(average_precision_11_point(curve) == doctest::Approx(4.0 / 11));
}

TEST_CASE("coco_figures: all found, by size; nothing to find is -1") {
  const std::vector<TrueBox> boxes = {truth(0, kHere), truth(0, kThere)};
  const COCOFigures figures = coco_figures(boxes, {found(0, kHere, 0.9), found(0, kThere, 0.8)}, 2);
  CHECK(figures.ap == doctest::Approx(1));
  CHECK(figures.ap_small == doctest::Approx(1));   // 100 pixels
  CHECK(figures.ap_medium == doctest::Approx(1));  // 1600
  CHECK(figures.ap_large == -1);
  CHECK(figures.ar_1 == 0.5);
  CHECK(figures.ar_10 == 1);
  CHECK(figures.ap_of_label.size() == 2);
  CHECK(figures.ap_of_label[1] == -1);
}

TEST_CASE("coco_figures: a detection takes the best box that is left, unlike VOC's") {
  const Corners a = {0, 0, 10, 10}, b = {0, 2, 10, 12};
  const std::vector<TrueBox> boxes = {truth(0, a), truth(0, b)};
  const std::vector<FoundBox> twice = {found(0, a, 0.9), found(0, a, 0.8)};
  CHECK(coco_figures(boxes, twice, 1).ap50 == doctest::Approx(1));
  CHECK(average_precision(precision_recall(boxes, twice, 0)) == doctest::Approx(0.5));
}

TEST_CASE("coco_figures: a crowd hides what lies in it, and its area is what is said") {
  TrueBox crowd = truth(0, {0, 0, 100, 100});
  crowd.crowd = true;
  const std::vector<FoundBox> all = {found(0, {10, 10, 20, 20}, 0.9),
                                     found(0, {30, 30, 40, 40}, 0.8), found(0, kNowhere, 0.7)};
  CHECK(coco_figures({crowd, truth(0, kNowhere)}, all, 1).ap == doctest::Approx(1));
  CHECK(coco_figures({truth(0, kNowhere)}, all, 1).ap == doctest::Approx(1.0 / 3));
  TrueBox thin = truth(0, {0, 0, 100, 100});
  thin.area = 500;
  const COCOFigures figures = coco_figures({thin}, {found(0, thin.box, 1)}, 1);
  CHECK(figures.ap_small == doctest::Approx(1));
  CHECK(figures.ap_large == -1);
}

TEST_CASE("coco_figures: no more than a hundred of an image") {
  std::vector<FoundBox> all;
  for (int i = 0; i < 100; ++i) all.push_back(found(0, kNowhere, 1));
  all.push_back(found(0, kHere, 0.5));
  CHECK(coco_figures({truth(0, kHere)}, all, 1).ar_100 == 0);
  all.erase(all.begin());
  CHECK(coco_figures({truth(0, kHere)}, all, 1).ar_100 == 1);
  CHECK(contains(error_of([] { coco_figures({}, {}, 0); }), "expected 1 to 32768"));
}
