#include <pliant/layers/train/detection_metrics.h>

#include <algorithm>
#include <cmath>
#include <map>

#include <pliant/core/error.h>

namespace pliant {
namespace {

double side(double low, double high, double one) { return std::max(high - low + one, 0.0); }

double area(const Corners& box, double one) {
  return side(box[0], box[2], one) * side(box[1], box[3], one);
}

double shared_area(const Corners& a, const Corners& b, double one) {
  return side(std::max(a[0], b[0]), std::min(a[2], b[2]), one) *
         side(std::max(a[1], b[1]), std::min(a[3], b[3]), one);
}

double iou(const Corners& a, const Corners& b, double one) {
  const double shared = shared_area(a, b, one);
  const double all = area(a, one) + area(b, one) - shared;
  return all > 0 ? shared / all : 0;
}

void check(const std::vector<FoundBox>& found) {
  for (const FoundBox& box : found)
    require(std::isfinite(box.score), "average precision: a detection in image ", box.image,
            " has the score ", box.score, ", expected a finite number");
}

void sort_by_score(std::vector<const FoundBox*>& found) {
  std::stable_sort(found.begin(), found.end(),
                   [](const FoundBox* a, const FoundBox* b) { return a->score > b->score; });
}

// Each the largest of itself and those after it, so that the curve nowhere rises.
void make_falling(std::vector<double>& precision) {
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
}

// A true box and whether it was hit.
struct Target {
  const TrueBox* box;
  bool hit = false;
};

// What becomes of one detection.
enum class Verdict : unsigned char { right, wrong, neither };

Verdict judge(const FoundBox& found, std::vector<Target>& targets, const VOCOptions& options) {
  double most = -1;
  Target* best = nullptr;
  for (Target& target : targets) {
    const double overlap = iou(found.box, target.box->box, options.inclusive ? 1 : 0);
    if (overlap <= most) continue;
    most = overlap;
    best = &target;
  }
  if (best == nullptr || !(most > options.iou_threshold)) return Verdict::wrong;
  if (best->box->difficult) return Verdict::neither;
  if (best->hit) return Verdict::wrong;
  best->hit = true;
  return Verdict::right;
}

}  // namespace

PrecisionRecall precision_recall(const std::vector<TrueBox>& truth,
                                 const std::vector<FoundBox>& found, std::int64_t label,
                                 const VOCOptions& options) {
  check(found);
  PrecisionRecall curve;
  std::map<std::int64_t, std::vector<Target>> images;
  for (const TrueBox& box : truth) {
    if (box.label != label) continue;
    images[box.image].push_back({&box});
    curve.positives += box.difficult ? 0 : 1;
  }
  std::vector<const FoundBox*> order;
  for (const FoundBox& box : found)
    if (box.label == label) order.push_back(&box);
  sort_by_score(order);
  double right = 0, wrong = 0;
  for (const FoundBox* box : order) {
    const Verdict verdict = judge(*box, images[box->image], options);
    right += verdict == Verdict::right ? 1 : 0;
    wrong += verdict == Verdict::wrong ? 1 : 0;
    curve.recall.push_back(right / static_cast<double>(curve.positives));
    curve.precision.push_back(right + wrong > 0 ? right / (right + wrong) : 0);
  }
  return curve;
}

double average_precision_11_point(const PrecisionRecall& curve) {
  if (curve.positives == 0) return std::nan("");
  double sum = 0;
  for (int point = 0; point <= 10; ++point) {
    double best = 0;
    for (std::size_t i = 0; i < curve.recall.size(); ++i)
      if (curve.recall[i] >= point * 0.1) best = std::max(best, curve.precision[i]);
    sum += best / 11;
  }
  return sum;
}

double average_precision(const PrecisionRecall& curve) {
  if (curve.positives == 0) return std::nan("");
  std::vector<double> precision = curve.precision;
  make_falling(precision);
  double sum = 0, before = 0;
  for (std::size_t i = 0; i < precision.size(); ++i) {
    sum += (curve.recall[i] - before) * precision[i];
    before = curve.recall[i];
  }
  return sum;
}

// ---- COCO ----

namespace {

constexpr std::size_t kThresholds = 10, kPoints = 101, kMostFound = 100;
using ByThreshold = std::array<bool, kThresholds>;

double threshold(std::size_t i) {
  const double last = 0.95, step = (last - 0.5) / 9;  // numpy.linspace
  return i == 9 ? last : 0.5 + static_cast<double>(i) * step;
}
double point(std::size_t i) { return i == 100 ? 1.0 : static_cast<double>(i) * 0.01; }

struct AreaRange {
  double low, high;
  bool holds(double size) const { return size >= low && size <= high; }
};
constexpr double kAnyArea = 1e10;
constexpr AreaRange kAll = {0, kAnyArea}, kSmall = {0, 32 * 32}, kMedium = {32 * 32, 96 * 96},
                    kLarge = {96 * 96, kAnyArea};

// The boxes of one label in one image: detections by descending score.
struct Scene {
  std::vector<const TrueBox*> truth;
  std::vector<const FoundBox*> found;
};
using Scenes = std::map<std::int64_t, Scene>;

// Of each label.
std::vector<Scenes> scenes_of(const std::vector<TrueBox>& truth, const std::vector<FoundBox>& found,
                              std::int64_t classes) {
  std::vector<Scenes> labels(static_cast<std::size_t>(classes));
  const auto scene_of = [&](const auto& box) -> Scene* {
    if (box.label < 0 || box.label >= classes) return nullptr;
    return &labels[static_cast<std::size_t>(box.label)][box.image];
  };
  for (const TrueBox& box : truth)
    if (Scene* const scene = scene_of(box)) scene->truth.push_back(&box);
  for (const FoundBox& box : found)
    if (Scene* const scene = scene_of(box)) scene->found.push_back(&box);
  for (Scenes& scenes : labels)
    for (auto& [image, scene] : scenes) {
      sort_by_score(scene.found);
      scene.found.resize(std::min(scene.found.size(), kMostFound));
    }
  return labels;
}

double overlap(const FoundBox& found, const TrueBox& truth) {
  if (!truth.crowd) return iou(found.box, truth.box, 0);
  const double own = area(found.box, 0);
  return own > 0 ? shared_area(found.box, truth.box, 0) / own : 0;
}

// One detection, at every threshold: whether it hit, and whether it counts at all.
struct Outcome {
  double score = 0;
  ByThreshold hit = {}, ignored = {};
};

// True boxes of a scene in the order in which they are tried, those that do not count last.
struct Tried {
  const TrueBox* box;
  bool ignored;
  bool taken = false;
};

std::vector<Tried> tried(const Scene& scene, const AreaRange& range) {
  std::vector<Tried> all;
  for (const TrueBox* box : scene.truth) {
    const double size = box->area >= 0 ? box->area : area(box->box, 0);
    all.push_back({box, box->crowd || !range.holds(size)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Tried& a, const Tried& b) { return !a.ignored && b.ignored; });
  return all;
}

// The box that the detection takes; one that counts goes before all that do not.
Tried* match(const FoundBox& found, std::vector<Tried>& boxes, double least) {
  Tried* best = nullptr;
  for (Tried& candidate : boxes) {
    if (candidate.taken && !candidate.box->crowd) continue;
    if (best != nullptr && !best->ignored && candidate.ignored) break;
    const double now = overlap(found, *candidate.box);
    if (now < least) continue;
    least = now;
    best = &candidate;
  }
  return best;
}

// Outcomes of the first `most` detections of a scene; adds up the boxes to be found.
void judge(const Scene& scene, const AreaRange& range, std::size_t most,
           std::vector<Outcome>& outcomes, std::int64_t& positives) {
  const std::vector<Tried> boxes = tried(scene, range);
  positives += std::count_if(boxes.begin(), boxes.end(), [](const Tried& t) { return !t.ignored; });
  const std::size_t first = outcomes.size(), count = std::min(most, scene.found.size());
  for (std::size_t d = 0; d < count; ++d) outcomes.push_back({scene.found[d]->score});
  for (std::size_t t = 0; t < kThresholds; ++t) {
    std::vector<Tried> left = boxes;
    for (std::size_t d = 0; d < count; ++d) {
      Outcome& outcome = outcomes[first + d];
      const FoundBox& found = *scene.found[d];
      Tried* const taken = match(found, left, std::min(threshold(t), 1 - 1e-10));
      if (taken != nullptr) taken->taken = true;
      outcome.hit[t] = taken != nullptr;
      outcome.ignored[t] = taken != nullptr ? taken->ignored : !range.holds(area(found.box, 0));
    }
  }
}

// Of one label, range of areas and number of detections, at every threshold.
struct Curves {
  bool any = false;  // whether there was something to find
  std::array<std::array<double, kPoints>, kThresholds> precision = {};
  std::array<double, kThresholds> recall = {};
};

void draw(const std::vector<Outcome>& outcomes, std::int64_t positives, std::size_t t,
          Curves& curves) {
  std::vector<double> recall, precision;
  double right = 0, wrong = 0;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.ignored[t]) (outcome.hit[t] ? right : wrong) += 1;
    recall.push_back(right / static_cast<double>(positives));
    precision.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  make_falling(precision);
  curves.recall[t] = recall.empty() ? 0 : recall.back();
  for (std::size_t i = 0; i < kPoints; ++i) {
    const auto at = std::lower_bound(recall.begin(), recall.end(), point(i)) - recall.begin();
    if (at < std::ssize(precision))
      curves.precision[t][i] = precision[static_cast<std::size_t>(at)];
  }
}

Curves curves_of(const Scenes& scenes, const AreaRange& range, std::size_t most) {
  Curves curves;
  std::vector<Outcome> outcomes;
  std::int64_t positives = 0;
  for (const auto& [image, scene] : scenes) judge(scene, range, most, outcomes, positives);
  std::stable_sort(outcomes.begin(), outcomes.end(),
                   [](const Outcome& a, const Outcome& b) { return a.score > b.score; });
  curves.any = positives > 0;
  for (std::size_t t = 0; t < kThresholds && curves.any; ++t) draw(outcomes, positives, t, curves);
  return curves;
}

// Means over the labels that have something to find: -1 where none has.
class Mean {
 public:
  void add(double number) {
    sum_ += number;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : -1; }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

constexpr std::size_t kEvery = kThresholds;  // in the place of one threshold's number

double mean_precision(const std::vector<Curves>& labels, std::size_t only) {
  Mean mean;
  for (const Curves& curves : labels)
    for (std::size_t t = 0; t < kThresholds && curves.any; ++t)
      if (only == kEvery || only == t)
        for (const double precision : curves.precision[t]) mean.add(precision);
  return mean.value();
}

double mean_recall(const std::vector<Curves>& labels) {
  Mean mean;
  for (const Curves& curves : labels)
    for (std::size_t t = 0; t < kThresholds && curves.any; ++t) mean.add(curves.recall[t]);
  return mean.value();
}

}  // namespace

COCOFigures coco_figures(const std::vector<TrueBox>& truth, const std::vector<FoundBox>& found,
                         std::int64_t classes) {
  constexpr std::int64_t kMostClasses = 1 << 15;
  require(classes >= 1 && classes <= kMostClasses, "coco_figures: ", classes,
          " classes, expected 1 to ", kMostClasses);
  check(found);
  const std::vector<Scenes> labels = scenes_of(truth, found, classes);
  const auto all = [&](const AreaRange& range, std::size_t most) {
    std::vector<Curves> curves;
    for (const Scenes& scenes : labels) curves.push_back(curves_of(scenes, range, most));
    return curves;
  };
  const std::vector<Curves> whole = all(kAll, kMostFound), small = all(kSmall, kMostFound),
                            medium = all(kMedium, kMostFound), large = all(kLarge, kMostFound);
  COCOFigures figures{.ap = mean_precision(whole, kEvery),
                      .ap50 = mean_precision(whole, 0),
                      .ap75 = mean_precision(whole, 5),
                      .ap_small = mean_precision(small, kEvery),
                      .ap_medium = mean_precision(medium, kEvery),
                      .ap_large = mean_precision(large, kEvery),
                      .ar_1 = mean_recall(all(kAll, 1)),
                      .ar_10 = mean_recall(all(kAll, 10)),
                      .ar_100 = mean_recall(whole),
                      .ar_small = mean_recall(small),
                      .ar_medium = mean_recall(medium),
                      .ar_large = mean_recall(large)};
  for (const Curves& curves : whole) {
    figures.ap_of_label.push_back(mean_precision({curves}, kEvery));
    figures.ap50_of_label.push_back(mean_precision({curves}, 0));
  }
  return figures;
}

}  // namespace pliant
