// What a Siamese tracker learns from, compares, sees and does in a frame.
#include <algorithm>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/box_coding.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/detection_losses.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/data/crop.h>
#include <pliant/layers/nets/siamrpn_targets.h>
#include <pliant/layers/nets/siamrpn_tracking.h>
#include <pliant/tests/conformance/vision.h>

namespace pliant::conformance {

namespace {

constexpr Tolerance kFloat32 = {.absolute = 1e-4};  // the arithmetic of one of the originals
constexpr std::int64_t kSize = 17;                  // places along each axis of the published maps

// Those of `labels` that are `label`.
Tensor labelled(const Tensor& labels, std::int64_t label) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; const std::int64_t one : labels.span<std::int64_t>()) {
    if (one == label) all.push_back(i);
    ++i;
  }
  return Tensor::from(all, {std::ssize(all)});
}

// Anchor, row and column of flat indices.
Tensor places(const Tensor& flat) {
  std::vector<std::int64_t> all;
  for (const std::int64_t i : flat.span<std::int64_t>())
    all.insert(all.end(), {i / kSize / kSize, i / kSize % kSize, i % kSize});
  return Tensor::from(all, {flat.size(), 3});
}

void pysot_target(const Block& one) {
  const Tensor box =
      convert_boxes(one.tensor("gt_centre_form"), BoxForm::cxcywh, BoxForm::xyxy).value();
  const SiamRPNTargets targets = siamrpn_targets(box, siamrpn_anchors({}, one.dtype()));
  const Tensor positives = labelled(targets.labels, 1);
  one.expect("positives", static_cast<double>(positives.size()));
  one.expect("negatives", static_cast<double>(labelled(targets.labels, 0).size()));
  one.expect("max_iou", max(targets.iou));
  one.expect("argmax", places(argmax(targets.iou)).reshape({3}));
  const std::int64_t shown = std::min<std::int64_t>(6, positives.size());
  const Tensor first = positives.slice(0, shown).clone();
  if (shown == 0) {
    one.expect("first_positives_anchor_row_col", std::vector<double>{});
    one.expect("deltas_of_those", std::vector<double>{});
    return;
  }
  one.expect("first_positives_anchor_row_col", places(first));
  one.expect("deltas_of_those", index_select(targets.deltas, 0, first));
}

void songdejia_target(const Block& one) {
  const SiamRPNClassicTargets targets = siamrpn_classic_targets(
      one.tensor("gt_centre_form"), siamrpn_classic_anchors({}, one.dtype()));
  one.expect("max_iou", max(targets.iou), kFloat32);
  require(one.flag("has_positives") == targets.has_positives, "has_positives is another");
  // Anchors of one IoU have no order in the original's arithmetic: those named are to have the IoUs
  // of ours, one after another.
  const Tensor named = one.indices("best_30");
  const Tensor of_named = index_select(targets.iou, 0, named).value();
  const Tensor of_ours = index_select(targets.iou, 0, targets.best).value();
  const Deviation order = compare("best_30", of_named, of_ours.to(DType::float64), kFloat32);
  require(order.passed, "best_30: IoUs of the anchors named, ", order.message);
  one.expect("iou_of_best_5", slice_axis(of_ours, 0, 0, 5), kFloat32);
  one.expect("negative_candidates", static_cast<double>(targets.negatives.size()));
  one.expect("deltas_of_best_5", index_select(targets.deltas, 0, named.slice(0, 5).clone()),
             kFloat32);
}

template <void (*target)(const Block&)>
void targets(const Block& block) {
  for (const Block& one : block.each("cases")) target(one);
}

void losses(const Block& block) {
  Tape tape;
  const Var logits = tape.variable(block.tensor("cls")),
            deltas = tape.variable(block.tensor("loc"));
  const Tensor labels = block.indices("label");
  const Shape shape = logits.shape();
  const std::int64_t n = shape[0], kinds = shape[1] / 2, h = shape[2], w = shape[3];
  const Tensor targets = block.tensor("loc_target").reshape({n, 4 * kinds, h, w});
  const Tensor by_place = to_nhwc(labels).value();
  const DetectionLoss loss =
      siamrpn_loss(to_nhwc(logits), to_nhwc(deltas), by_place, to_nhwc(targets).value(),
                   to_nhwc(block.tensor("loc_weight")).value());
  block.expect("loss_cls", loss.classes);
  block.expect("loss_loc", loss.boxes);
  const Gradients gradients = tape.gradients(loss.classes + loss.boxes * 1.2);
  block.expect("grad_cls", *gradients.find(logits));
  block.expect("grad_loc", *gradients.find(deltas));
}

void up_channel(const Block& block) {
  block.expect("output", to_nchw(cross_correlation(to_nhwc(block.tensor("search")),
                                                   to_nhwc(block.tensor("kernel")))));
}

void depthwise(const Block& block) {
  block.expect("output", to_nchw(cross_correlation_depthwise(to_nhwc(block.tensor("search")),
                                                             to_nhwc(block.tensor("kernel")))));
}

void crop(const Block& one, const Tensor& image, const std::vector<double>& mean) {
  const std::vector<double> centre = one.numbers("centre");
  const SquareCrop crop = crop_square(image, centre.at(0), centre.at(1), one.integer("size"), mean);
  one.expect("left", static_cast<double>(crop.left));
  one.expect("top", static_cast<double>(crop.top));
  const Tensor pixels = crop.image.to(DType::float64);
  const auto red = [](const Var& x) { return squeeze(slice_axis(x, -1, 0, 1), {-1}); };
  one.expect("red_plane", red(pixels));
  for (const std::string& name : one.names()) {
    if (!name.starts_with("red_plane_resized_")) continue;
    const std::vector<std::int64_t> size = one.at(name).numbers_in_name();
    const Var resized = upsample2d(unsqueeze(pixels.to(one.dtype()), 0),
                                   {.size = {size[0], size[1]}, .mode = UpsampleMode::bilinear});
    one.expect(name, red(squeeze(resized, {0})));
  }
}

void crops(const Block& block) {
  const Tensor image = block.indices("image").to(DType::uint8);
  const std::vector<double> mean = channel_means(image);
  block.expect("mean", mean);
  for (const Block& one : block.each("cases")) crop(one, image, mean);
}

void step(const Block& block) {
  const std::vector<double> size = block.numbers("size"), centre = block.numbers("centre");
  const TrackedTarget last{centre.at(0), centre.at(1), size.at(0), size.at(1)};
  const double side = context_side(last.w, last.h);
  block.expect("s_z", side);
  block.expect("scale_z", 127 / side);
  block.expect("s_x", side * 255 / 127);
  const Tensor anchors =
      siamrpn_anchors({.size = kSize, .centre = 0}, block.dtype()).reshape({-1, 4});
  const TrackingStep now =
      tracking_step(last, block.tensor("score"), block.tensor("delta"), anchors, kSize,
                    block.number("image_w"), block.number("image_h"),
                    {.penalty = block.number("penalty_k"),
                     .window = block.number("window_influence"),
                     .rate = block.number("lr")});
  const auto in_dtype = [&](std::initializer_list<double> numbers) {
    return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size())}).to(block.dtype());
  };
  block.expect("best", Tensor::from({now.best}, {}));
  block.expect("best_penalty", in_dtype({now.penalty}).reshape({}));
  block.expect("best_pscore", in_dtype({now.score}).reshape({}));
  block.expect("result_centre", in_dtype({now.target.cx, now.target.cy}));
  block.expect("result_size", in_dtype({now.target.w, now.target.h}));
}

}  // namespace

VisionFile siamrpn_file() {
  return {.tolerance = {.absolute = 1e-9},
          .blocks = {{"targets_pysot", targets<pysot_target>},
                     {"targets_songdejia", targets<songdejia_target>},
                     {"loss_pysot", losses},
                     {"up_channel_xcorr", up_channel},
                     {"depthwise_xcorr", depthwise},
                     {"crop", crops},
                     {"track_step", step}},
          .inputs = {}};
}

}  // namespace pliant::conformance
