#include <pliant/apps/segment/scenes.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace pliant::segment {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr std::uint64_t kFewest = 3, kMost = 7;  // shapes of a scene

struct Place {
  double y, x;
};

// Whether a point of a shape's own plane is in it; each lies within the unit circle.
bool in_disc(const Place& p) { return std::hypot(p.y, p.x) < 0.7; }
bool in_ring(const Place& p) {
  const double radius = std::hypot(p.y, p.x);
  return radius < 0.9 && radius > 0.55;
}
bool in_worm(const Place& p) { return std::abs(p.y) < 0.2 && std::abs(p.x) < 0.95; }
bool in_cross(const Place& p) {
  const double near = std::min(std::abs(p.y), std::abs(p.x));
  return near < 0.22 && std::max(std::abs(p.y), std::abs(p.x)) < 0.9;
}
bool in_star(const Place& p) {
  const double angle = std::atan2(p.x, -p.y) * 5 / (2 * kPi);
  const double between = std::abs(angle - std::floor(angle) - 0.5) * 2;  // 1 at a tip
  return std::hypot(p.y, p.x) < 0.38 + 0.55 * between * between;
}

using Colour = std::array<double, 3>;

struct Kind {
  const char* name;
  bool (*contains)(const Place&);
  Colour colour;  // about which those of its shapes lie
};
constexpr std::array kKinds = {
    Kind{"cross", in_cross, {180, 90, 70}}, Kind{"disc", in_disc, {80, 120, 190}},
    Kind{"ring", in_ring, {200, 180, 80}}, Kind{"star", in_star, {150, 90, 180}},
    Kind{"worm", in_worm, {90, 170, 100}}};

Colour colour_near(const Colour& middle, double apart, const Rng& rng) {
  return {middle[0] + rng.uniform(0, -apart, apart), middle[1] + rng.uniform(1, -apart, apart),
          middle[2] + rng.uniform(2, -apart, apart)};
}

// A shape in the picture: where it is, how it is turned, stretched and bent, and its colour.
class Shape {
 public:
  Shape(std::int64_t height, std::int64_t width, const Rng& rng)
      : kind_(rng.below(0, kKinds.size())),
        centre_{rng.uniform(1, 0, static_cast<double>(height)),
                rng.uniform(2, 0, static_cast<double>(width))},
        wave_(rng.uniform(3, 1.5, 3.5)),
        phase_(rng.uniform(4, 0, 2 * kPi)),
        strength_(rng.uniform(5, 0.05, 0.3)),
        colour_(colour_near(kKinds[kind_].colour, 50, rng.fork("colour"))) {
    const double angle = rng.uniform(6, 0, 2 * kPi), c = std::cos(angle), s = std::sin(angle);
    const auto side = static_cast<double>(std::min(height, width));
    const double tall = 1 / (side * rng.uniform(7, 0.14, 0.32)),
                 wide = 1 / (side * rng.uniform(8, 0.18, 0.42));
    matrix_ = {tall * c, -tall * s, wide * s, wide * c};
  }

  std::uint8_t label() const { return static_cast<std::uint8_t>(kind_ + 1); }
  const Colour& colour() const { return colour_; }
  bool contains(double row, double column) const {
    const double y = row - centre_.y, x = column - centre_.x;
    const double v = matrix_[0] * y + matrix_[1] * x, u = matrix_[2] * y + matrix_[3] * x;
    return kKinds[kind_].contains({v + strength_ * std::sin(wave_ * u + phase_),
                                   u + strength_ * std::sin(wave_ * v - phase_)});
  }

 private:
  std::size_t kind_;
  Place centre_;
  double wave_, phase_, strength_;  // a sine across
  Colour colour_;
  std::array<double, 4> matrix_{};  // from the picture to the shape's plane; rows: y, x
};

}  // namespace

const std::vector<std::string>& scene_classes() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"ground"};
    for (const Kind& kind : kKinds) all.emplace_back(kind.name);
    return all;
  }();
  return names;
}

SegmentationSample make_scene(std::int64_t height, std::int64_t width, const Rng& rng) {
  std::vector<Shape> shapes;
  const std::uint64_t count = kFewest + rng.below(0, kMost - kFewest + 1);
  for (std::uint64_t i = 0; i < count; ++i)
    shapes.emplace_back(height, width, rng.fork("shape").fork(i));
  const Colour ground = colour_near({128, 128, 128}, 90, rng.fork("ground"));
  const double stripes = rng.uniform(1, 0.1, 0.5), slant = rng.uniform(2, -0.5, 0.5);
  const Rng noise = rng.fork("noise");

  SegmentationSample scene{Tensor::empty({height, width, 3}, DType::uint8),
                           Tensor::zeros({height, width}, DType::uint8)};
  std::uint8_t* pixel = scene.image.mutable_data<std::uint8_t>();
  std::uint8_t* label = scene.mask.mutable_data<std::uint8_t>();
  std::uint64_t number = 0;
  for (std::int64_t row = 0; row < height; ++row)
    for (std::int64_t column = 0; column < width; ++column) {
      const double y = static_cast<double>(row) + 0.5, x = static_cast<double>(column) + 0.5;
      const auto top = std::find_if(shapes.rbegin(), shapes.rend(),
                                    [&](const Shape& shape) { return shape.contains(y, x); });
      const Colour& colour = top == shapes.rend() ? ground : top->colour();
      const double shade = 12 * std::sin(stripes * (x + slant * y));  // over all, as light falls
      *label++ = top == shapes.rend() ? 0 : top->label();
      for (const double value : colour)
        *pixel++ = static_cast<std::uint8_t>(
            std::clamp(std::lround(value + shade + 10 * noise.normal(number++)), 0L, 255L));
    }
  return scene;
}

}  // namespace pliant::segment
