// Anchors, box coding, suppression, matching, losses and detections.
#include <algorithm>
#include <cmath>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/detection_losses.h>
#include <pliant/autograd/ops/detections.h>
#include <pliant/autograd/ops/nms.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/conformance/vision.h>

namespace pliant::conformance {

namespace {

Tensor rows(const Tensor& x, std::int64_t first, std::int64_t count) {
  return x.slice(first, first + count).clone();
}

Tensor take(const Tensor& x, const Tensor& indices) { return index_select(x, 0, indices).value(); }

double count(const Tensor& matches, double match) {
  const std::vector<double> all = matches.to_vector();
  return static_cast<double>(std::count(all.begin(), all.end(), match));
}

// ---- anchors ----

void classic_anchors(const Block& block) {
  const Block params = block.at("params");
  const Tensor cell = classic_cell_anchors(params.integer("base"), params.numbers("ratios"),
                                           params.numbers("scales"), block.dtype());
  block.expect("cell", cell);
  block.expect("grid", grid_anchors(cell, {block.integer("grid_h"), block.integer("grid_w")},
                                    block.integer("stride")));
}

void torchvision_anchors(const Block& block) {
  const Block params = block.at("params");
  const Tensor cell =
      cell_anchors(params.numbers("sizes"), params.numbers("ratios"), block.dtype());
  const Size2 map{params.integer("H"), params.integer("W")};
  block.expect("cell", cell);
  block.expect("grid", grid_anchors(cell, map,
                                    {params.integer("ih") / map.h, params.integer("iw") / map.w}));
}

void songdejia_anchors(const Block& block) {
  const Block params = block.at("params");
  require(params.integer("w") == params.integer("h"), "w and h differ, expected a square");
  const Tensor all = siamrpn_classic_anchors({.size = params.integer("w"),
                                              .stride = params.integer("stride"),
                                              .base = params.number("base"),
                                              .ratios = params.numbers("ratios")},
                                             block.dtype());
  const Tolerance float32{.relative = 1e-4, .absolute = 1e-4};  // the original's arithmetic
  block.expect("count", static_cast<double>(all.dim(0)));
  block.expect("first", rows(all, 0, 10), float32);
  block.expect("last", rows(all, all.dim(0) - 10, 10), float32);
  block.expect("sum_over_all", sum(all, {0}), float32);
}

void pysot_anchors(const Block& block) {
  const Block params = block.at("params");
  const std::int64_t size = params.integer("size");
  const Tensor all = siamrpn_anchors({.size = size,
                                      .stride = params.integer("stride"),
                                      .ratios = params.numbers("ratios"),
                                      .scales = params.numbers("scales"),
                                      .centre = params.number("centre")},
                                     block.dtype());
  const std::int64_t kinds = all.dim(0), places = size * size;
  const Tensor flat = all.reshape({-1, 4});
  block.expect("base_wh",
               slice_axis(slice_axis(all.reshape({kinds, places * 4}), 1, 0, 4), 1, 2, 4));
  block.expect("shape", Tensor::from({kinds, size, size, std::int64_t{4}}, {4}));
  // The first place of the first kind, the ends of its first row and column, and the last of all.
  block.expect(
      "corner_values",
      take(flat,
           Tensor::from({std::int64_t{0}, size - 1, size * (size - 1), kinds * places - 1}, {4})));
  block.expect("sum_over_all", sum(flat, {0}));
}

// ---- box coding ----

// The factors in a name: w1111, w10_10_5_5.
std::array<double, 4> weights_of(const Block& answer) {
  const std::vector<std::int64_t> numbers = answer.numbers_in_name();
  std::array<double, 4> weights = {1, 1, 1, 1};
  if (numbers.size() >= 4)
    for (std::size_t i = 0; i < 4; ++i) weights[i] = static_cast<double>(numbers[i]);
  else
    require(answer.name().find("w1111") != std::string::npos, answer.name(),
            " names no factors that are known");
  return weights;
}

// What a name begins with, encode or decode, is done.
Var coded(const Block& file, const std::string& name, const BoxCoding& coding) {
  const Tensor anchors = file.tensor("anchors");
  if (name.starts_with("encode")) return encode_boxes(file.tensor("boxes"), anchors, coding);
  return decode_boxes(file.tensor("deltas"), anchors, coding);
}

void continuous_coding(const Block& block) {
  for (const std::string& name : block.names()) {
    const Block answer = block.at(name);
    Var boxes = coded(block.file(), name, {.weights = weights_of(answer)});
    const std::size_t clipped = name.find("_clipped_to_");
    if (clipped != std::string::npos) {
      const std::vector<std::int64_t> numbers = answer.numbers_in_name();
      const std::int64_t height = numbers.back(), width = numbers[numbers.size() - 2];
      boxes = clip_boxes(boxes, {height, width});
    }
    block.expect(name, boxes);
  }
}

void inclusive_coding(const Block& block) {
  for (const std::string& name : block.names()) {
    BoxCoding coding{.most_scale = HUGE_VAL, .sides = BoxSides::inclusive};
    if (name.find("_normalised_std_.1_.1_.2_.2") != std::string::npos)
      coding.weights = {10, 10, 5, 5};
    block.expect(name, coded(block.file(), name, coding));
  }
}

void songdejia_coding(const Block& block) {
  for (const std::string& name : block.names())
    block.expect(name, coded(block.file(), name, {.epsilon = 0.01}));
}

// ---- overlaps and suppression ----

template <BoxSides sides>
void overlaps(const Block& block) {
  const Tensor boxes = block.file().tensor("boxes");
  const std::vector<std::int64_t> sizes = block.numbers_in_name();
  block.expect("", box_iou(rows(boxes, 0, sizes[0]), rows(boxes, sizes[0], sizes[1]), sides));
}

void suppression(const Block& block) {
  const Block file = block.file();
  const Tensor boxes = file.tensor("boxes"), scores = file.tensor("scores");
  for (const std::string& threshold : block.names()) {
    const Block at = block.at(threshold);
    NMSOptions options{.iou_threshold = parse_real("threshold", threshold)};
    at.expect("continuous", nms(boxes, scores, options));
    at.expect("per_class_continuous", batched_nms(boxes, scores, file.indices("classes"), options));
    options.sides = BoxSides::inclusive;
    at.expect("plus_one", nms(boxes, scores, options));
  }
}

// ---- region proposals ----

Tensor rpn_cell(const Block& block) { return cell_anchors({24, 48}, {0.5, 1, 2}, block.dtype()); }

Size2 rpn_map(const Block& file) { return {file.integer("H"), file.integer("W")}; }

Size2 rpn_image(const Block& file) {
  const Size2 map = rpn_map(file);
  return {map.h * file.integer("stride"), map.w * file.integer("stride")};
}

Tensor rpn_anchors(const Block& block) {
  const Block file = block.file();
  return grid_anchors(rpn_cell(block), rpn_map(file), file.integer("stride"));
}

Tensor rpn_matches(const Block& block, const BoxMatching& options) {
  return match_boxes(box_iou(block.file().tensor("gt"), rpn_anchors(block)).value(), options);
}

// What the anchors of these indices are to predict.
Tensor rpn_targets(const Block& block, const Tensor& indices) {
  const Tensor of = take(rpn_matches(block, {}), indices);
  return encode_boxes(take(block.file().tensor("gt"), of), take(rpn_anchors(block), indices))
      .value();
}

void first_cell(const Block& block) { block.expect("", rpn_cell(block)); }

void torchvision_matches(const Block& block) {
  const Tensor matches = rpn_matches(block, {});
  block.expect("matched", matches);
  const double ignored = count(matches, -2), negatives = count(matches, -1);
  block.expect("positives", static_cast<double>(matches.size()) - ignored - negatives);
  block.expect("negatives", negatives);
  block.expect("ignored", ignored);
  const BoxSample all =
      sample_boxes(matches, {.size = matches.size(), .positive_fraction = 1}, Rng(1));
  block.expect("positive_indices", all.positives);
  block.expect("targets_of_positives", rpn_targets(block, all.positives));
}

void caffe_labels(const Block& block) {
  const Block file = block.file();
  block.expect("labels",
               classic_anchor_labels(rpn_anchors(block), file.tensor("gt"), rpn_image(file)));
}

void roi_matches(const Block& block) {
  block.expect("matched", rpn_matches(block, {.high = 0.5, .low = 0.5, .low_quality = false}));
}

// What the net said, which stands in the block of its loss.
struct RPNOutput {
  Tensor logits, deltas;

  explicit RPNOutput(const Block& loss)
      : logits(loss.tensor("objectness").reshape({-1})),
        deltas(loss.tensor("deltas").reshape({-1, 4})) {}
};

void rpn_losses(const Block& block) {
  const RPNOutput output(block);
  const BoxSample sample{block.indices("sampled_positive"), block.indices("sampled_negative")};
  Tape tape;
  const Var logits = tape.variable(output.logits), deltas = tape.variable(output.deltas);
  const DetectionLoss loss = rpn_loss(logits, deltas, rpn_targets(block, sample.positives), sample);
  block.expect("loss_objectness", loss.classes);
  block.expect("loss_box", loss.boxes);
  const Gradients gradients = tape.gradients(loss.classes + loss.boxes);
  const Tensor of_logits = *gradients.find(logits), of_deltas = *gradients.find(deltas);
  block.expect("grad_objectness_of_samples",
               concat({take(of_logits, sample.positives), take(of_logits, sample.negatives)}, 0));
  block.expect("grad_deltas_of_positives", take(of_deltas, sample.positives));
}

void proposals(const Block& block) {
  const RPNOutput output(block.file().at("loss"));
  const ScoredBoxes found =
      region_proposals(output.logits, output.deltas, rpn_anchors(block), rpn_image(block.file()),
                       {.before_nms = 100, .after_nms = 12});
  block.expect("boxes", found.boxes);
  block.expect("scores", found.scores);
}

// ---- the second stage ----

void fast_rcnn_result(const Block& block) {
  const Block file = block.file();
  const ScoredBoxes found = detections(
      file.tensor("class_logits"), file.tensor("box_regression"), file.tensor("proposals"),
      {file.integer("image_h"), file.integer("image_w")}, {.most = 10});
  block.expect("boxes", found.boxes);
  block.expect("scores", found.scores);
  block.expect("labels", found.labels);
}

void fast_rcnn_losses(const Block& block) {
  const Block file = block.file();
  Tape tape;
  const Var logits = tape.variable(file.tensor("class_logits"));
  const Var deltas = tape.variable(file.tensor("box_regression"));
  const DetectionLoss loss =
      fast_rcnn_loss(logits, deltas, block.indices("labels"), block.tensor("targets"));
  block.expect("loss_classifier", loss.classes);
  block.expect("loss_box", loss.boxes);
  const Gradients gradients = tape.gradients(loss.classes + loss.boxes);
  block.expect("grad_logits", *gradients.find(logits));
  block.expect("grad_box_regression", *gradients.find(deltas));
}

}  // namespace

VisionFile anchors_file() {
  return {.tolerance = {.absolute = 1e-9},
          .blocks = {{"classic_faster_rcnn", classic_anchors},
                     {"torchvision", torchvision_anchors},
                     {"songdejia_siamrpn", songdejia_anchors},
                     {"pysot_siamrpn", pysot_anchors}},
          .inputs = {}};
}

VisionFile box_coding_file() {
  return {.tolerance = {.relative = 1e-12, .absolute = 1e-12},
          .blocks = {{"continuous", continuous_coding},
                     {"plus_one", inclusive_coding},
                     {"songdejia_eps_.#_on_centre_form", songdejia_coding}},
          .inputs = {"anchors", "boxes", "deltas"}};
}

VisionFile iou_nms_file() {
  return {.tolerance = {.absolute = 1e-12},
          .blocks = {{"iou_#x#_continuous", overlaps<BoxSides::continuous>},
                     {"iou_#x#_plus_one", overlaps<BoxSides::inclusive>},
                     {"nms", suppression}},
          .inputs = {"boxes", "scores", "classes"}};
}

VisionFile rpn_file() {
  return {.tolerance = {.relative = 1e-12, .absolute = 1e-12},
          .blocks = {{"anchors_first_cell", first_cell},
                     {"match_torchvision", torchvision_matches},
                     {"match_caffe", caffe_labels},
                     {"roi_match", roi_matches},
                     {"loss", rpn_losses},
                     {"proposals", proposals}},
          .inputs = {"H", "W", "stride", "gt"}};
}

VisionFile detections_file() {
  return {.tolerance = {.relative = 1e-12, .absolute = 1e-12},
          .blocks = {{"result", fast_rcnn_result}, {"loss", fast_rcnn_losses}},
          .inputs = {"image_h", "image_w", "proposals", "class_logits", "box_regression"}};
}

}  // namespace pliant::conformance
