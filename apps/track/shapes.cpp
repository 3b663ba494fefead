#include <pliant/apps/track/shapes.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pliant::track {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kNoise = 10;  // of a colour, either way

std::uint8_t byte(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

}  // namespace

MovingShapes::Shape::Shape(std::int64_t height, std::int64_t width, const Rng& rng) {
  const std::array<std::int64_t, 2> sides = {height, width};
  for (std::uint64_t axis = 0; axis < 2; ++axis) {
    const auto extent = static_cast<double>(sides[axis]);
    middle[axis] = extent * rng.uniform(axis, 0.4, 0.6);
    reach[axis] = extent * rng.uniform(2 + axis, 0.1, 0.3);
    speed[axis] = kTurn / rng.uniform(4 + axis, 40, 110);
    phase[axis] = rng.uniform(6 + axis, 0, kTurn);
  }
  side = static_cast<double>(std::min(height, width)) * rng.uniform(8, 0.09, 0.17);
  stretch = rng.uniform(9, 0.6, 1.6);
  turn = rng.uniform(10, 0, kTurn);
  turning = rng.uniform(11, -0.03, 0.03);
  bend = rng.uniform(12, 0.1, 0.6);
  bending = kTurn / rng.uniform(13, 20, 60);
  bend_phase = rng.uniform(14, 0, kTurn);
  waves = 2 + static_cast<double>(rng.below(15, 4));
  wave = rng.uniform(16, 0, 0.25);
  stripes = rng.uniform(17, 2, 6);
  stripe_phase = rng.uniform(18, 0, kTurn);
  for (std::uint64_t k = 0; k < 2; ++k)
    for (std::uint64_t c = 0; c < 3; ++c) colours[k][c] = rng.uniform(20 + 3 * k + c, 30, 230);
}

struct MovingShapes::Pose {
  const Shape& shape;
  double y, x, tall, wide, cos, sin, bend;

  Pose(const Shape& of, std::int64_t i) : shape(of) {
    const auto t = static_cast<double>(i);
    y = of.middle[0] + of.reach[0] * std::sin(of.speed[0] * t + of.phase[0]);
    x = of.middle[1] + of.reach[1] * std::sin(of.speed[1] * t + of.phase[1]);
    const double size = of.side * (1 + 0.2 * std::sin(of.speed[1] * t + of.bend_phase));
    tall = size / std::sqrt(of.stretch);
    wide = size * std::sqrt(of.stretch);
    const double angle = of.turn + of.turning * t;
    cos = std::cos(angle);
    sin = std::sin(angle);
    bend = of.bend * std::sin(of.bending * t + of.bend_phase);
  }

  double outline(double angle) const {
    return 1 + shape.wave * (std::cos(shape.waves * angle) - 1);
  }
  // A place of the shape, unbent and within about -1 .. 1, and where it is in the picture.
  Point to_picture(const Point& of) const {
    const double u = of.x * wide, v = (of.y - bend * (of.x * of.x - 0.5)) * tall;
    return {x + cos * u - sin * v, y + sin * u + cos * v};
  }
  Point from_picture(double px, double py) const {
    const double u = (cos * (px - x) + sin * (py - y)) / wide,
                 v = (cos * (py - y) - sin * (px - x)) / tall;
    return {u, v + bend * (u * u - 0.5)};
  }
  bool contains(const Point& of) const {
    return std::hypot(of.x, of.y) < outline(std::atan2(of.y, of.x));
  }
  // x1, y1, x2, y2 around it.
  std::array<double, 4> corners() const {
    constexpr int kPoints = 96;
    std::array<double, 4> all = {1e9, 1e9, -1e9, -1e9};
    for (int i = 0; i < kPoints; ++i) {
      const double angle = kTurn * i / kPoints, radius = outline(angle);
      const Point at = to_picture({radius * std::cos(angle), radius * std::sin(angle)});
      all = {std::min(all[0], at.x), std::min(all[1], at.y), std::max(all[2], at.x),
             std::max(all[3], at.y)};
    }
    return all;
  }
};

MovingShapes::MovingShapes(std::int64_t height, std::int64_t width, const Rng& rng)
    : height_(height), width_(width), rng_(rng) {
  const std::uint64_t others = 2 + rng.fork("count").below(0, 4);
  for (std::uint64_t i = 0; i <= others; ++i)
    shapes_.emplace_back(height, width, rng.fork("shape").fork(i));
}

TrackedBox MovingShapes::box(std::int64_t i) const {
  const auto [x1, y1, x2, y2] = Pose(shapes_.back(), i).corners();
  const auto across = [&](double x) { return std::clamp(x, 0.0, static_cast<double>(width_)); };
  const auto down = [&](double y) { return std::clamp(y, 0.0, static_cast<double>(height_)); };
  return {across(x1), down(y1), across(x2) - across(x1), down(y2) - down(y1)};
}

void MovingShapes::paint(Tensor& frame, const Shape& shape, std::int64_t i) const {
  const Pose pose(shape, i);
  const auto [x1, y1, x2, y2] = pose.corners();
  const auto first = [](double at) { return std::max<std::int64_t>(0, std::lround(at) - 1); };
  const auto last = [](double at, std::int64_t most) {
    return std::min<std::int64_t>(most, std::lround(at) + 1);
  };
  std::uint8_t* const pixels = frame.mutable_data<std::uint8_t>();
  for (std::int64_t r = first(y1); r < last(y2, height_); ++r)
    for (std::int64_t c = first(x1); c < last(x2, width_); ++c) {
      const Point at =
          pose.from_picture(static_cast<double>(c) + 0.5, static_cast<double>(r) + 0.5);
      if (!pose.contains(at)) continue;
      const double share =
          0.5 + 0.5 * std::sin(shape.stripes * (at.x + 0.4 * at.y) * 2 + shape.stripe_phase);
      std::uint8_t* const to = pixels + 3 * (r * width_ + c);
      for (std::size_t k = 0; k < 3; ++k)
        to[k] = byte(share * shape.colours[0][k] + (1 - share) * shape.colours[1][k]);
    }
}

Tensor MovingShapes::frame(std::int64_t i) const {
  Tensor image = Tensor::empty({height_, width_, 3}, DType::uint8);
  const Rng ground = rng_.fork("ground"),
            noise = rng_.fork("noise").fork(static_cast<std::uint64_t>(i));
  std::array<double, 3> base{}, down{}, across{};
  for (std::uint64_t c = 0; c < 3; ++c) {
    base[c] = ground.uniform(c, 60, 190);
    down[c] = ground.uniform(3 + c, -40, 40);
    across[c] = ground.uniform(6 + c, -40, 40);
  }
  const double rows = ground.uniform(9, 0.02, 0.15), columns = ground.uniform(10, 0.02, 0.15);
  std::uint8_t* to = image.mutable_data<std::uint8_t>();
  for (std::int64_t r = 0; r < height_; ++r)
    for (std::int64_t c = 0; c < width_; ++c) {
      const double v = std::sin(rows * static_cast<double>(r)),
                   u = std::sin(columns * static_cast<double>(c));
      const auto index = static_cast<std::uint64_t>(r * width_ + c);
      const double grain = 2 * kNoise * (static_cast<double>(noise.uniform(index)) - 0.5);
      for (std::size_t k = 0; k < 3; ++k)
        *to++ = byte(base[k] + down[k] * v + across[k] * u + grain);
    }
  for (const Shape& shape : shapes_) paint(image, shape, i);
  return image;
}

Video shape_video(const std::string& name, std::int64_t frames, const Rng& rng) {
  const auto shapes = std::make_shared<const MovingShapes>(kShapeHeight, kShapeWidth, rng);
  Video video{.name = name,
              .read = [shapes](std::int64_t i) { return shapes->frame(i); },
              .boxes = {},
              .outlines = {}};
  for (std::int64_t i = 0; i < frames; ++i) {
    video.boxes.push_back(shapes->box(i));
    video.outlines.push_back(polygon_of(video.boxes.back()));
    video.present.push_back(i);
  }
  return video;
}

}  // namespace pliant::track
