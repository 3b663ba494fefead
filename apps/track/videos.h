// The videos of pliant-track and where the target is in each frame: where they come from.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <pliant/apps/track/stills.h>
#include <pliant/core/polygon.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/samples.h>
#include <pliant/layers/train/tracking_metrics.h>

namespace pliant::track {

// Wherever it lies. Copies read the same frames.
struct Video {
  std::string name;
  std::function<Tensor(std::int64_t)> read;  // frame i, uint8 [H W 3]
  std::vector<TrackedBox> boxes;             // x, y, width, height; 0 where the target is absent
  std::vector<Polygon> outlines;             // the truth itself; empty where the target is absent
  std::vector<std::int64_t> present = {};    // frames with the target, at least one

  std::int64_t size() const { return static_cast<std::int64_t>(boxes.size()); }
  const TrackedBox& box(std::int64_t i) const& { return boxes[static_cast<std::size_t>(i)]; }
  const Polygon& outline(std::int64_t i) const& { return outlines[static_cast<std::size_t>(i)]; }
};
using Videos = std::vector<Video>;

Polygon polygon_of(const TrackedBox& box);

struct VideoSets {
  Videos train = {}, val = {}, test = {};  // test may be empty
  Stills stills = {};                      // to learn from besides; may be empty
  std::string source = {};                 // "vot: 20 sequences ..."
  std::vector<std::string> notices = {};   // for people: what was left out
  bool is_example = false;
};

struct DataOptions {
  double val = 0.2;  // share of the sequences that is held out, where there is no val.txt
  BadFiles bad_files = BadFiles::stop;
};

// Sequences in the layouts of VOT and OTB (data/sequences.h), those of train.txt, val.txt and
// test.txt where there are such lists. What it is not is an Error that says what it may be.
VideoSets open_videos(const std::string& data, const DataOptions& options);
// Shapes that move and bend, drawn by program, which the source says loudly.
VideoSets example_videos();

// One folder of frames, pictures by name, without a truth.
std::vector<std::string> frame_files(const std::string& folder);

}  // namespace pliant::track
