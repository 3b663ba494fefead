#include <pliant/apps/detect/robustness.h>

#include <cmath>

#include <nlohmann/json.hpp>

namespace pliant::detect {
namespace {

constexpr double kFarthest = 0.1;  // share of the extent that pictures are shifted by

struct Kind {
  const char* name;
  std::vector<double> levels;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {{"scale", {0.5, 0.7, 1.5, 2}},
                                        {"rotate", {-30, -20, -10, 10, 20, 30}},
                                        {"shear", {-0.4, -0.2, 0.2, 0.4}}};
  return all;
}

Warp warp_of(const Transform& transform, std::int64_t height, std::int64_t width) {
  Warp warp(height, width);
  const double level = transform.level;
  if (transform.kind == "scale") warp.scale(level, level);
  if (transform.kind == "rotate") warp.rotate(level);
  if (transform.kind == "shear")
    warp.shear(transform.along_y ? 0 : level, transform.along_y ? level : 0);
  return warp.shift(transform.shift_x * static_cast<double>(width),
                    transform.shift_y * static_cast<double>(height));
}

}  // namespace

bool Transform::is_within(const Augmentation& augment) const {
  if (kind == "scale") return level >= augment.scale_low && level <= augment.scale_high;
  return std::abs(level) <= (kind == "rotate" ? augment.rotate : augment.shear);
}

std::vector<Transform> transforms(int draws) {
  std::vector<Transform> all;
  for (const Kind& kind : kinds()) {
    const Rng rng = Rng(2014).fork("transforms").fork(kind.name);
    for (std::size_t i = 0; i < kind.levels.size(); ++i)
      for (int draw = 0; draw < draws; ++draw) {
        const Rng own = rng.fork(i).fork(static_cast<std::uint64_t>(draw));
        all.push_back({.kind = kind.name,
                       .level = kind.levels[i],
                       .shift_x = own.uniform(0, -kFarthest, kFarthest),
                       .shift_y = own.uniform(1, -kFarthest, kFarthest),
                       .along_y = own.below(2, 2) == 1});
      }
  }
  return all;
}

nlohmann::ordered_json json_of(const std::vector<Transform>& transforms) {
  auto list = nlohmann::ordered_json::array();
  for (const Transform& transform : transforms)
    list.push_back({{"kind", transform.kind},
                    {"level", transform.level},
                    {"shift_x", transform.shift_x},
                    {"shift_y", transform.shift_y},
                    {"along_y", transform.along_y}});
  return list;
}

PictureSet transformed(const PictureSet& set, const Transform& transform, const NetRecipe& recipe) {
  std::vector<std::string> ids;
  for (std::int64_t i = 0; i < set.size(); ++i) ids.push_back(set.id(i));
  return {std::move(ids), [set, transform, fill = mean_colour(recipe)](std::int64_t i) {
            const DetectionSample sample = set.at(i);
            return warped(sample, warp_of(transform, sample.image.dim(0), sample.image.dim(1)),
                          {.fill = fill, .turned = TurnedBox::ellipse, .clearly_visible = 0.5});
          }};
}

}  // namespace pliant::detect
