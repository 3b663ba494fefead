// Faster R-CNN against torchvision's; tools/torchvision-detector wrote the files.
#include <sstream>

#include <pliant/layers/nets/faster_rcnn.h>
#include <pliant/tests/conformance/net_file.h>
#include <pliant/tests/conformance/vision_block.h>
#include <pliant/tests/conformance/vision_nets.h>
#include <pliant/tests/hashed_values.h>

namespace pliant::conformance {
namespace {

constexpr Tolerance kExact = {.relative = 1e-8, .absolute = 1e-8};

FasterRCNNOptions options_of(const Json& net) {
  const bool has_pyramid = net.at("pyramid").get<int>() > 0;
  const auto stages = static_cast<int>(net.at("blocks").size());
  FasterRCNNOptions options;
  options.kind = net.at("block") == "basic" ? ResNetBlockKind::basic : ResNetBlockKind::bottleneck;
  options.blocks = net.at("blocks").get<std::vector<int>>();
  options.trunk.width = net.at("width").get<std::int64_t>();
  options.pyramid = net.at("pyramid").get<std::int64_t>();
  options.rpn.sizes = net.at("sizes").get<std::vector<std::vector<double>>>();
  if (const auto before = net.at("before_nms").get<std::int64_t>(); before > 0) {
    options.rpn.training = {.before_nms = before,
                            .after_nms = net.at("after_nms").get<std::int64_t>()};
    options.rpn.inference = options.rpn.training;
  }
  options.head.classes = net.at("classes").get<std::int64_t>();
  options.head.bins = net.at("bins").get<std::int64_t>();
  options.head.hidden = net.at("hidden").get<std::int64_t>();
  options.head.detection.min_score = net.at("min_score").get<double>();
  options.head.spatial_scales = {};
  for (int stage = has_pyramid ? 1 : stages; stage <= stages; ++stage)
    options.head.spatial_scales.push_back(1.0 / static_cast<double>(2 << stage));
  return options;
}

// What the file's script computed for these names and shapes, one a line.
State hashed_state(const std::string& names) {
  State state;
  std::istringstream lines(names);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    std::vector<std::int64_t> extents;
    for (std::int64_t extent = 0; words >> extent;) extents.push_back(extent);
    if (!name.ends_with("num_batches_tracked"))
      state.emplace_back(name, test::value_of(name, Shape(extents)));
  }
  return state;
}

PictureBatch pictures_of(const NetFile& file, const Json& sizes) {
  std::vector<Tensor> pictures;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto h = sizes[i][0].get<std::int64_t>(), w = sizes[i][1].get<std::int64_t>();
    const std::uint32_t key = test::crc32("picture" + std::to_string(i));
    Tensor picture = Tensor::empty({1, 3, h, w}, DType::float64);
    std::uint32_t at = 0;
    for (double& value : picture.mutable_span<double>()) value = test::hashed(key, at++);
    pictures.push_back(file.placed(channels_last(picture).value().reshape({h, w, 3})));
  }
  return batch_pictures(pictures);
}

std::vector<TrueObjects> truth_of(const NetFile& file, const Json& boxes, const Json& labels) {
  std::vector<TrueObjects> truth;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    std::vector<double> corners;
    for (const Json& box : boxes[i])
      for (const Json& corner : box) corners.push_back(corner.get<double>());
    const auto count = static_cast<std::int64_t>(boxes[i].size());
    truth.push_back({file.placed(Tensor::from(corners, {count, 4})),
                     Tensor::from(labels[i].get<std::vector<std::int64_t>>(), {count})
                         .to(file.target().device)});
  }
  return truth;
}

std::vector<BoxSample> samples_of(const NetFile& file, const std::string& kind,
                                  std::size_t pictures) {
  std::vector<BoxSample> samples;
  for (std::size_t i = 0; i < pictures; ++i) {
    const std::string number = '.' + std::to_string(i);
    samples.push_back({file.raw(kind + ".positive" + number).to(file.target().device),
                       file.raw(kind + ".negative" + number).to(file.target().device)});
  }
  return samples;
}

Deviation deviation(const NetFile& file, const std::string& name, const Var& got,
                    const Tensor& want) {
  if (file.target().dtype == DType::float64)
    return compare(name, got.value(), want.to(DType::float64), kExact);
  return file.deviation(name, got, want.to(DType::float64));
}

Deviations found_deviations(const NetFile& file, const std::vector<ScoredBoxes>& found) {
  Deviations all;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string number = '.' + std::to_string(i);
    const NamedVars parts = {{"boxes", found[i].boxes},
                             {"scores", found[i].scores},
                             {"labels", found[i].labels.to(DType::float64)}};
    for (const auto& [part, got] : parts) {
      const std::string name = "found." + part + number;
      all.push_back(deviation(file, name, got, file.raw(name)));
    }
  }
  return all;
}

// Of a large net: each gradient's product with the hash of its name, and its square.
Deviations gradient_digests(const NetFile& file, const FasterRCNN& net,
                            const Gradients& gradients) {
  State ours;
  for (const Parameter& parameter : net.parameters())
    ours.emplace_back(parameter.name(), gradients[parameter]);
  Deviations all;
  for (const auto& [name, gradient] : to_torchvision(ours, net.flattened_maps())) {
    const std::uint32_t key = test::crc32(name);
    double product = 0, square = 0;
    std::uint32_t at = 0;
    for (const double value : gradient.to_vector()) {
      product += value * test::hashed(key, at++);
      square += value * value;
    }
    all.push_back(deviation(file, "grad." + name, Tensor::from({product, square}, {2}),
                            file.raw("grad." + name)));
  }
  return all;
}

}  // namespace

void run_faster_rcnn(const std::filesystem::path& path, const Target& target,
                     const NetReport& report) {
  const NetFile file(path, target, {});
  const Json description = Json::parse(file.text("net"));
  FasterRCNN net(options_of(description));
  fill(net, target, from_torchvision(hashed_state(file.text("state")), net.flattened_maps()));
  const bool frozen = description.at("frozen").get<bool>();
  if (frozen) net.freeze_batch_norm();
  const PictureBatch batch = pictures_of(file, Json::parse(file.text("pictures")));
  const std::vector<TrueObjects> truth =
      truth_of(file, Json::parse(file.text("boxes")), Json::parse(file.text("labels")));
  report("found", found_deviations(file, net(batch)));

  const Tape tape;
  const DetectorSamples samples{.anchors = samples_of(file, "anchors", truth.size()),
                                .regions = samples_of(file, "regions", truth.size())};
  const DetectorLosses losses =
      net.losses({tape.input(batch.images.value()), batch.sizes}, truth, samples);
  Deviations of_losses;
  const NamedVars parts = {{"loss.loss_classifier", losses.classifier},
                           {"loss.loss_box_reg", losses.box},
                           {"loss.loss_objectness", losses.objectness},
                           {"loss.loss_rpn_box_reg", losses.rpn_box}};
  for (const auto& [name, loss] : parts)
    of_losses.push_back(deviation(file, name, loss.value().reshape({1}), file.raw(name)));
  report("loss", of_losses);
  const Gradients gradients = tape.gradients(losses.sum());
  const bool whole = description.at("width").get<int>() < 64;
  if (whole)
    report("grad",
           gradient_deviations(file, net, gradients,
                               from_torchvision(file.raw_state("grad"), net.flattened_maps())));
  else
    report("grad", gradient_digests(file, net, gradients));
  if (!frozen && whole) report("after", buffer_deviations(file, net, file.state("after")));
}

}  // namespace pliant::conformance
