// What the net of pliant-track is given: views of frames about a target, and what its anchors are to
// learn from a pair of them.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/apps/track/nets.h>
#include <pliant/apps/track/stills.h>
#include <pliant/apps/track/videos.h>
#include <pliant/core/device.h>
#include <pliant/core/random.h>
#include <pliant/data/warp.h>

namespace pliant::track {

// The rectangle of a frame about (cx, cy), so many of its pixels wide and high, as a square of
// `pixels` pixels.
struct View {
  double cx = 0, cy = 0, width = 0, height = 0;
  std::int64_t pixels = 0;
  bool mirrored = false;

  Warp warp(std::int64_t frame_height, std::int64_t frame_width) const;
};
// uint8 [pixels pixels 3]; what lies outside the frame has its mean colour.
Tensor picture_of(const Tensor& frame, const View& view);
// The same as a net sees it: float32 [1 pixels pixels 3], normalised; `offset`
// is added to the colours first, in bytes.
Tensor view_of(const Tensor& frame, const View& view, const NetRecipe& recipe,
               const std::array<double, 3>& offset = {});

// How pairs are drawn (pysot's rules). Shifts and scales are either way; shifts are in pixels of the
// published images, of 127 and 255 pixels, and as much less in smaller ones.
struct PairOptions {
  std::int64_t pairs = 1000;  // an epoch
  std::int64_t gap = 100;     // frames between template and search image, at most
  double negatives = 0.2;     // share of pairs whose search image is of another target
  double generated = 0.3;     // share of pairs from generated shapes
  double stills = 0.3;        // and from still pictures, where there are any
  double flip = 0.5;          // how often both are mirrored
  double template_shift = 4, template_scale = 0.05;
  double search_shift = 64, search_scale = 0.18;
  double colour = 1;  // of the offset of colours
};

struct NetPair {
  Tensor exemplar, search;  // float32 [1 H W 3]
  // siamrpn_loss's, of one image: int64 [1 P P K], [1 P P 4*K], [1 P P K].
  Tensor labels, deltas, weights;
};

// A Dataset of NetPair, all drawn by key.
class PairInput {
 public:
  // `stills` may be empty.
  PairInput(Videos videos, Stills stills, const SiamRPN& net, const NetRecipe& recipe,
            const PairOptions& options);

  std::int64_t size() const { return options_.pairs; }
  NetPair at(std::int64_t i, const Rng& rng) const;

 private:
  struct Seen;  // a frame and the target's box in it
  // Both frames of a pair, of each source.
  std::array<Seen, 2> of_shapes(bool negative, const Rng& rng) const;
  std::array<Seen, 2> of_stills(bool negative, const Rng& rng) const;
  std::array<Seen, 2> of_videos(bool negative, const Rng& rng) const;
  Seen draw(const Rng& rng, const Seen* other_of_video) const;
  NetPair targets_of(NetPair pair, const std::array<double, 4>& box, bool negative,
                     const Rng& rng) const;

  Videos videos_;
  Stills stills_;
  NetRecipe recipe_;
  PairOptions options_;
  std::int64_t exemplar_, search_, places_;
  Tensor anchors_;  // [K P P 4], about the search image's centre
};

struct NetBatch {
  Tensor exemplars, searches, labels, deltas, weights;

  std::int64_t size() const { return exemplars.dim(0); }
  NetBatch to(Device device) const;
};
NetBatch batch_of(const std::vector<NetPair>& pairs);

}  // namespace pliant::track
