#include <pliant/apps/track/judge.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/text_table.h>
#include <pliant/core/text.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kSkipped = 5;  // frames from a failure to the next start
constexpr std::size_t kPrecisionPixels = 20;

// The upright box that a tracker starts with.
TrackedBox start_of(const Polygon& outline, const TrackedBox& box) {
  constexpr std::size_t kCorners = 4;
  if (outline.size() != kCorners || std::abs(polygon_area(outline) - box[2] * box[3]) < 1e-3)
    return box;
  const CentredBox of = axis_aligned_box({outline[0], outline[1], outline[2], outline[3]});
  return {of.cx - of.w / 2, of.cy - of.h / 2, of.w, of.h};
}

// A tracker and its clock, which stands while frames are read.
struct Timed {
  Tracker& tracker;
  Judgement& judgement;

  void start(const Tensor& frame, const TrackedBox& box) { tracker.start(frame, box); }
  TrackedBox follow(const Tensor& frame) {
    const auto start = Clock::now();
    const TrackedBox box = tracker.follow(frame);
    judgement.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    ++judgement.frames;
    return box;
  }
};

void one_pass(Timed timed, const Video& video, VideoScore& score) {
  const std::int64_t first = video.present.front();
  for (std::int64_t i = 0; i < video.size(); ++i) {
    if (i < first) {
      score.boxes.push_back({});
    } else if (i == first) {
      timed.start(video.read(i), video.box(i));
      score.boxes.push_back(video.box(i));
    } else {
      score.boxes.push_back(timed.follow(video.read(i)));
    }
  }
  std::vector<TrackedBox> truth, there;
  for (const std::int64_t i : video.present) {
    truth.push_back(video.box(i));
    there.push_back(score.boxes[static_cast<std::size_t>(i)]);
  }
  score.auc = success_auc(success_curve(video.boxes, score.boxes));
  score.precision = precision_curve(truth, there)[kPrecisionPixels];
  score.absent = video.size() - std::ssize(video.present);
}

void with_resets(Timed timed, const Video& video, VideoScore& score) {
  ResetRun& run = score.resets;
  std::int64_t start = video.present.front();
  for (std::int64_t i = 0; i < video.size(); ++i) {
    const bool there = !video.outline(i).empty();
    double overlap = kNone;
    TrackedBox box = {};
    if (i == start && !there) {
      ++start;  // a target that is absent cannot be shown to a tracker
    } else if (i == start) {
      box = start_of(video.outline(i), video.box(i));
      timed.start(video.read(i), box);
      run.starts.push_back(i);
      overlap = 1;
    } else if (i > start) {
      box = timed.follow(video.read(i));
      if (there) overlap = overlap_of(video.outline(i), box);
      if (overlap == 0) {
        ++run.failures;
        start = i + kSkipped;
        overlap = kNone;
      }
    }
    run.overlaps.push_back(overlap);
    score.resets_boxes.push_back(box);
  }
}

template <class Figure>
double mean_over(const std::vector<VideoScore>& videos, const Figure& figure) {
  double sum = 0;
  for (const VideoScore& video : videos) sum += figure(video);
  return videos.empty() ? 0 : sum / static_cast<double>(videos.size());
}

// What came before the first start, frames without the target, has no part in them.
std::vector<ResetRun> runs_of(const Judgement& judgement) {
  std::vector<ResetRun> runs;
  for (const VideoScore& video : judgement.videos) {
    if (video.resets.overlaps.empty()) continue;
    ResetRun run = video.resets;
    const std::int64_t before = run.starts.front();
    run.overlaps.erase(run.overlaps.begin(), run.overlaps.begin() + before);
    for (std::int64_t& start : run.starts) start -= before;
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace

double overlap_of(const Polygon& truth, const TrackedBox& box) {
  return polygon_iou(truth, polygon_of(box));
}

double Judgement::auc() const {
  return mean_over(videos, [](const VideoScore& video) { return video.auc; });
}

double Judgement::precision() const {
  return mean_over(videos, [](const VideoScore& video) { return video.precision; });
}

double Judgement::accuracy() const {
  const double accuracy = tracking_accuracy(runs_of(*this));
  return std::isnan(accuracy) ? 0 : accuracy;
}

std::int64_t Judgement::failures() const {
  std::int64_t all = 0;
  for (const VideoScore& video : videos) all += video.resets.failures;
  return all;
}

Judgement::Lengths Judgement::lengths() const {
  constexpr std::int64_t kLongest = 250;  // of which 50 and 200 are meant
  const Lengths meant;
  std::int64_t longest = 1;
  for (const ResetRun& run : runs_of(*this)) longest = std::max(longest, std::ssize(run.overlaps));
  if (longest >= meant.high) return meant;
  return {std::max<std::int64_t>(1, meant.low * longest / kLongest),
          std::max<std::int64_t>(1, meant.high * longest / kLongest)};
}

std::vector<double> Judgement::expected_overlap_curve() const {
  std::vector<ResetRun> runs = runs_of(*this);
  // The mean of a fragment begins after its first frame, so that the overlap of a start counts as
  // the end of the fragment before alone: without one it is as the zeros that follow a failure.
  if (protocol == ResetProtocol::vot)
    for (ResetRun& run : runs)
      for (std::size_t k = 1; k < run.starts.size(); ++k)
        run.overlaps[static_cast<std::size_t>(run.starts[k])] = kNone;
  return pliant::expected_overlap_curve(runs);
}

double Judgement::expected_overlap() const {
  const std::vector<double> curve = expected_overlap_curve();
  if (curve.empty()) return 0;
  const Lengths of = lengths();
  return expected_average_overlap(curve, of.low, of.high);
}

Judgement judge(Tracker& tracker, const Videos& videos, const JudgeOptions& options) {
  Judgement judgement;
  for (const Video& video : videos) {
    VideoScore score{.name = video.name, .boxes = {}};
    const Timed timed{tracker, judgement};
    one_pass(timed, video, score);
    if (options.resets) with_resets(timed, video, score);
    judgement.videos.push_back(std::move(score));
    if (options.on_video) options.on_video(video.size());
  }
  return judgement;
}

Json json_of(const Judgement& judgement) {
  const Judgement::Lengths lengths = judgement.lengths();
  Json videos = Json::array();
  for (const VideoScore& video : judgement.videos)
    videos.push_back({{"name", video.name},
                      {"auc", video.auc},
                      {"precision", video.precision},
                      {"failures", video.resets.failures},
                      {"absent", video.absent}});
  return {{"auc", judgement.auc()},
          {"precision", judgement.precision()},
          {"accuracy", judgement.accuracy()},
          {"failures", judgement.failures()},
          {"expected_overlap", judgement.expected_overlap()},
          {"expected_overlap_lengths", {lengths.low, lengths.high}},
          {"frames_per_second", judgement.frames_per_second()},
          {"videos", videos}};
}

std::string table_of(const Judgement& judgement) {
  std::vector<kit::Cells> lines = {{"video", "", "frames", "AUC", "precision", "failures"}};
  std::int64_t frames = 0;
  for (const VideoScore& video : judgement.videos) {
    frames += std::ssize(video.boxes);
    lines.push_back({printable(video.name, 40), "", grouped(std::ssize(video.boxes)),
                     fixed(video.auc, 3), fixed(video.precision, 3),
                     std::to_string(video.resets.failures)});
  }
  lines.push_back({"mean", "", grouped(frames), fixed(judgement.auc(), 3),
                   fixed(judgement.precision(), 3), std::to_string(judgement.failures())});
  const Judgement::Lengths lengths = judgement.lengths();
  lines.push_back({text_from(
      "with resets: accuracy ", fixed(judgement.accuracy(), 3), ", ", judgement.failures(),
      " failures, expected overlap ", fixed(judgement.expected_overlap(), 3), " over ", lengths.low,
      " to ", lengths.high, " frames",
      judgement.protocol == ResetProtocol::pysot ? ", as pysot has it" : "")});
  lines.push_back(
      {text_from("AUC: of the success curve, one pass; precision: centres at most 20 "
                 "pixels apart; ",
                 fixed(judgement.frames_per_second(), 0), " frames a second")});
  return kit::aligned(lines);
}

}  // namespace pliant::track
