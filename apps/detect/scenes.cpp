#include <pliant/apps/detect/scenes.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace pliant::detect {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kNoise = 6;           // of a colour, standard deviation
constexpr double kHidden = 0.4;        // a smaller share that can be seen is difficult
constexpr double kTooHidden = 0.1;     // and a smaller one yet is not an object any more
constexpr double kEmptyScenes = 0.06;  // share of pictures without an object
constexpr std::int64_t kMostObjects = 12;

enum Class : std::int64_t { kDisc, kRing, kStar, kClasses };

struct Object {
  std::int64_t label;
  double y, x, tall, wide, angle;  // centre, half axes, turn
  double waves, phase, bend;       // of the outline
  std::array<double, 3> colour;

  Object(std::int64_t height, std::int64_t width, const Rng& rng)
      : label(static_cast<std::int64_t>(rng.below(0, kClasses))),
        y(rng.uniform(1, 0.02, 0.98) * static_cast<double>(height)),
        x(rng.uniform(2, 0.02, 0.98) * static_cast<double>(width)),
        tall(rng.uniform(3, 0.07, 0.19) * static_cast<double>(height)),
        wide(tall * rng.uniform(4, 0.65, 1.5)),
        angle(rng.uniform(5, 0, 2 * kPi)),
        waves(label == kStar ? 5 : 2 + static_cast<double>(rng.below(6, 3))),
        phase(rng.uniform(7, 0, 2 * kPi)),
        bend(label == kStar ? 0.38 : rng.uniform(8, 0, 0.16)) {
    for (std::uint64_t c = 0; c < 3; ++c) colour[c] = rng.uniform(9 + c, 70, 235);
  }

  bool contains(double py, double px) const {
    const double c = std::cos(angle), s = std::sin(angle);
    const double v = (c * (py - y) - s * (px - x)) / tall, u = (s * (py - y) + c * (px - x)) / wide;
    const double outline = 1 - bend + bend * std::cos(waves * std::atan2(v, u) + phase);
    const double radius = std::hypot(u, v);
    return radius < outline && (label != kRing || radius > 0.5 * outline);
  }
};

// What is seen of an object: its pixels, and the box around them.
struct Seen {
  std::int64_t whole = 0, visible = 0;
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;  // of the whole, ends not included
};

class Canvas {
 public:
  Canvas(std::int64_t height, std::int64_t width, const Rng& rng)
      : height_(height),
        width_(width),
        image_(Tensor::empty({height, width, 3}, DType::uint8)),
        owner_(static_cast<std::size_t>(height * width), -1) {
    const Rng ground = rng.fork("ground"), noise = rng.fork("noise");
    std::uint8_t* to = image_.mutable_data<std::uint8_t>();
    for (std::int64_t i = 0; i < height * width; ++i)
      for (std::uint64_t c = 0; c < 3; ++c) {
        const double across = static_cast<double>(i % width) / static_cast<double>(width) - 0.5;
        const double value = ground.uniform(c, 20, 60) + ground.uniform(3 + c, -30, 30) * across +
                             kNoise * noise.normal(static_cast<std::uint64_t>(i) * 3 + c);
        *to++ = byte(value);
      }
  }

  Seen paint(const Object& object, int number) {
    const double reach = std::max(object.tall, object.wide) + 1;
    const auto from = [&](double at) { return std::max<std::int64_t>(0, std::lround(at - reach)); };
    const auto to = [&](double at, std::int64_t most) {
      return std::min<std::int64_t>(most, std::lround(at + reach) + 1);
    };
    std::uint8_t* const pixels = image_.mutable_data<std::uint8_t>();
    Seen seen{.top = height_, .left = width_};
    for (std::int64_t r = from(object.y); r < to(object.y, height_); ++r)
      for (std::int64_t c = from(object.x); c < to(object.x, width_); ++c) {
        if (!object.contains(static_cast<double>(r) + 0.5, static_cast<double>(c) + 0.5)) continue;
        ++seen.whole;
        seen.top = std::min(seen.top, r);
        seen.left = std::min(seen.left, c);
        seen.bottom = std::max(seen.bottom, r + 1);
        seen.right = std::max(seen.right, c + 1);
        const std::int64_t at = r * width_ + c;
        owner_[static_cast<std::size_t>(at)] = number;
        for (std::int64_t k = 0; k < 3; ++k) {
          const double grain = static_cast<double>(pixels[3 * at + k] % 8) - 4;  // of what is below
          pixels[3 * at + k] = byte(object.colour[static_cast<std::size_t>(k)] + grain);
        }
      }
    return seen;
  }

  std::int64_t visible(int number) const {
    return std::count(owner_.begin(), owner_.end(), number);
  }
  const Tensor& image() const { return image_; }

 private:
  static std::uint8_t byte(double value) {
    return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
  }

  std::int64_t height_, width_;
  Tensor image_;
  std::vector<int> owner_;  // the object on top of each pixel
};

}  // namespace

const std::vector<std::string>& scene_classes() {
  static const std::vector<std::string> names = {"disc", "ring", "star"};
  return names;
}

DetectionSample make_scene(std::int64_t height, std::int64_t width, const Rng& rng) {
  Canvas canvas(height, width, rng);
  const std::int64_t count =
      rng.uniform(0) < kEmptyScenes
          ? 0
          : 1 + static_cast<std::int64_t>(rng.fork("count").below(0, kMostObjects));
  std::vector<Object> objects;
  std::vector<Seen> seen;
  for (std::int64_t i = 0; i < count; ++i) {
    objects.emplace_back(height, width, rng.fork("object").fork(static_cast<std::uint64_t>(i)));
    seen.push_back(canvas.paint(objects.back(), static_cast<int>(i)));
  }
  std::vector<float> boxes;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> difficult;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Seen& of = seen[i];
    const double share = static_cast<double>(canvas.visible(static_cast<int>(i))) /
                         static_cast<double>(std::max<std::int64_t>(1, of.whole));
    if (share < kTooHidden) continue;
    for (const std::int64_t corner : {of.left, of.top, of.right, of.bottom})
      boxes.push_back(static_cast<float>(corner));
    labels.push_back(objects[i].label);
    difficult.push_back(share < kHidden ? 1 : 0);
  }
  const auto kept = static_cast<std::int64_t>(labels.size());
  DetectionSample sample;
  sample.image = canvas.image();
  sample.boxes = Tensor::from(boxes, {kept, 4});
  sample.labels = Tensor::from(labels, {kept});
  sample.difficult = Tensor::from(difficult, {kept});
  sample.crowd = Tensor::zeros({kept}, DType::uint8);
  sample.polygons.resize(labels.size());
  sample.height = height;
  sample.width = width;
  return sample;
}

}  // namespace pliant::detect
