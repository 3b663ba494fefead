// Confusions, losses, resizing and crops of segmentation, and schedules of learning rates.
#include <algorithm>
#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/data/crop.h>
#include <pliant/data/image_file.h>
#include <pliant/layers/train/confusion_matrix.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/tests/conformance/vision.h>

namespace pliant::conformance {

namespace {

void confusion(const Block& block) {
  ConfusionMatrix counts(block.integer("classes"), {.ignore_label = 255});
  for (const Block& pair : block.each("pairs"))
    counts.add_guesses(pair.indices("prediction"), pair.indices("target"));
  block.expect("matrix", counts.counts());
  block.expect("pixel_accuracy", counts.accuracy());
  block.expect("class_accuracy", counts.recall());
  block.expect("mean_class_accuracy", counts.mean_recall());
  block.expect("iou", counts.iou());
  block.expect("miou", counts.mean_iou());
  block.expect("fwiou", counts.frequency_weighted_iou());
}

void pixel_loss(const Block& block, const Block& results, const Tensor& weights) {
  Tape tape;
  const Var logits = tape.variable(block.tensor("logits"));
  const Var loss = softmax_cross_entropy(to_nhwc(logits), block.indices("target"),
                                         {.ignore_index = 255, .class_weights = weights});
  results.expect("mean_over_valid", loss);
  results.expect("jfzhang_divided_by_batch", loss / static_cast<double>(logits.dim(0)));
  const Gradients gradients = tape.gradients(loss);
  results.expect("grad_of_mean", *gradients.find(logits));
}

void pixel_losses(const Block& block) {
  const Block results = block.at("results");
  pixel_loss(block, results.at("plain"), {});
  pixel_loss(block, results.at("weighted"), block.tensor("weights"));
}

void upsampling(const Block& block, bool align_corners, const Size2& size) {
  const Block results = block.at(align_corners ? "align_corners_true" : "align_corners_false");
  Tape tape;
  const Var x = tape.variable(block.tensor("input_nchw"));
  const Var y = to_nchw(upsample2d(
      to_nhwc(x), {.size = size, .mode = UpsampleMode::bilinear, .align_corners = align_corners}));
  results.expect("output", y);
  const Tensor count =
      Tensor::arange(y.size()).to(DType::float64).to(block.dtype()).reshape(y.shape());
  const Tensor cotangent = (Var(count) / static_cast<double>(y.size())).value();
  const Gradients gradients = tape.gradients(y, {}, {.cotangent = cotangent});
  results.expect("grad_input", *gradients.find(x));
}

void all_upsampling(const Block& block) {
  const std::vector<std::int64_t> sizes = block.numbers_in_name();  // from h x w to h x w
  require(sizes.size() == 4, block.name(), " names no sizes");
  require(block.text("grad_output") == "arange(numel)/numel in NCHW order",
          "grad_output is another one than is known");
  for (const bool align_corners : {true, false})
    upsampling(block, align_corners, {sizes[2], sizes[3]});
  // A map of one pixel is that pixel everywhere.
  const char* const single = "from_1x1_align_corners_true";
  const Tensor want = block.tensor(single);
  const Tensor pixel = Tensor::full({1, 1, 1, 1}, want.to_vector().front(), block.dtype());
  block.expect(single, to_nchw(upsample2d(pixel, {.size = {want.dim(2), want.dim(3)},
                                                  .mode = UpsampleMode::bilinear,
                                                  .align_corners = true})));
}

void balanced_weights(const Block& block) {
  block.expect("weights", log_balanced_weights(block.numbers("counts")));
}

void centre_crops(const Block& block) {
  const std::int64_t size = block.numbers_in_name().front();
  for (const Block& one : block.each("cases")) {
    const CentreCrop crop = centre_crop(one.integer("w"), one.integer("h"), size);
    one.expect("result", Tensor::from({crop.width, crop.height, crop.left, crop.top}, {4}));
  }
}

void palette(const Block& block) {
  const auto count = static_cast<std::size_t>(block.numbers_in_name().front());
  const Palette colours = voc_palette();
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < std::min(count, colours.size()); ++i)
    values.insert(values.end(), colours[i].begin(), colours[i].end());
  block.expect("", Tensor::from(values, {static_cast<std::int64_t>(count), 3}));
}

// ---- learning rates ----

// Rates of a schedule at the iterations of a block.
void expect_rates(const Block& block, const Schedule& schedule) {
  std::vector<double> rates;
  for (const double iteration : block.numbers("iterations"))
    rates.push_back(schedule(static_cast<std::int64_t>(iteration)));
  block.expect("lr", rates);
}

std::vector<double> first(const Schedule& schedule, std::size_t count) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < count; ++i) rates.push_back(schedule(static_cast<std::int64_t>(i)));
  return rates;
}

// Base and length, which all blocks take from the first.
Schedule poly(const Block& block) {
  const Block of = block.file().at("poly");
  return polynomial_lr(
      {.base_lr = of.number("base"), .total_steps = of.integer("N"), .power = 0.9});
}

void poly_rates(const Block& block) { expect_rates(block, poly(block)); }

void poly_rates_after_warmup(const Block& block) {
  expect_rates(
      block,
      product_lr({poly(block), linear_warmup({.base_lr = 1, .warmup_steps = block.integer("W")})}));
}

void cosine_rates(const Block& block) {
  const Block of = block.file().at("poly");
  expect_rates(block,
               cosine_annealing_lr({.base_lr = of.number("base"), .t_max = of.integer("N")}));
}

// .001 to .005 by equal factors in 5 epochs, and .01 to .0005, both among them, in as many epochs
// as there are rates.
void log_rates(const Block& block) {
  const std::size_t epochs = block.numbers("log").size();
  block.expect("warm", first(exponential_lr({.base_lr = 0.001, .gamma = std::pow(5, 0.2)}), 5));
  const double gamma = std::pow(0.0005 / 0.01, 1 / static_cast<double>(epochs - 1));
  block.expect("log", first(exponential_lr({.base_lr = 0.01, .gamma = gamma}), epochs));
}

// A tenth from epochs 16 and 22 on, and the factor of a warm-up of ten iterations.
void multistep_rates(const Block& block) {
  const Schedule rate = multi_step_lr({.base_lr = 0.02, .milestones = {16, 22}});
  const Schedule factor = linear_warmup({.base_lr = 1, .start_factor = 0.001, .warmup_steps = 10});
  block.expect("epoch_lr",
               std::vector<double>{rate(0), rate(15), rate(16), rate(21), rate(22), rate(25)});
  block.expect("warmup_factor_at_0_5_9", std::vector<double>{factor(0), factor(5), factor(9)});
}

}  // namespace

VisionFile segmentation_file() {
  return {.tolerance = {.absolute = 1e-12},
          .blocks = {{"confusion", confusion},
                     {"cross_entropy", pixel_losses},
                     {"upsample_bilinear_#x#_to_#x#", all_upsampling},
                     {"balanced_weights_#_over_log_#.#_plus_f", balanced_weights},
                     {"fix_scale_crop_#", centre_crops},
                     {"voc_colormap_first_#", palette}},
          .inputs = {}};
}

VisionFile learning_rates_file() {
  return {.tolerance = {.relative = 1e-12},
          .blocks = {{"poly", poly_rates},
                     {"poly_warmup", poly_rates_after_warmup},
                     {"cosine", cosine_rates},
                     {"pysot_log_after_step_warmup", log_rates},
                     {"multistep", multistep_rates}},
          .inputs = {}};
}

}  // namespace pliant::conformance
