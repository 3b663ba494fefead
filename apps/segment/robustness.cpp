#include <pliant/apps/segment/robustness.h>

namespace pliant::segment {

PictureSet transformed(const PictureSet& set, const Transform& transform, const NetRecipe& recipe) {
  std::vector<std::string> ids;
  for (std::int64_t i = 0; i < set.size(); ++i) ids.push_back(set.id(i));
  return {std::move(ids), [set, transform, fill = mean_colour(recipe)](std::int64_t i) {
            const SegmentationSample sample = set.at(i);
            return warped(sample, transform.warp(sample.image.dim(0), sample.image.dim(1)),
                          {.fill = fill});
          }};
}

}  // namespace pliant::segment
