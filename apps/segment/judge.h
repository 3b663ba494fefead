// How well a net of pliant-segment labels pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/confusion.h>
#include <pliant/apps/segment/inference.h>
#include <pliant/apps/segment/pictures.h>

namespace pliant::segment {

// Pixels of one or more pictures, by class: those labelled so, those guessed so, and those that are
// both. Pixels of no class are in neither.
struct ClassCounts {
  explicit ClassCounts(std::size_t classes = 0)
      : right(classes), labels(classes), guesses(classes) {}
  explicit ClassCounts(const kit::Confusion& confusion);

  ClassCounts& operator+=(const ClassCounts& other);

  std::size_t classes() const { return right.size(); }
  double iou(std::size_t label) const;  // right / (labels + guesses - right); 0 / 0: NaN
  // Over the classes that are a label or a guess somewhere; and over some of these.
  double mean_iou() const;
  double mean_iou(const std::vector<std::size_t>& some) const;
  double accuracy() const;  // share of pixels that are right

  std::vector<std::int64_t> right, labels, guesses;
};

struct Judgement {
  kit::Confusion confusion = kit::Confusion(0);  // of all pixels
  std::vector<ClassCounts> pictures = {};        // one for each, in their order
  double accuracy = 0, mean_iou = 0, mean_recall = 0, weighted_iou = 0;

  ClassCounts total() const { return ClassCounts(confusion); }
};

// Off the tape, whole pictures.
Judgement judge(const DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSet& set,
                const InferenceOptions& options);

nlohmann::ordered_json json_of(const Judgement& judgement, const NetRecipe& recipe);
// By class and in sum: a table for a terminal.
std::string table_of(const Judgement& judgement, const NetRecipe& recipe);

}  // namespace pliant::segment
