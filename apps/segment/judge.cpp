#include <pliant/apps/segment/judge.h>

#include <cmath>
#include <limits>
#include <numeric>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/text_table.h>
#include <pliant/core/text.h>
#include <pliant/layers/train/confusion_matrix.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

double quotient(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(part) / static_cast<double>(whole);
}

// JSON knows no NaN.
Json number_or_null(double number) { return std::isnan(number) ? Json() : Json(number); }

std::string percent_or_dash(double share) { return std::isnan(share) ? "–" : kit::percent(share); }

kit::Confusion confusion_of(const Tensor& counts) {
  const auto classes = static_cast<std::size_t>(counts.dim(0));
  kit::Confusion confusion(classes);
  const std::int64_t* count = counts.data<std::int64_t>();
  for (std::size_t label = 0; label < classes; ++label)
    for (std::int64_t& to : confusion[label]) to = *count++;
  return confusion;
}

}  // namespace

ClassCounts::ClassCounts(const kit::Confusion& confusion) : ClassCounts(confusion.size()) {
  for (std::size_t label = 0; label < classes(); ++label) {
    right[label] = confusion[label][label];
    for (std::size_t guess = 0; guess < classes(); ++guess) {
      labels[label] += confusion[label][guess];
      guesses[guess] += confusion[label][guess];
    }
  }
}

ClassCounts& ClassCounts::operator+=(const ClassCounts& other) {
  for (std::size_t label = 0; label < classes(); ++label) {
    right[label] += other.right[label];
    labels[label] += other.labels[label];
    guesses[label] += other.guesses[label];
  }
  return *this;
}

double ClassCounts::iou(std::size_t label) const {
  return quotient(right[label], labels[label] + guesses[label] - right[label]);
}

double ClassCounts::mean_iou() const { return mean_iou(all_of(classes())); }

double ClassCounts::mean_iou(const std::vector<std::size_t>& some) const {
  double sum = 0;
  int count = 0;
  for (const std::size_t label : some)
    if (const double of = iou(label); !std::isnan(of)) {
      sum += of;
      ++count;
    }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

double ClassCounts::accuracy() const {
  return quotient(std::accumulate(right.begin(), right.end(), std::int64_t{0}),
                  std::accumulate(labels.begin(), labels.end(), std::int64_t{0}));
}

Judgement judge(const DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSet& set,
                const InferenceOptions& options) {
  const auto classes = static_cast<std::int64_t>(recipe.classes.size());
  Judgement judgement;
  ConfusionMatrix seen(classes, {.ignore_label = kVoid});
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const SegmentationSample sample = set.at(i);
    const Tensor labels = sample.mask.to(DType::int64);
    const Tensor shares = probabilities_of(net, recipe, sample.image, options);
    ConfusionMatrix one(classes, {.ignore_label = kVoid});
    one.add(shares, labels);
    seen.add(shares, labels);
    judgement.pictures.emplace_back(confusion_of(one.counts()));
  }
  judgement.confusion = confusion_of(seen.counts());
  judgement.accuracy = seen.accuracy();
  judgement.mean_iou = seen.mean_iou();
  judgement.mean_recall = seen.mean_recall();
  judgement.weighted_iou = seen.frequency_weighted_iou();
  return judgement;
}

Json json_of(const Judgement& judgement, const NetRecipe& recipe) {
  const ClassCounts total = judgement.total();
  Json classes = Json::array();
  for (std::size_t label = 0; label < recipe.classes.size(); ++label)
    classes.push_back(
        {{"class", recipe.classes[label]},
         {"pixels", total.labels[label]},
         {"iou", number_or_null(total.iou(label))},
         {"precision", number_or_null(quotient(total.right[label], total.guesses[label]))},
         {"recall", number_or_null(quotient(total.right[label], total.labels[label]))}});
  return {{"pictures", judgement.pictures.size()},
          {"mean_iou", number_or_null(judgement.mean_iou)},
          {"pixel_accuracy", number_or_null(judgement.accuracy)},
          {"mean_class_accuracy", number_or_null(judgement.mean_recall)},
          {"frequency_weighted_iou", number_or_null(judgement.weighted_iou)},
          {"classes", classes},
          {"confusion", judgement.confusion}};
}

std::string table_of(const Judgement& judgement, const NetRecipe& recipe) {
  const ClassCounts total = judgement.total();
  std::vector<kit::Cells> lines = {{"class", "", "pixels", "IoU", "precision", "recall"}};
  for (std::size_t label = 0; label < recipe.classes.size(); ++label)
    lines.push_back({printable(recipe.classes[label], 40), "", grouped(total.labels[label]),
                     percent_or_dash(total.iou(label)),
                     percent_or_dash(quotient(total.right[label], total.guesses[label])),
                     percent_or_dash(quotient(total.right[label], total.labels[label]))});
  lines.push_back(
      {text_from(judgement.pictures.size(), " pictures: mIoU ", percent_or_dash(judgement.mean_iou),
                 ", pixels right ", percent_or_dash(judgement.accuracy), ", mean class accuracy ",
                 percent_or_dash(judgement.mean_recall), ", frequency-weighted IoU ",
                 percent_or_dash(judgement.weighted_iou))});
  return kit::aligned(lines);
}

}  // namespace pliant::segment
