// What was found, and what was to be found, as COCO's JSON, which pycocotools reads.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/detect/judge.h>

namespace pliant::detect {

// A list of {"image_id", "category_id", "bbox": [x, y, width, height], "score"}. Images have the ids
// of COCO's file where the set comes from one, else 1, 2 ..; categories alike.
nlohmann::ordered_json coco_results(const Judgement& judgement, const PictureSets& sets,
                                    const PictureSet& judged);
// images, annotations and categories.
nlohmann::ordered_json coco_truth(const Judgement& judgement, const PictureSets& sets,
                                  const PictureSet& judged);

}  // namespace pliant::detect
