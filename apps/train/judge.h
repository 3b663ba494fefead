// How a net of pliant-train labels pictures.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/classifier.h>
#include <pliant/apps/kit/confusion.h>
#include <pliant/apps/train/pictures.h>

namespace pliant::train {

struct Guess {
  std::int64_t label = 0;
  double probability = 0;
};
// The `count` most probable classes of each row of logits [N C], the surest first.
std::vector<std::vector<Guess>> guesses_of(const Tensor& logits, std::int64_t count);

struct Mistake {
  std::int64_t picture = 0, label = 0;
  Guess guess;
};

struct Judgement {
  std::int64_t pictures = 0, right = 0, right_of_5 = 0;
  kit::Confusion confusion;
  std::vector<Mistake> mistakes;  // the surest, surest first

  double accuracy() const {
    return pictures > 0 ? static_cast<double>(right) / static_cast<double>(pictures) : 0;
  }
  double top5() const {
    return pictures > 0 ? static_cast<double>(right_of_5) / static_cast<double>(pictures) : 0;
  }
};

struct JudgeOptions {
  Device device = {};
  std::int64_t batch = 100, threads = 2;
};

// Off the tape. Logits that are not finite are an Error that names the picture.
Judgement judge(const kit::Classifier& net, const PictureSet& set, const NetRecipe& recipe,
                const JudgeOptions& options);

nlohmann::ordered_json json_of(const Judgement& judgement, const NetRecipe& recipe);
// Precision, recall and F1 by class, and the sums: a table for a terminal.
std::string table_of(const Judgement& judgement, const NetRecipe& recipe);

}  // namespace pliant::train
