#include <pliant/apps/detect/coco_json.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/json_text.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

// The ids of all pictures: their own if each is a number, and none is there twice.
std::vector<std::int64_t> image_ids(const PictureSet& set) {
  std::vector<std::int64_t> own, counted;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    if (const auto number = kit::number_in<std::int64_t>(set.id(i))) own.push_back(*number);
    counted.push_back(i + 1);
  }
  std::vector<std::int64_t> sorted = own;
  std::sort(sorted.begin(), sorted.end());
  const bool distinct = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  return own.size() == counted.size() && distinct ? own : counted;
}

Json box_of(const Corners& box) { return {box[0], box[1], box[2] - box[0], box[3] - box[1]}; }

}  // namespace

Json coco_results(const Judgement& judgement, const PictureSets& sets, const PictureSet& judged) {
  const std::vector<std::int64_t> ids = image_ids(judged);
  Json list = Json::array();
  for (const FoundBox& box : judgement.found)
    list.push_back({{"image_id", ids[static_cast<std::size_t>(box.image)]},
                    {"category_id", sets.categories[static_cast<std::size_t>(box.label)]},
                    {"bbox", box_of(box.box)},
                    {"score", box.score}});
  return list;
}

Json coco_truth(const Judgement& judgement, const PictureSets& sets, const PictureSet& judged) {
  const std::vector<std::int64_t> ids = image_ids(judged);
  Json images = Json::array(), annotations = Json::array(), categories = Json::array();
  for (std::int64_t i = 0; i < judged.size(); ++i) {
    const DetectionSample sample = judged.at(i);
    images.push_back({{"id", ids[static_cast<std::size_t>(i)]},
                      {"file_name", kit::as_written(judged.id(i))},
                      {"height", sample.height},
                      {"width", sample.width}});
  }
  for (const TrueBox& box : judgement.truth) {
    const Json corners = box_of(box.box);
    annotations.push_back(
        {{"id", annotations.size() + 1},
         {"image_id", ids[static_cast<std::size_t>(box.image)]},
         {"category_id", sets.categories[static_cast<std::size_t>(box.label)]},
         {"bbox", corners},
         {"area", box.area >= 0 ? box.area : (box.box[2] - box.box[0]) * (box.box[3] - box.box[1])},
         {"iscrowd", box.crowd ? 1 : 0}});
  }
  for (std::size_t label = 0; label < sets.classes.size(); ++label)
    categories.push_back({{"id", sets.categories[label]}, {"name", sets.classes[label]}});
  return {{"images", images}, {"annotations", annotations}, {"categories", categories}};
}

}  // namespace pliant::detect
