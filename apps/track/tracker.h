// Trackers: what follows a target from frame to frame, by a net or by something trivial.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <pliant/apps/track/nets.h>
#include <pliant/core/device.h>
#include <pliant/layers/train/tracking_metrics.h>

namespace pliant::track {

// Frames are uint8 [H W 3]; a box is x, y, width, height, its sides above 0.
class Tracker {
 public:
  Tracker() = default;
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;
  virtual ~Tracker() = default;

  virtual void start(const Tensor& frame, const TrackedBox& box) = 0;
  virtual TrackedBox follow(const Tensor& frame) = 0;
};

class NetTracker : public Tracker {
 public:
  NetTracker(const SiamRPN& net, const NetRecipe& recipe, Device device);

  void start(const Tensor& frame, const TrackedBox& box) override;
  TrackedBox follow(const Tensor& frame) override;

  // Of the last frame: the score of the anchor that was chosen; the best score of each place, row by
  // row, and the square of the frame that they cover, from corner to corner of the search image.
  double score() const { return score_; }
  const std::vector<double>& response() const& { return response_; }
  TrackedBox seen() const { return seen_; }

 private:
  const SiamRPN& net_;
  const NetRecipe& recipe_;
  Device device_;
  Tensor anchors_, pattern_;
  TrackedTarget target_;
  double score_ = 1;
  std::vector<double> response_;
  TrackedBox seen_ = {};
};

// stay: where the target was first. centre: in the middle of the search window, the anchor whose
// shape changes least, that is a net that says the same everywhere. correlation: normalised
// cross-correlation of the first frame's target with what lies about its last place.
const std::vector<std::string>& trivial_names();
std::unique_ptr<Tracker> trivial_tracker(const std::string& name);

}  // namespace pliant::track
