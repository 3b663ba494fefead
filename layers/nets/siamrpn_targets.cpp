#include <pliant/layers/nets/siamrpn_targets.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/box_coding.h>

namespace pliant {
namespace {

using Indices = std::vector<std::int64_t>;

Tensor indices_tensor(const Indices& indices) {
  return Tensor::from(indices, {static_cast<std::int64_t>(indices.size())});
}

// One box [4] and all anchors as rows; boxes stand beside every anchor.
struct Boxes {
  Tensor box, anchors;  // [1 4], [A 4]

  Boxes(const char* who, const Tensor& of, const Tensor& all) {
    require(of.defined() && of.shape() == Shape{4} && is_floating(of.dtype()), who,
            ": expected a box [4], got ", of);
    require(all.defined() && all.rank() >= 1 && all.dim(-1) == 4, who,
            ": expected anchors [... 4], got ", all);
    box = of.to(Device::cpu()).reshape({1, 4});
    anchors = all.to(Device::cpu()).to(of.dtype()).reshape({-1, 4});
  }
};

// Sides a pixel shorter: of boxes that are given as centre and sides, [N 4].
Tensor shorter(const Tensor& boxes) {
  return sub(boxes, Tensor::from({0.0, 0.0, 1.0, 1.0}, {4}).to(boxes.dtype())).value();
}

Tensor corners(const Tensor& boxes) {
  return convert_boxes(boxes, BoxForm::cxcywh, BoxForm::xyxy).value();
}

Tensor overlaps(const Tensor& box, const Tensor& anchors) {
  return box_iou(box, anchors).value().reshape({-1});
}

Tensor deltas(const Tensor& box, const Tensor& anchors, const BoxCoding& coding) {
  return encode_boxes(broadcast_to(box, anchors.shape()), anchors, coding).value();
}

}  // namespace

SiamRPNTargets siamrpn_targets(const Tensor& box, const Tensor& anchors,
                               const SiamRPNTargetOptions& options) {
  const Boxes all("siamrpn_targets", box, anchors);
  require(options.negative_iou <= options.positive_iou, "siamrpn_targets: negatives lie below ",
          options.negative_iou, " and positives above ", options.positive_iou,
          ", expected the first to be no more than the second");
  const Tensor at = corners(all.anchors), iou = overlaps(all.box, at);
  Indices labels;
  for (const double overlap : iou.to_vector())
    labels.push_back(overlap > options.positive_iou ? 1 : overlap < options.negative_iou ? 0 : -1);
  return {iou, indices_tensor(labels), deltas(all.box, at, {})};
}

SiamRPNClassicTargets siamrpn_classic_targets(const Tensor& box, const Tensor& anchors) {
  const Boxes all("siamrpn_classic_targets", box, anchors);
  const Tensor iou = overlaps(corners(shorter(all.box)), corners(shorter(all.anchors)));
  const std::vector<double> overlap = iou.to_vector();
  const auto of = [&](std::int64_t i) { return overlap[static_cast<std::size_t>(i)]; };
  Indices best(overlap.size()), negatives;
  std::iota(best.begin(), best.end(), 0);
  std::copy_if(best.begin(), best.end(), std::back_inserter(negatives),
               [&](std::int64_t i) { return of(i) < 0.1; });
  std::stable_sort(best.begin(), best.end(),
                   [&](std::int64_t a, std::int64_t b) { return of(a) > of(b); });
  best.resize(std::min<std::size_t>(best.size(), 30));
  const bool near = !best.empty() && of(best.front()) > 0.5;
  return {iou, indices_tensor(best), indices_tensor(negatives), near,
          deltas(corners(all.box), corners(all.anchors), {.epsilon = 0.01})};
}

}  // namespace pliant
