// Videos drawn by program: a shape that moves, turns, grows and bends among others, for those who
// have no videos at hand, and as further objects to learn from.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <pliant/apps/track/videos.h>
#include <pliant/core/random.h>

namespace pliant::track {

// The target is drawn last. A pure function of its arguments, frame by frame.
class MovingShapes {
 public:
  MovingShapes(std::int64_t height, std::int64_t width, const Rng& rng);

  Tensor frame(std::int64_t i) const;    // uint8 [H W 3]
  TrackedBox box(std::int64_t i) const;  // around the target, cut at the edges

 private:
  struct Shape {
    Shape(std::int64_t height, std::int64_t width, const Rng& rng);

    std::array<double, 2> middle, reach, speed, phase;  // of its path: y, x
    double side, stretch, turn, turning;
    double bend, bending, bend_phase;  // how far it bends, and how fast
    double waves, wave;                // of the outline
    double stripes, stripe_phase;      // of its colours
    std::array<std::array<double, 3>, 2> colours;
  };
  struct Pose;  // a shape at one time
  void paint(Tensor& frame, const Shape& shape, std::int64_t i) const;

  std::int64_t height_, width_;
  Rng rng_;
  std::vector<Shape> shapes_;  // the target is the last
};

// Frames of kShapeHeight x kShapeWidth pixels.
inline constexpr std::int64_t kShapeHeight = 120, kShapeWidth = 160;
Video shape_video(const std::string& name, std::int64_t frames, const Rng& rng);

}  // namespace pliant::track
