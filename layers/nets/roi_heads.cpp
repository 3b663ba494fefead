#include <pliant/layers/nets/roi_heads.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/multiscale_roi_align.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/select.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

const char* const kWho = "RoIHeads";

const RoIHeadOptions& checked(std::int64_t channels, const RoIHeadOptions& options) {
  require(channels >= 1, kWho, ": maps of ", channels, " channels");
  require(options.classes >= 2, kWho, ": ", options.classes,
          " classes, expected the background and at least one more");
  require(options.bins >= 1 && options.hidden >= 1 && options.reduced >= 0, kWho, ": ",
          options.bins, " bins, ", options.hidden, " hidden features and ", options.reduced,
          " reduced channels, expected at least 1, 1 and 0");
  require(options.pooling == RoIPooling::align || options.spatial_scales.size() == 1, kWho,
          ": deformable pooling reads one map, there are ", options.spatial_scales.size());
  checked_product(kWho, {options.bins, options.bins, channels});
  return options;
}

Tensor rows(const Tensor& x, const Tensor& indices) { return index_select(x, 0, indices).value(); }

// [R 5], with the number of its picture before each box.
Tensor regions_of(const std::vector<Tensor>& boxes) {
  Vars all;
  for (std::size_t n = 0; n < boxes.size(); ++n) {
    const Tensor number = Tensor::full({boxes[n].dim(0), 1}, static_cast<double>(n),
                                       boxes[n].dtype(), boxes[n].device());
    all.push_back(concat({number, boxes[n]}, 1));
  }
  return concat(all, 0).value();
}

}  // namespace

RoIHeads::BoxHead::BoxHead(std::int64_t channels, const RoIHeadOptions& options) {
  if (options.blocks.empty()) {
    features = options.hidden;
    fc6 = own("fc6", Linear(options.bins * options.bins * channels, features));
    fc7 = own("fc7", Linear(features, features));
    return;
  }
  ModuleList<ResNetBlock> blocks;
  for (const ResNetBlockOptions& block : options.blocks) blocks.add(ResNetBlock(block));
  layer4 = own("layer4", std::move(blocks));
  const ResNetBlockOptions& last = options.blocks.back();
  features = last.width * (last.kind == ResNetBlockKind::bottleneck ? 4 : 1);
}

Var RoIHeads::BoxHead::operator()(const Var& pooled) const {
  if (fc6) return relu((*fc7)(relu((*fc6)(flatten(pooled, 1)))));
  Var h = pooled;
  for (const ResNetBlock& block : layer4) h = block(h);
  return global_avg_pool2d(h);
}

RoIHeads::BoxPredictor::BoxPredictor(std::int64_t features, std::int64_t classes)
    : cls_score(own("cls_score", Linear(features, classes, {.initialiser = init::normal(0.01)}))),
      bbox_pred(
          own("bbox_pred", Linear(features, 4 * classes, {.initialiser = init::normal(0.001)}))) {}

RoIHeads::RoIHeads(std::int64_t channels, const RoIHeadOptions& options)
    : options_(checked(channels, options)),
      channels_(options.reduced > 0 ? options.reduced : channels),
      reduce_(options.reduced > 0
                  ? std::optional(
                        own("reduce", Conv2d(channels, options.reduced,
                                             {.kernel = 1, .initialiser = init::normal(0.01)})))
                  : std::nullopt),
      box_roi_pool_(options.pooling == RoIPooling::deformable
                        ? std::optional(own("box_roi_pool",
                                            DeformRoIPool(channels_, {.pool = pool_options()})))
                        : std::nullopt),
      box_head_(own("box_head", BoxHead(channels_, options))),
      box_predictor_(own("box_predictor", BoxPredictor(box_head_.features, options.classes))) {}

DeformRoIPoolOptions RoIHeads::pool_options() const {
  return {.spatial_scale = options_.spatial_scales.front(),
          .output_dim = channels_,
          .pooled_size = options_.bins};
}

Vars RoIHeads::reduced(const Vars& maps) const {
  if (!reduce_) return maps;
  Vars all;
  for (const Var& map : maps) all.push_back(relu((*reduce_)(map)));
  return all;
}

Var RoIHeads::pooled(const Vars& maps, const Tensor& rois) const {
  const Vars read = reduced(maps);
  if (box_roi_pool_) return (*box_roi_pool_)(read.front(), rois);
  if (options_.pooling == RoIPooling::fixed)
    return deform_roi_pool(read.front(), rois, {}, {}, pool_options());
  return multiscale_roi_align(read, rois,
                              {.output_size = options_.bins,
                               .spatial_scales = options_.spatial_scales,
                               .sampling_ratio = options_.sampling_ratio});
}

RoIOutput RoIHeads::operator()(const Vars& maps, const std::vector<Tensor>& boxes) const {
  const ErrorPlace here(path());
  const Var features = box_head_(pooled(maps, regions_of(boxes)));
  return {box_predictor_.cls_score(features), box_predictor_.bbox_pred(features)};
}

Var RoIHeads::trans(const Vars& maps, const std::vector<Tensor>& boxes) const {
  if (!box_roi_pool_) return {};
  const Var pooled =
      deform_roi_pool(reduced(maps).front(), regions_of(boxes), {}, {}, pool_options());
  return box_roi_pool_->trans(pooled);
}

Tensor RoIHeads::candidates(const Tensor& proposals, const TrueObjects& truth) {
  return concat({proposals, truth.boxes}, 0).value();
}

Tensor RoIHeads::matches(const Tensor& candidates, const TrueObjects& truth) const {
  return match_boxes(box_iou(truth.boxes, candidates).value(), options_.matching);
}

BoxSample RoIHeads::sample(const Tensor& candidates, const TrueObjects& truth,
                           const Rng& rng) const {
  return sample_boxes(matches(candidates, truth), options_.sampling, rng);
}

RoITargets RoIHeads::targets(const Tensor& candidates, const TrueObjects& truth,
                             const BoxSample& sample) const {
  const Tensor matched = rows(matches(candidates, truth), sample.positives);
  require(!any(lt(matched, 0.0)), kWho, ": a positive of the sample matches no object");
  const Tensor positives = rows(candidates, sample.positives);
  const Tensor negatives = rows(candidates, sample.negatives);
  const Tensor background =
      Tensor::zeros({sample.negatives.size()}, DType::int64, truth.labels.device());
  const Var deltas = encode_boxes(rows(truth.boxes, matched), positives, options_.detection.coding);
  return {
      concat({positives, negatives}, 0).value(),
      concat({rows(truth.labels, matched), background}, 0).value(),
      concat({deltas, Tensor::zeros(negatives.shape(), negatives.dtype(), negatives.device())}, 0)
          .value()};
}

DetectionLoss RoIHeads::loss(const RoIOutput& output,
                             const std::vector<RoITargets>& targets) const {
  const ErrorPlace here(path());
  Vars labels, deltas;
  for (const RoITargets& of : targets) {
    labels.push_back(of.labels);
    deltas.push_back(of.deltas);
  }
  return fast_rcnn_loss(output.logits, output.deltas, concat(labels, 0).value(),
                        concat(deltas, 0).value());
}

std::vector<ScoredBoxes> RoIHeads::detections(const RoIOutput& output,
                                              const std::vector<Tensor>& boxes,
                                              const std::vector<Size2>& sizes) const {
  const Tensor logits = output.logits.value(), deltas = output.deltas.value();
  std::vector<ScoredBoxes> all;
  std::int64_t first = 0;
  for (std::size_t n = 0; n < boxes.size(); ++n) {
    const std::int64_t end = first + boxes[n].dim(0);
    all.push_back(pliant::detections(logits.slice(first, end), deltas.slice(first, end), boxes[n],
                                     sizes[n], options_.detection));
    first = end;
  }
  return all;
}

}  // namespace pliant
