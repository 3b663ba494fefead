#include <pliant/apps/train/example.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <pliant/core/parallel.h>

namespace pliant::train {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kSubpixels = 3;  // along each axis

struct Point {
  double y, x;
};

// Whether a point of the plane is in the shape; each lies within the unit circle.
bool in_disc(const Point& p) { return std::hypot(p.y, p.x) < 0.8; }
bool in_ring(const Point& p) {
  const double radius = std::hypot(p.y, p.x);
  return radius < 0.85 && radius > 0.5;
}
bool in_square(const Point& p) { return std::max(std::abs(p.y), std::abs(p.x)) < 0.7; }
bool in_triangle(const Point& p) { return p.y < 0.5 && p.y > -0.9 + 1.732 * std::abs(p.x); }
bool in_cross(const Point& p) {
  const double near = std::min(std::abs(p.y), std::abs(p.x));
  return near < 0.26 && std::max(std::abs(p.y), std::abs(p.x)) < 0.9;
}
bool in_star(const Point& p) {
  const double angle = std::atan2(p.x, -p.y) * 5 / (2 * kPi);
  const double between = std::abs(angle - std::floor(angle) - 0.5) * 2;  // 1 at a tip
  return std::hypot(p.y, p.x) < 0.38 + 0.55 * between * between;
}

struct Class {
  const char* name;
  bool (*contains)(const Point&);
};
constexpr std::array kClasses = {Class{"cross", in_cross}, Class{"disc", in_disc},
                                 Class{"ring", in_ring},   Class{"square", in_square},
                                 Class{"star", in_star},   Class{"triangle", in_triangle}};

// How an image's shape is bent: from the image's plane, -1 .. 1, to the shape's.
struct Bend {
  Point centre;
  std::array<double, 4> matrix;  // rows: y, x
  double wave, phase, strength;  // a sine across

  explicit Bend(const Rng& rng)
      : centre{rng.uniform(0, -0.3, 0.3), rng.uniform(1, -0.3, 0.3)},
        wave(rng.uniform(2, 1.5, 3.5)),
        phase(rng.uniform(3, 0, 2 * kPi)),
        strength(rng.uniform(4, 0, 0.22)) {
    const double angle = rng.uniform(5, 0, 2 * kPi), shear = rng.uniform(6, -0.5, 0.5);
    const double tall = 1 / rng.uniform(7, 0.35, 0.75), wide = 1 / rng.uniform(8, 0.35, 0.75);
    const double c = std::cos(angle), s = std::sin(angle);
    matrix = {tall * (c + shear * s), tall * (shear * c - s), wide * s, wide * c};
  }

  Point of(const Point& at) const {
    const double y = at.y - centre.y, x = at.x - centre.x;
    const double v = matrix[0] * y + matrix[1] * x, u = matrix[2] * y + matrix[3] * x;
    return {v + strength * std::sin(wave * u + phase), u + strength * std::sin(wave * v - phase)};
  }
};

// Share of a pixel that the shape covers.
double coverage(const Class& shape, const Bend& bend, std::int64_t row, std::int64_t column,
                std::int64_t side) {
  int inside = 0;
  for (int i = 0; i < kSubpixels * kSubpixels; ++i) {
    const auto place = [&](std::int64_t pixel, int part) {
      return (2 * (static_cast<double>(pixel) + (part + 0.5) / kSubpixels)) /
                 static_cast<double>(side) -
             1;
    };
    if (shape.contains(bend.of({place(row, i / kSubpixels), place(column, i % kSubpixels)})))
      ++inside;
  }
  return static_cast<double>(inside) / (kSubpixels * kSubpixels);
}

void draw(const Class& shape, const Rng& rng, std::int64_t side, std::uint8_t* to) {
  const Bend bend(rng.fork("bend"));
  const Rng colour = rng.fork("colour"), noise = rng.fork("noise");
  std::array<double, 3> ground{}, ink{}, slope{};
  double apart = 0;
  for (std::uint64_t c = 0; c < 3; ++c) {
    ground[c] = colour.uniform(c, 40, 215);
    ink[c] = colour.uniform(3 + c, 40, 215);
    slope[c] = colour.uniform(6 + c, -25, 25);  // across the background
    apart += std::abs(ink[c] - ground[c]);
  }
  if (apart < 120)  // too alike to be seen
    for (std::size_t c = 0; c < 3; ++c) ink[c] = ground[c] < 128 ? ground[c] + 90 : ground[c] - 90;
  std::uint64_t number = 0;
  for (std::int64_t row = 0; row < side; ++row)
    for (std::int64_t column = 0; column < side; ++column) {
      const double covered = coverage(shape, bend, row, column, side);
      const double across = 2.0 * static_cast<double>(column) / static_cast<double>(side) - 1;
      for (std::size_t c = 0; c < 3; ++c) {
        const double value = covered * ink[c] + (1 - covered) * (ground[c] + slope[c] * across) +
                             8 * noise.normal(number++);
        *to++ = static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
}

}  // namespace

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Class& each : kClasses) all.emplace_back(each.name);
    return all;
  }();
  return names;
}

LabelledImages make_shapes(std::int64_t count, std::int64_t side, const Rng& rng) {
  LabelledImages set{Tensor::empty({count, side, side, 3}, DType::uint8),
                     Tensor::empty({count}, DType::int64)};
  std::uint8_t* const images = set.images.mutable_data<std::uint8_t>();
  std::int64_t* const labels = set.labels.mutable_data<std::int64_t>();
  parallel_blocks(count, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Rng own = rng.fork(static_cast<std::uint64_t>(i));
      labels[i] = static_cast<std::int64_t>(own.fork("class").below(0, kClasses.size()));
      draw(kClasses[static_cast<std::size_t>(labels[i])], own, side, images + i * side * side * 3);
    }
  });
  return set;
}

}  // namespace pliant::train
