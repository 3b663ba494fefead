#include <pliant/layers/nets/region_proposal_network.h>

#include <algorithm>
#include <utility>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/layers/activation.h>

namespace pliant {
namespace {

const char* const kWho = "RegionProposalNetwork";

// Of each place; the same of every map, since one head serves them all.
std::int64_t anchors_of_place(const RPNOptions& options) {
  require(!options.sizes.empty() && !options.sizes.front().empty() && !options.ratios.empty(), kWho,
          ": no sizes or no ratios of anchors");
  for (const std::vector<double>& sizes : options.sizes)
    require(sizes.size() == options.sizes.front().size(), kWho, ": one map has ", sizes.size(),
            " sizes of anchors, another ", options.sizes.front().size());
  return static_cast<std::int64_t>(options.sizes.front().size() * options.ratios.size());
}

std::int64_t hidden_of(std::int64_t channels, const RPNOptions& options) {
  require(options.hidden >= 0, kWho, ": ", options.hidden,
          " hidden channels, expected none negative");
  return options.hidden > 0 ? options.hidden : channels;
}

Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return Conv2d(in, out,
                {.kernel = kernel, .padding = kernel / 2, .initialiser = init::normal(0.01)});
}

// "conv.0.0", and ReLU.
Sequential hidden_layer(std::int64_t channels, const RPNOptions& options) {
  Sequential conv;
  conv.add(Sequential(convolution(channels, hidden_of(channels, options), 3), Relu()));
  return conv;
}

Tensor rows(const Tensor& x, const Tensor& indices) { return index_select(x, 0, indices).value(); }

// Row i of x, a constant.
Tensor picture(const Var& x, std::int64_t i) {
  const Tensor all = x.value();
  const Tensor one = all.slice(i, i + 1);
  return one.rank() == 2 ? one.reshape({one.dim(1)}) : one.reshape({one.dim(1), one.dim(2)});
}

// The `most` of the largest scores, equals in the order in which they come.
Tensor best_of(const Vars& boxes, const Vars& scores, std::int64_t most) {
  const Var all = concat(scores, 0);
  const Tensor best = topk(neg(all), std::min(most, all.size()), 0, SortOrder::ascending).indices;
  return rows(concat(boxes, 0).value(), best);
}

}  // namespace

RegionProposalNetwork::Head::Head(std::int64_t channels, const RPNOptions& options)
    : conv(own("conv", hidden_layer(channels, options))),
      cls_logits(own("cls_logits",
                     convolution(hidden_of(channels, options),
                                 anchors_of_place(options) * (options.two_logits ? 2 : 1), 1))),
      bbox_pred(own("bbox_pred",
                    convolution(hidden_of(channels, options), 4 * anchors_of_place(options), 1))) {}

RegionProposalNetwork::RegionProposalNetwork(std::int64_t channels, const RPNOptions& options)
    : options_(options), head_(own("head", Head(channels, options))) {}

RPNOutput RegionProposalNetwork::operator()(const Vars& maps, Size2 batch) const {
  const ErrorPlace here(path());
  require(maps.size() == options_.sizes.size(), kWho, ": ", maps.size(), " maps, expected ",
          options_.sizes.size());
  const std::int64_t kinds = anchors_of_place(options_);
  RPNOutput output;
  Vars logits, deltas, anchors;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::int64_t n = maps[i].dim(0), h = maps[i].dim(1), w = maps[i].dim(2);
    const Var hidden = head_.conv(maps[i]);
    Var of_object = head_.cls_logits(hidden);
    if (options_.two_logits)
      of_object = slice_axis(of_object, -1, kinds, 2 * kinds) - slice_axis(of_object, -1, 0, kinds);
    logits.push_back(reshape(of_object, {n, h * w * kinds}));
    deltas.push_back(reshape(head_.bbox_pred(hidden), {n, h * w * kinds, 4}));
    const Tensor cells = cell_anchors(options_.sizes[i], options_.ratios, maps[i].dtype());
    anchors.push_back(grid_anchors(cells, {h, w}, {batch.h / h, batch.w / w}).to(maps[i].device()));
    output.of_maps.push_back(h * w * kinds);
  }
  output.logits = concat(logits, 1);
  output.deltas = concat(deltas, 1);
  output.anchors = concat(anchors, 0).value();
  return output;
}

std::vector<Tensor> RegionProposalNetwork::proposals(const RPNOutput& output,
                                                     const std::vector<Size2>& sizes) const {
  ProposalOptions options = output.logits.training() ? options_.training : options_.inference;
  std::vector<Tensor> all;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    const Tensor logits = picture(output.logits, static_cast<std::int64_t>(n));
    const Tensor deltas = picture(output.deltas, static_cast<std::int64_t>(n));
    Vars boxes, scores;
    std::int64_t first = 0;
    for (const std::int64_t count : output.of_maps) {
      const std::int64_t end = first + count;
      const ScoredBoxes of_map =
          region_proposals(logits.slice(first, end), deltas.slice(first, end),
                           output.anchors.slice(first, end), sizes[n], options);
      boxes.push_back(of_map.boxes);
      scores.push_back(of_map.scores);
      first = end;
    }
    all.push_back(best_of(boxes, scores, options.after_nms));
  }
  return all;
}

Tensor RegionProposalNetwork::matches(const Tensor& anchors, const TrueObjects& truth) const {
  return match_boxes(box_iou(truth.boxes, anchors).value(), options_.matching);
}

std::vector<BoxSample> RegionProposalNetwork::sample(const RPNOutput& output,
                                                     const std::vector<TrueObjects>& truth,
                                                     const Rng& rng) const {
  std::vector<BoxSample> samples;
  for (const TrueObjects& objects : truth)
    samples.push_back(sample_boxes(matches(output.anchors, objects), options_.sampling,
                                   rng.fork(static_cast<std::uint64_t>(samples.size()))));
  return samples;
}

DetectionLoss RegionProposalNetwork::loss(const RPNOutput& output,
                                          const std::vector<TrueObjects>& truth,
                                          const std::vector<BoxSample>& samples) const {
  const ErrorPlace here(path());
  const std::int64_t count = output.anchors.dim(0);
  Vars positives, negatives, targets;
  for (std::size_t n = 0; n < truth.size(); ++n) {
    const BoxSample& sample = samples[n];
    const Tensor first = Tensor::scalar(static_cast<double>(count) * static_cast<double>(n),
                                        DType::int64, sample.positives.device());
    positives.push_back(add(sample.positives, first));
    negatives.push_back(add(sample.negatives, first));
    const Tensor of = rows(matches(output.anchors, truth[n]), sample.positives);
    require(!any(lt(of, 0.0)), kWho, ": a positive of the sample matches no object");
    targets.push_back(encode_boxes(rows(truth[n].boxes, of), rows(output.anchors, sample.positives),
                                   options_.training.coding));
  }
  const std::int64_t all = output.logits.size();
  return rpn_loss(reshape(output.logits, {all}), reshape(output.deltas, {all, 4}),
                  concat(targets, 0).value(),
                  {concat(positives, 0).value(), concat(negatives, 0).value()});
}

}  // namespace pliant
