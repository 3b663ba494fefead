// How well a net of pliant-detect finds what is in pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/detect/inputs.h>
#include <pliant/layers/train/detection_metrics.h>

namespace pliant::detect {

// What a net finds in a picture uint8 [H W 3], in its pixels, the surest first; labels from 0.
std::vector<FoundBox> find_in(const FasterRCNN& net, const NetRecipe& recipe, const Tensor& picture,
                              Device device, std::int64_t number = 0);

// The boxes of a picture as metrics take them. Difficult objects and crowds are neither to be found
// nor wrong to find.
std::vector<TrueBox> truth_in(const DetectionSample& sample, std::int64_t number);

// By the rules of PASCAL VOC, at an IoU above .5 and above .7, as VOC 2010 on and as VOC 2007 have
// it. NaN where there is nothing to find.
struct VocFigures {
  double ap50 = 0, ap50_11 = 0, ap70 = 0, ap70_11 = 0;
};

struct Judgement {
  std::int64_t pictures = 0;
  std::vector<TrueBox> truth = {};
  std::vector<FoundBox> found = {};
  COCOFigures coco = {};
  std::vector<VocFigures> voc = {};  // by label
  VocFigures voc_mean = {};          // over labels that are to be found

  // COCO's AP, 0 where there is nothing to find.
  double ap() const { return coco.ap > 0 ? coco.ap : 0; }
};

// The figures of what was found.
Judgement judgement_of(std::vector<TrueBox> truth, std::vector<FoundBox> found,
                       std::int64_t pictures, std::size_t classes);

// Off the tape, picture by picture.
Judgement judge(const FasterRCNN& net, const NetRecipe& recipe, const PictureSet& set,
                Device device);

nlohmann::ordered_json json_of(const Judgement& judgement, const NetRecipe& recipe);
// By class, and COCO's twelve figures: a table for a terminal.
std::string table_of(const Judgement& judgement, const NetRecipe& recipe);

}  // namespace pliant::detect
