#include <pliant/layers/nets/faster_rcnn.h>

#include <algorithm>
#include <string>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

const char* const kWho = "FasterRCNN";

ResNetOptions trunk_options(const FasterRCNNOptions& options) {
  const auto stages = static_cast<int>(options.blocks.size());
  require(options.pyramid >= 0, kWho, ": a pyramid of ", options.pyramid, " channels");
  require(options.proposal_stage >= 0 && options.proposal_stage <= stages, kWho,
          ": proposals come from stage ", options.proposal_stage, ", but there are 1 to ", stages);
  const std::size_t maps = options.pyramid > 0 ? options.blocks.size() : 1;
  require(options.head.spatial_scales.size() == maps, kWho, ": ",
          options.head.spatial_scales.size(), " scales of ", maps,
          " maps that regions are read from");
  ResNetOptions trunk = options.trunk;
  trunk.classes = 0;
  return trunk;
}

// That proposals come from, counted from 0.
std::size_t proposal_stage(const FasterRCNNOptions& options) {
  return options.proposal_stage > 0 ? static_cast<std::size_t>(options.proposal_stage - 1)
                                    : options.blocks.size() - 1;
}

RPNOptions of_nine_anchors() {
  return {.hidden = 512, .sizes = {{128, 256, 512}}, .two_logits = true};
}

void require_pictures(const PictureBatch& batch, std::size_t count, const char* what) {
  require(batch.images.defined() && batch.images.rank() == 4 &&
              batch.images.dim(0) == static_cast<std::int64_t>(batch.sizes.size()),
          kWho, ": a batch [N H W C] of ", batch.sizes.size(), " sizes expected");
  require(count == batch.sizes.size(), kWho, ": ", what, " of ", count, " pictures, the batch has ",
          batch.sizes.size());
}

}  // namespace

FasterRCNNOptions faster_rcnn_resnet50_fpn(std::int64_t classes) {
  FasterRCNNOptions options;
  options.head.classes = classes;
  return options;
}

FasterRCNNOptions faster_rcnn_c4(const std::vector<int>& blocks, std::int64_t classes) {
  require(blocks.size() == 4, "faster_rcnn_c4: blocks of ", blocks.size(), " stages, expected 4");
  FasterRCNNOptions options{.blocks = {blocks.begin(), blocks.end() - 1},
                            .pyramid = 0,
                            .rpn = of_nine_anchors(),
                            .head = {.classes = classes}};
  for (int i = 0; i < blocks.back(); ++i)
    options.head.blocks.push_back({.kind = ResNetBlockKind::bottleneck,
                                   .in = i == 0 ? 1024 : 2048,
                                   .width = 512,
                                   .stride = i == 0 ? 2 : 1,
                                   .stage = 4});
  return options;
}

FasterRCNNOptions faster_rcnn_dilated(const std::vector<int>& blocks, RoIPooling pooling,
                                      bool deformable, std::int64_t classes) {
  FasterRCNNOptions options{.blocks = blocks,
                            .trunk = {.output_stride = 16},
                            .pyramid = 0,
                            .proposal_stage = 3,
                            .rpn = of_nine_anchors(),
                            .head = {.classes = classes, .pooling = pooling, .reduced = 256}};
  if (deformable) options.trunk.deformable = {.stages = {4}, .offset_groups = 4};
  return options;
}

FasterRCNNOptions small_faster_rcnn(std::int64_t classes, RoIPooling pooling, bool deformable) {
  FasterRCNNOptions options{.kind = ResNetBlockKind::basic,
                            .blocks = {2, 2, 2},
                            .trunk = {.width = 32},
                            .pyramid = 0,
                            .rpn = {.hidden = 128,
                                    .sizes = {{24, 48, 96, 160}},
                                    .sampling = {.size = 128},
                                    .training = {.before_nms = 600, .after_nms = 200},
                                    .inference = {.before_nms = 400, .after_nms = 150}},
                            .head = {.classes = classes,
                                     .pooling = pooling,
                                     .hidden = 256,
                                     .sampling = {.size = 64, .positive_fraction = 0.25}}};
  if (deformable) options.trunk.deformable = {.stages = {3}};
  return options;
}

FasterRCNNOptions small_faster_rcnn_fpn(std::int64_t classes) {
  FasterRCNNOptions options = small_faster_rcnn(classes);
  options.blocks = {2, 2, 2, 2};
  options.pyramid = 64;
  options.rpn.hidden = 64;
  options.rpn.sizes = {{16}, {32}, {64}, {128}, {256}};
  options.head.spatial_scales = FasterRCNNOptions().head.spatial_scales;
  return options;
}

PictureBatch batch_pictures(const std::vector<Tensor>& pictures, std::int64_t divisor) {
  require(!pictures.empty() && divisor >= 1, "batch_pictures: of ", pictures.size(),
          " pictures, multiples of ", divisor, ", expected at least 1 of each");
  std::int64_t height = 0, width = 0;
  PictureBatch batch;
  for (const Tensor& picture : pictures) {
    require(picture.rank() == 3, "batch_pictures: a picture of shape ", picture.shape(),
            ", expected [H W C]");
    batch.sizes.emplace_back(picture.dim(0), picture.dim(1));
    height = std::max(height, ceil_quotient(picture.dim(0), divisor) * divisor);
    width = std::max(width, ceil_quotient(picture.dim(1), divisor) * divisor);
  }
  Vars padded;
  for (const Tensor& picture : pictures)
    padded.push_back(pad(picture, {0, 0, 0}, {height - picture.dim(0), width - picture.dim(1), 0}));
  batch.images = stack(padded);
  return batch;
}

Var DetectorLosses::sum() const { return classifier + box + objectness + rpn_box; }

FasterRCNN::Backbone::Backbone(const FasterRCNNOptions& options)
    : body(own("body", ResNet(options.kind, options.blocks, trunk_options(options)))) {
  if (options.pyramid > 0) fpn = own("fpn", FeaturePyramid(body.stage_features(), options.pyramid));
}

FasterRCNN::FasterRCNN(const FasterRCNNOptions& options)
    : options_(options),
      backbone_(own("backbone", Backbone(options))),
      rpn_(own("rpn",
               RegionProposalNetwork(options.pyramid > 0
                                         ? options.pyramid
                                         : backbone_.body.stage_features()[proposal_stage(options)],
                                     options.rpn))),
      roi_heads_(own("roi_heads",
                     RoIHeads(options.pyramid > 0 ? options.pyramid : backbone_.body.features(),
                              options.head))) {}

FasterRCNN::FirstStage FasterRCNN::first_stage(const PictureBatch& batch) const {
  const Vars stages = backbone_.body.stages(batch.images);
  FirstStage first;
  Vars read;  // by the RPN
  if (backbone_.fpn) {
    read = (*backbone_.fpn)(stages);
    first.maps = {read.begin(), read.end() - 1};
  } else {
    read = {stages[proposal_stage(options_)]};
    first.maps = {stages.back()};
  }
  first.anchors = rpn_(read, {batch.images.dim(1), batch.images.dim(2)});
  first.proposals = rpn_.proposals(first.anchors, batch.sizes);
  return first;
}

std::vector<ScoredBoxes> FasterRCNN::operator()(const PictureBatch& batch) const {
  const ErrorPlace here(path());
  require_pictures(batch, batch.sizes.size(), "sizes");
  const FirstStage first = first_stage(batch);
  return roi_heads_.detections(roi_heads_(first.maps, first.proposals), first.proposals,
                               batch.sizes);
}

DetectorLosses FasterRCNN::losses(const PictureBatch& batch, const std::vector<TrueObjects>& truth,
                                  const Rng& rng) const {
  const ErrorPlace here(path());
  require_pictures(batch, truth.size(), "objects");
  const FirstStage first = first_stage(batch);
  DetectorSamples samples{.anchors = rpn_.sample(first.anchors, truth, rng.fork("anchors")),
                          .regions = {}};
  for (std::size_t n = 0; n < truth.size(); ++n)
    samples.regions.push_back(
        roi_heads_.sample(RoIHeads::candidates(first.proposals[n], truth[n]), truth[n],
                          rng.fork("regions").fork(static_cast<std::uint64_t>(n))));
  return losses_of(first, truth, samples);
}

DetectorLosses FasterRCNN::losses(const PictureBatch& batch, const std::vector<TrueObjects>& truth,
                                  const DetectorSamples& samples) const {
  const ErrorPlace here(path());
  require_pictures(batch, truth.size(), "objects");
  require_pictures(batch, samples.anchors.size(), "sampled anchors");
  require_pictures(batch, samples.regions.size(), "sampled regions");
  return losses_of(first_stage(batch), truth, samples);
}

DetectorLosses FasterRCNN::losses_of(const FirstStage& first, const std::vector<TrueObjects>& truth,
                                     const DetectorSamples& samples) const {
  std::vector<RoITargets> targets;
  std::vector<Tensor> regions;
  for (std::size_t n = 0; n < truth.size(); ++n) {
    targets.push_back(roi_heads_.targets(RoIHeads::candidates(first.proposals[n], truth[n]),
                                         truth[n], samples.regions[n]));
    regions.push_back(targets.back().boxes);
  }
  const DetectionLoss of_anchors = rpn_.loss(first.anchors, truth, samples.anchors);
  const DetectionLoss of_regions = roi_heads_.loss(roi_heads_(first.maps, regions), targets);
  return {of_anchors.classes, of_anchors.boxes, of_regions.classes, of_regions.boxes};
}

Vars FasterRCNN::maps(const Var& images) const {
  const Vars stages = backbone_.body.stages(images);
  if (!backbone_.fpn) return {stages.back()};
  Vars pyramid = (*backbone_.fpn)(stages);
  pyramid.pop_back();
  return pyramid;
}

Var FasterRCNN::trans(const PictureBatch& batch, const std::vector<Tensor>& boxes) const {
  const ErrorPlace here(path());
  require_pictures(batch, boxes.size(), "boxes");
  return roi_heads_.trans(maps(batch.images), boxes);
}

std::vector<FlattenedMap> FasterRCNN::flattened_maps() const {
  if (!options_.head.blocks.empty()) return {};
  return {{.weight = "roi_heads.box_head.fc6.weight",
           .height = options_.head.bins,
           .width = options_.head.bins}};
}

void FasterRCNN::freeze_batch_norm() {
  const std::string mean = ".running_mean";
  for (const Buffer& buffer : buffers())
    if (buffer.name().ends_with(mean))
      freeze(buffer.name().substr(0, buffer.name().size() - mean.size()));
}

}  // namespace pliant
