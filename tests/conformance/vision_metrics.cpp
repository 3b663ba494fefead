// Average precision and what trackers are judged by.
#include <algorithm>

#include <pliant/layers/train/detection_metrics.h>
#include <pliant/layers/train/tracking_metrics.h>
#include <pliant/tests/conformance/vision.h>

namespace pliant::conformance {

namespace {

template <std::size_t N>
std::array<double, N> array_of(const Block& block, const std::string& name) {
  const std::vector<double> numbers = block.numbers(name);
  require(numbers.size() == N, name, " has ", numbers.size(), " numbers, expected ", N);
  std::array<double, N> all;
  std::copy(numbers.begin(), numbers.end(), all.begin());
  return all;
}

std::vector<TrueBox> truth_of(const Block& file) {
  std::vector<TrueBox> all;
  for (const Block& box : file.each("ground_truth"))
    all.push_back({.image = box.integer("image"),
                   .label = box.integer("class"),
                   .box = array_of<4>(box, "box"),
                   .difficult = box.integer("difficult") != 0});
  return all;
}

std::vector<FoundBox> found_of(const Block& file) {
  std::vector<FoundBox> all;
  for (const Block& box : file.each("detections"))
    all.push_back(
        {box.integer("image"), box.integer("class"), array_of<4>(box, "box"), box.number("score")});
  return all;
}

void voc(const Block& block) {
  const std::vector<TrueBox> truth = truth_of(block.file());
  const std::vector<FoundBox> found = found_of(block.file());
  const std::int64_t classes = block.file().integer("classes");
  for (const std::string& threshold : block.names()) {
    const Block at = block.at(threshold);
    VOCOptions options{.iou_threshold = parse_real("threshold", threshold)};
    double by_points = 0, by_area = 0;
    for (std::int64_t label = 0; label < classes; ++label) {
      const Block of = at.at(std::to_string(label));
      options.inclusive = true;
      const PrecisionRecall curve = precision_recall(truth, found, label, options);
      of.expect("npos", static_cast<double>(curve.positives));
      of.expect("recall", curve.recall);
      of.expect("precision", curve.precision);
      of.expect("ap_11_point", average_precision_11_point(curve));
      of.expect("ap_all_point", average_precision(curve));
      by_points += average_precision_11_point(curve);
      by_area += average_precision(curve);
      options.inclusive = false;
      const PrecisionRecall continuous = precision_recall(truth, found, label, options);
      of.expect("ap_11_point_continuous_iou", average_precision_11_point(continuous));
      of.expect("ap_all_point_continuous_iou", average_precision(continuous));
    }
    at.expect("map_11_point", by_points / static_cast<double>(classes));
    at.expect("map_all_point", by_area / static_cast<double>(classes));
  }
}

void coco(const Block& block) {
  const std::vector<std::string> order = {"AP",        "AP50",     "AP75",      "AP_small",
                                          "AP_medium", "AP_large", "AR1",       "AR10",
                                          "AR100",     "AR_small", "AR_medium", "AR_large"};
  require(block.texts("stats_order") == order, "stats_order is another one than pycocotools'");
  std::vector<TrueBox> truth = truth_of(block.file());
  for (TrueBox& box : truth) box.difficult = false;  // all are ordinary
  const COCOFigures figures =
      coco_figures(truth, found_of(block.file()), block.file().integer("classes"));
  const std::array<double, 12> all = figures.all();
  block.expect("stats", std::vector<double>(all.begin(), all.end()));
  block.expect("ap_per_class", figures.ap_of_label);
  block.expect("ap50_per_class", figures.ap50_of_label);
}

Polygon polygon_of(const std::vector<double>& numbers) {
  Polygon polygon;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2)
    polygon.push_back({numbers[i], numbers[i + 1]});
  return polygon;
}

void polygons(const Block& block) {
  for (const Block& one : block.each("cases")) {
    const Polygon polygon = polygon_of(one.numbers("polygon"));
    one.expect("iou", polygon_iou(polygon, polygon_of(one.numbers("rectangle_as_polygon"))));
    require(polygon.size() == 4, "a polygon has ", polygon.size(), " corners, expected 4");
    const CentredBox box = axis_aligned_box({polygon[0], polygon[1], polygon[2], polygon[3]});
    one.expect("axis_aligned_cx_cy_w_h", std::vector<double>{box.cx, box.cy, box.w, box.h});
  }
}

std::vector<TrackedBox> boxes_of(const std::vector<double>& numbers) {
  std::vector<TrackedBox> boxes;
  for (std::size_t i = 0; i + 3 < numbers.size(); i += 4)
    boxes.push_back({numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]});
  return boxes;
}

void otb(const Block& block) {
  const std::vector<TrackedBox> truth = boxes_of(block.numbers("gt"));
  const std::vector<TrackedBox> tracked = boxes_of(block.numbers("prediction"));
  const std::vector<double> success = success_curve(truth, tracked);
  const std::vector<double> precision = precision_curve(truth, tracked);
  block.expect("success", success);
  block.expect("auc", success_auc(success));
  block.expect("precision", precision);
  block.expect("precision_at_20", precision[20]);
}

ResetRun run_of(const Block& sequence) {
  ResetRun run{.overlaps = sequence.numbers("overlaps")};
  std::vector<double> failed;
  for (std::int64_t i = 0; const std::string& state : sequence.texts("states")) {
    if (state == "init") run.starts.push_back(i);
    if (state == "fail") failed.push_back(static_cast<double>(i));
    ++i;
  }
  run.failures = std::ssize(failed);
  sequence.expect("failures", failed);
  sequence.expect("length", static_cast<double>(run.overlaps.size()));
  return run;
}

void vot(const Block& block) {
  std::vector<ResetRun> runs;
  std::vector<double> accuracy, failures;
  for (const Block& sequence : block.each("sequences")) {
    runs.push_back(run_of(sequence));
    accuracy.push_back(tracking_accuracy({&runs.back(), 1}));
    failures.push_back(static_cast<double>(runs.back().failures));
  }
  block.expect("accuracy_per_sequence", accuracy);
  block.expect("accuracy_mean_of_all_frames", tracking_accuracy(runs));
  block.expect("failures", failures);
  const Tolerance float32{.absolute = 1e-6};  // the original's arithmetic
  const std::vector<double> curve = expected_overlap_curve(runs);
  block.expect("curve", Tensor::from(curve, {std::ssize(curve)}), float32);
  const double eao = expected_average_overlap(curve, block.integer("lo"), block.integer("hi"));
  block.expect("eao", Tensor::scalar(eao, DType::float64), float32);
}

}  // namespace

VisionFile average_precision_file() {
  return {.tolerance = {.absolute = 1e-12},
          .blocks = {{"voc", voc}, {"coco", coco}},
          .inputs = {"images", "classes", "ground_truth", "detections"}};
}

VisionFile tracking_metrics_file() {
  return {.tolerance = {.relative = 1e-12, .absolute = 1e-12},
          .blocks = {{"polygon_overlap", polygons}, {"otb", otb}, {"vot", vot}},
          .inputs = {}};
}

}  // namespace pliant::conformance
