// How well a tracker of pliant-track follows targets.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/track/tracker.h>
#include <pliant/apps/track/videos.h>

namespace pliant::track {

// One sequence. One pass (OTB): started on the first frame with a target, never again. With resets
// (VOT): started again five frames after its overlap fell to 0.
struct VideoScore {
  std::string name;
  std::int64_t absent = 0;        // frames without a target
  double auc = 0, precision = 0;  // precision: of the frames with a target, at 20 pixels
  std::vector<TrackedBox> boxes;  // of one pass
  std::vector<TrackedBox> resets_boxes = {};  // of the run with resets; 0 where there was none
  ResetRun resets = {};                       // empty where it was not run
};

// Of the expected overlap: where a fragment ends that another start follows. vot: where the tracker
// failed; pysot: with the frame in which it is started again, whose overlap is 1.
enum class ResetProtocol : unsigned char { vot, pysot };

struct Judgement {
  std::vector<VideoScore> videos;
  ResetProtocol protocol = ResetProtocol::vot;
  double seconds = 0;       // tracking alone, frames being there
  std::int64_t frames = 0;  // of them

  double auc() const;  // means over videos
  double precision() const;
  double accuracy() const;  // VOT's, 10 frames after each start left out; 0 of none
  std::int64_t failures() const;
  // See pliant::expected_overlap_curve(); empty where nothing was run with resets.
  std::vector<double> expected_overlap_curve() const;
  // Its mean over the lengths of lengths(); and those: 50 to 200 frames, or the same shares of the
  // longest sequence where that has fewer than 200.
  double expected_overlap() const;
  struct Lengths {
    std::int64_t low = 50, high = 200;
  };
  Lengths lengths() const;
  double frames_per_second() const {
    return seconds > 0 ? static_cast<double>(frames) / seconds : 0;
  }
};

struct JudgeOptions {
  bool resets = true;
  std::function<void(std::int64_t frames)> on_video = {};  // after each; may throw
};
Judgement judge(Tracker& tracker, const Videos& videos, const JudgeOptions& options = {});

// The polygon of a truth against a box, by exact clipping.
double overlap_of(const Polygon& truth, const TrackedBox& box);

nlohmann::ordered_json json_of(const Judgement& judgement);  // figures, without boxes
std::string table_of(const Judgement& judgement);            // for a terminal

}  // namespace pliant::track
