#include <pliant/apps/kit/transforms.h>

#include <nlohmann/json.hpp>

namespace pliant::kit {
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

}  // namespace

Warp Transform::warp(std::int64_t height, std::int64_t width) const {
  Warp warp(height, width);
  if (kind == "scale") warp.scale(level, level);
  if (kind == "rotate") warp.rotate(level);
  if (kind == "shear") warp.shear(along_y ? 0 : level, along_y ? level : 0);
  return warp.shift(shift_x * static_cast<double>(width), shift_y * static_cast<double>(height));
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

}  // namespace pliant::kit
