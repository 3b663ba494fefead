#include <pliant/apps/detect/judge.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/text_table.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCocoNames[] = {"AP",        "AP50",     "AP75",      "AP small",
                                      "AP medium", "AP large", "AR 1",      "AR 10",
                                      "AR 100",    "AR small", "AR medium", "AR large"};

VocFigures voc_of(const Judgement& judgement, std::int64_t label) {
  // Boxes are continuous here, so that their sides are those of VOC's pixels, which count both ends.
  const auto at = [&](double threshold) {
    return precision_recall(judgement.truth, judgement.found, label,
                            {.iou_threshold = threshold, .inclusive = false});
  };
  const PrecisionRecall half = at(0.5), high = at(0.7);
  return {average_precision(half), average_precision_11_point(half), average_precision(high),
          average_precision_11_point(high)};
}

double mean_of(const std::vector<VocFigures>& all, double VocFigures::*figure) {
  double sum = 0;
  int count = 0;
  for (const VocFigures& of : all)
    if (const double value = of.*figure; !std::isnan(value)) {
      sum += value;
      ++count;
    }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

// JSON has no NaN.
Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

Json json_of(const VocFigures& voc) {
  return {{"ap50", number_or_null(voc.ap50)},
          {"ap50_11_point", number_or_null(voc.ap50_11)},
          {"ap70", number_or_null(voc.ap70)},
          {"ap70_11_point", number_or_null(voc.ap70_11)}};
}

// A figure as a share; what is not there as a dash.
std::string shown(double value) { return value >= 0 ? fixed(value, 3) : "-"; }

}  // namespace

std::vector<FoundBox> find_in(const FasterRCNN& net, const NetRecipe& recipe, const Tensor& picture,
                              Device device, std::int64_t number) {
  const Resized input = net_input(picture, recipe);
  const PictureBatch batch = batch_pictures({input.image}, preset_of(recipe.preset).divisor);
  const ScoredBoxes found = net({batch.images.value().to(device), batch.sizes}).front();
  const std::vector<double> boxes = found.boxes.to_vector(), scores = found.scores.to_vector(),
                            labels = found.labels.to_vector();
  // The two sides were rounded each on its own.
  const double x = static_cast<double>(picture.dim(1)) / static_cast<double>(input.image.dim(1)),
               y = static_cast<double>(picture.dim(0)) / static_cast<double>(input.image.dim(0));
  std::vector<FoundBox> all;
  for (std::size_t i = 0; i < scores.size(); ++i)
    all.push_back({.image = number,
                   .label = static_cast<std::int64_t>(labels[i]) - 1,
                   .box = {boxes[4 * i] * x, boxes[4 * i + 1] * y, boxes[4 * i + 2] * x,
                           boxes[4 * i + 3] * y},
                   .score = scores[i]});
  return all;
}

std::vector<TrueBox> truth_in(const DetectionSample& sample, std::int64_t number) {
  std::vector<TrueBox> all;
  const auto boxes = sample.boxes.span<float>();
  for (std::size_t i = 0; i < static_cast<std::size_t>(sample.labels.size()); ++i) {
    const bool left_out =
        sample.difficult.span<std::uint8_t>()[i] != 0 || sample.crowd.span<std::uint8_t>()[i] != 0;
    all.push_back({.image = number,
                   .label = sample.labels.span<std::int64_t>()[i],
                   .box = {boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]},
                   .difficult = left_out,
                   .crowd = left_out,
                   .area = sample.areas.empty() ? -1 : sample.areas[i]});
  }
  return all;
}

Judgement judgement_of(std::vector<TrueBox> truth, std::vector<FoundBox> found,
                       std::int64_t pictures, std::size_t classes) {
  Judgement judgement{.pictures = pictures, .truth = std::move(truth), .found = std::move(found)};
  judgement.coco =
      coco_figures(judgement.truth, judgement.found, static_cast<std::int64_t>(classes));
  for (std::size_t label = 0; label < classes; ++label)
    judgement.voc.push_back(voc_of(judgement, static_cast<std::int64_t>(label)));
  for (double VocFigures::*const figure :
       {&VocFigures::ap50, &VocFigures::ap50_11, &VocFigures::ap70, &VocFigures::ap70_11})
    judgement.voc_mean.*figure = mean_of(judgement.voc, figure);
  return judgement;
}

Judgement judge(const FasterRCNN& net, const NetRecipe& recipe, const PictureSet& set,
                Device device) {
  std::vector<TrueBox> truth;
  std::vector<FoundBox> found;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const DetectionSample sample = set.at(i);
    for (const TrueBox& box : truth_in(sample, i)) truth.push_back(box);
    for (const FoundBox& box : find_in(net, recipe, sample.image, device, i)) found.push_back(box);
  }
  return judgement_of(std::move(truth), std::move(found), set.size(), recipe.classes.size());
}

Json json_of(const Judgement& judgement, const NetRecipe& recipe) {
  Json json = {{"pictures", judgement.pictures},
               {"boxes", judgement.truth.size()},
               {"found", judgement.found.size()}};
  Json coco;
  const std::array<double, 12> figures = judgement.coco.all();
  for (std::size_t i = 0; i < figures.size(); ++i) coco[kCocoNames[i]] = figures[i];
  json["coco"] = coco;
  json["voc"] = json_of(judgement.voc_mean);
  Json classes = Json::array();
  for (std::size_t label = 0; label < recipe.classes.size(); ++label) {
    Json of = {{"class", recipe.classes[label]},
               {"coco_ap", judgement.coco.ap_of_label[label]},
               {"coco_ap50", judgement.coco.ap50_of_label[label]}};
    of.update(json_of(judgement.voc[label]));
    classes.push_back(of);
  }
  json["classes"] = classes;
  return json;
}

std::string table_of(const Judgement& judgement, const NetRecipe& recipe) {
  std::vector<kit::Cells> lines = {
      {"class", "", "boxes", "VOC .5", "11-point", "VOC .7", "11-point", "COCO AP", "AP50"}};
  const auto line = [&](const std::string& name, std::int64_t boxes, const VocFigures& voc,
                        double ap, double ap50) {
    lines.push_back({name, "", grouped(boxes), shown(voc.ap50), shown(voc.ap50_11), shown(voc.ap70),
                     shown(voc.ap70_11), shown(ap), shown(ap50)});
  };
  std::int64_t all = 0;
  for (std::size_t label = 0; label < recipe.classes.size(); ++label) {
    const auto boxes =
        std::count_if(judgement.truth.begin(), judgement.truth.end(), [&](const TrueBox& box) {
          return box.label == static_cast<std::int64_t>(label) && !box.difficult;
        });
    all += boxes;
    line(printable(recipe.classes[label], 40), boxes, judgement.voc[label],
         judgement.coco.ap_of_label[label], judgement.coco.ap50_of_label[label]);
  }
  line("mean", all, judgement.voc_mean, judgement.coco.ap, judgement.coco.ap50);
  const std::array<double, 12> figures = judgement.coco.all();
  std::string sentence = "COCO:";
  for (std::size_t i = 0; i < figures.size(); ++i)
    sentence += text_from(i == 0 ? " " : ", ", kCocoNames[i], ' ', shown(figures[i]));
  lines.push_back({sentence});
  lines.push_back(
      {text_from(grouped(judgement.pictures), " pictures, ",
                 grouped(static_cast<std::int64_t>(judgement.found.size())), " boxes found")});
  return kit::aligned(lines);
}

}  // namespace pliant::detect
