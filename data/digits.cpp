#include <pliant/data/digits.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/internal/glyphs.h>

namespace pliant {
namespace {

constexpr std::int64_t kSide = 28;
constexpr int kClasses = 10;
constexpr int kPointsPerSpan = 6;  // straight pieces between two points of a stroke
constexpr std::int64_t kDigitsPerTask = 32;

// Uniform draws of one image by name, so that no two uses can share a number.
double uniform(const Rng& rng, std::string_view name, double low, double high) {
  return rng.fork(name).uniform(0, low, high);
}

// The curve between b and c at t in [0, 1]; a and d are the points before and after.
Point catmull_rom(Point a, Point b, Point c, Point d, double t) {
  const auto blend = [t](double pa, double pb, double pc, double pd) {
    return 0.5 * (2 * pb + t * ((pc - pa) + t * ((2 * pa - 5 * pb + 4 * pc - pd) +
                                                 t * (3 * (pb - pc) + pd - pa))));
  };
  return {blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)};
}

// The stroke as a fine polyline. A closed stroke is smooth where its ends meet.
Stroke flatten(const Stroke& stroke) {
  const auto count = static_cast<std::ptrdiff_t>(stroke.size());
  const bool closed =
      count > 3 && stroke.front().x == stroke.back().x && stroke.front().y == stroke.back().y;
  const auto at = [&](std::ptrdiff_t i) {
    if (closed && i < 0) i += count - 1;
    if (closed && i >= count) i -= count - 1;
    return stroke[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, count - 1))];
  };
  Stroke fine = {stroke.front()};
  for (std::ptrdiff_t i = 0; i + 1 < count; ++i)
    for (int k = 1; k <= kPointsPerSpan; ++k)
      fine.push_back(catmull_rom(at(i - 1), at(i), at(i + 1), at(i + 2),
                                 static_cast<double>(k) / kPointsPerSpan));
  return fine;
}

// A smooth random displacement of the plane: a few waves of low frequency along random directions.
class ElasticField {
 public:
  explicit ElasticField(const Rng& rng) {
    for (std::size_t k = 0; k < waves_.size(); ++k) {
      const Rng wave = rng.fork(k);
      const double direction = uniform(wave, "direction", 0, 2 * std::numbers::pi);
      const double frequency = uniform(wave, "frequency", 2.0, 7.0);  // radians per drawing
      waves_[k] = {.along = {frequency * std::cos(direction), frequency * std::sin(direction)},
                   .phase = uniform(wave, "phase", 0, 2 * std::numbers::pi),
                   .push = {0.17 / frequency * wave.fork("push").normal(0),
                            0.17 / frequency * wave.fork("push").normal(1)}};
    }
  }

  Point operator()(Point p) const {
    Point moved = p;
    for (const Wave& w : waves_) {
      const double height = std::sin(w.along.x * p.x + w.along.y * p.y + w.phase);
      moved.x += w.push.x * height;
      moved.y += w.push.y * height;
    }
    return moved;
  }

 private:
  struct Wave {
    Point along;
    double phase;
    Point push;
  };
  std::array<Wave, 5> waves_;
};

// Proportions, elastic field, then aspect, slant and rotation; the result is fitted later.
void deform(Glyph& glyph, const Rng& rng) {
  const ElasticField elastic(rng.fork("elastic"));
  const double waist = uniform(rng, "waist", -0.12, 0.12);  // moves the middle up or down
  const double lean = uniform(rng, "lean", -0.10, 0.10);    // moves the middle left or right
  const double aspect = std::exp(uniform(rng, "aspect", -0.40, 0.12));
  const double slant = std::tan(0.10 + 0.20 * std::clamp(rng.fork("slant").normal(0), -2.5, 2.5));
  const double angle = 0.09 * std::clamp(rng.fork("angle").normal(0), -2.5, 2.5);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  for (Stroke& stroke : glyph)
    for (Point& p : stroke) {
      const double inside = std::clamp(p.x, 0.0, 1.0), above = std::clamp(p.y, 0.0, 1.0);
      p.x += 4 * lean * inside * (1 - inside);
      p.y += 4 * waist * above * (1 - above);
      p = elastic(p);
      const double x = aspect * (p.x - 0.5) - slant * (p.y - 0.5), y = p.y - 0.5;
      p = {cosine * x - sine * y, sine * x + cosine * y};
    }
}

// The mean position of the ink: of the strokes by their length.
Point center_of_mass(const Glyph& glyph) {
  double length = 0;
  Point sum{0, 0};
  for (const Stroke& stroke : glyph)
    for (std::size_t i = 1; i < stroke.size(); ++i) {
      const Point &a = stroke[i - 1], &b = stroke[i];
      const double piece = std::hypot(b.x - a.x, b.y - a.y);
      sum = {sum.x + piece * (a.x + b.x) / 2, sum.y + piece * (a.y + b.y) / 2};
      length += piece;
    }
  return {sum.x / length, sum.y / length};
}

// To pixels: the larger side of the drawing, pen included, fills about 20; the mass is centred.
void fit(Glyph& glyph, double radius, const Rng& rng) {
  Point low = glyph[0][0], high = low;
  for (const Stroke& stroke : glyph)
    for (const Point& p : stroke) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  const double box = uniform(rng, "box", 18.5, 20.5) - 2 * radius;
  const double zoom = box / std::max(high.x - low.x, high.y - low.y);
  const Point mass = center_of_mass(glyph);
  const double center = (static_cast<double>(kSide) - 1) / 2;
  const double x = center + uniform(rng, "x", -0.7, 0.7), y = center + uniform(rng, "y", -0.7, 0.7);
  for (Stroke& stroke : glyph)
    for (Point& p : stroke) p = {x + zoom * (p.x - mass.x), y + zoom * (p.y - mass.y)};
}

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double squared = dx * dx + dy * dy;
  const double along = squared > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / squared : 0.0;
  const double t = std::clamp(along, 0.0, 1.0);
  const double x = p.x - a.x - t * dx, y = p.y - a.y - t * dy;
  return std::sqrt(x * x + y * y);  // std::hypot is several times slower
}

using Coverage = std::array<double, kSide * kSide>;

// Draws one straight piece: a pixel is covered fully inside the pen's radius, and the cover fades
// over `fade` pixels.
void draw_segment(Coverage& coverage, Point a, Point b, double radius, double fade) {
  const double reach = radius + fade;
  const auto bound = [](double v) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(v)), 0, kSide - 1);
  };
  const std::int64_t top = bound(std::min(a.y, b.y) - reach),
                     left = bound(std::min(a.x, b.x) - reach);
  const std::int64_t bottom = bound(std::max(a.y, b.y) + reach + 1);
  const std::int64_t right = bound(std::max(a.x, b.x) + reach + 1);
  for (std::int64_t r = top; r <= bottom; ++r)
    for (std::int64_t c = left; c <= right; ++c) {
      const Point pixel{static_cast<double>(c), static_cast<double>(r)};
      const double distance = distance_to_segment(pixel, a, b);
      double& cover = coverage[static_cast<std::size_t>(r * kSide + c)];
      cover = std::max(cover, std::clamp(0.5 + (radius - distance) / fade, 0.0, 1.0));
    }
}

void draw_digit(int digit, const Rng& rng, std::uint8_t* image) {
  const auto variants = glyphs_of(digit);
  Glyph glyph;
  for (const Stroke& stroke : variants[rng.fork("variant").below(0, variants.size())])
    glyph.push_back(flatten(stroke));
  deform(glyph, rng);
  const double radius = uniform(rng, "radius", 0.7, 1.7);
  const double fade = uniform(rng, "fade", 0.9, 1.6);
  fit(glyph, radius, rng);

  // The pressure of the pen changes along the way.
  const double swing = uniform(rng, "swing", 0.0, 0.22);
  const double phase = uniform(rng, "pressure", 0, 2 * std::numbers::pi);
  Coverage coverage{};
  double step = 0;
  for (const Stroke& stroke : glyph)
    for (std::size_t i = 1; i < stroke.size(); ++i) {
      const double pressure = 1 + swing * std::sin(phase + 0.13 * step++);
      draw_segment(coverage, stroke[i - 1], stroke[i], radius * pressure, fade);
    }
  std::transform(coverage.begin(), coverage.end(), image,
                 [](double cover) { return static_cast<std::uint8_t>(std::lround(255 * cover)); });
}

}  // namespace

LabelledImages make_digits(std::int64_t count, const Rng& rng) {
  require(count >= 0, "make_digits: count is ", count, ", expected at least 0");
  LabelledImages set{Tensor::empty({count, kSide, kSide, 1}, DType::uint8),
                     Tensor::empty({count}, DType::int64)};
  std::uint8_t* const images = set.images.mutable_data<std::uint8_t>();
  std::int64_t* const labels = set.labels.mutable_data<std::int64_t>();
  parallel_blocks(count, kDigitsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Rng one = rng.fork(static_cast<std::uint64_t>(i));
      const int digit = static_cast<int>(one.fork("digit").below(0, kClasses));
      labels[i] = digit;
      draw_digit(digit, one, images + i * kSide * kSide);
    }
  });
  return set;
}

}  // namespace pliant
