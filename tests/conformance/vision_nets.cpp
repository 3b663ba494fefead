#include <pliant/tests/conformance/vision_nets.h>

#include <algorithm>
#include <regex>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/nets/deeplab.h>
#include <pliant/layers/nets/siamrpn_head.h>
#include <pliant/layers/train/summary.h>
#include <pliant/tests/conformance/net_file.h>

namespace pliant::conformance {

namespace {

// The original's names of a DeepLab, and ours.
Renames deeplab_names() {
  return {{std::regex("^net\\.stem\\.0"), "trunk.conv1"},
          {std::regex("^net\\.stem\\.1"), "trunk.bn1"},
          {std::regex("^net\\."), "trunk."},
          {std::regex("\\.down\\."), ".downsample."},
          {std::regex("conv_offset"), "extra.offset"},
          {std::regex("deform_conv\\.conv"), "extra.conv"},
          {std::regex("^proj\\."), "project."},
          {std::regex("^last\\.2($|\\.)"), "last.2.0$1"}};
}

void run_deeplab(const std::filesystem::path& path, const Target& target, const NetReport& report) {
  const NetFile file(path, target, deeplab_names());
  std::vector<int> blocks;
  for (const std::int64_t count : file.integers("blocks"))
    blocks.push_back(static_cast<int>(count));
  DeepLabV3Plus net(
      {.kind = file.text("block") == "basic" ? ResNetBlockKind::basic : ResNetBlockKind::bottleneck,
       .blocks = blocks,
       .trunk = {.deformable = {.extra_last_stage = file.text("extra") == "True"},
                 .width = file.integer("width"),
                 .output_stride = file.integer("output_stride")},
       .rates = file.integers("rates"),
       .aspp_channels = file.integer("aspp"),
       .low_channels = file.integer("low"),
       .classes = file.integer("classes"),
       .dropout = false});
  fill(net, target, file.state("state"));
  const Tensor images = file.tensor("input_nchw"), targets = file.raw("target");
  report("output_eval",
         {file.deviation("output_eval", channels_first(net(images)), file.raw("output_eval"))});
  const Tape tape;
  const Var logits = net(tape.input(images));
  const Var loss = softmax_cross_entropy(logits, targets.to(target.device), {.ignore_index = 255});
  report("output_train",
         {file.deviation("output_train", channels_first(logits), file.raw("output_train")),
          file.deviation("loss_train", reshape(loss, {1}), file.raw("loss_train"))});
  report("after", buffer_deviations(file, net, file.state("after")));
  report("grad", gradient_deviations(file, net, tape.gradients(loss), file.state("grad")));
}

// Those of a state that belong to the up-channel head, or to the other.
State of_head(const State& all, bool up_channel) {
  State some;
  for (const auto& [name, value] : all)
    if (name != "template" && name != "search" && name.starts_with("up_") == up_channel)
      some.emplace_back(up_channel ? name.substr(3) : name, value);
  return some;
}

void run_siamrpn(const std::filesystem::path& path, const Target& target, const NetReport& report) {
  const NetFile file(path, target, {});
  const SiamRPNHeadOptions options{.channels = file.integer("channels"),
                                   .hidden = file.integer("hidden"),
                                   .anchors = file.integer("anchors")};
  DepthwiseRPNHead depthwise(options);
  UpChannelRPNHead up_channel(options);
  const State state = file.state("state"), wanted = file.state("grad");
  fill(depthwise, target, of_head(state, false));
  fill(up_channel, target, of_head(state, true));
  const Tape tape;
  const Var pattern = tape.variable(file.tensor("template"));
  const Var search = tape.variable(file.tensor("search"));
  const SiamRPNOutput one = depthwise(pattern, search), other = up_channel(pattern, search);
  Var loss;
  const NamedVars outputs = {{"depthwise_cls", one.logits},
                             {"depthwise_loc", one.deltas},
                             {"up_cls", other.logits},
                             {"up_loc", other.deltas}};
  for (const auto& [name, output] : outputs) {
    const std::string full = "output." + name;
    report(full, {file.deviation(full, channels_first(output), file.raw(full))});
    const Var term = sum(output * Var(file.tensor("cotangent." + name)));
    loss = loss.defined() ? loss + term : term;
  }
  const Gradients gradients = tape.gradients(loss);
  const NamedVars inputs = {{"grad.template", pattern}, {"grad.search", search}};
  for (const auto& [name, input] : inputs)
    report(name, {file.deviation(name, channels_first(*gradients.find(input)), file.raw(name))});
  report("grad.depthwise", gradient_deviations(file, depthwise, gradients, of_head(wanted, false)));
  report("grad.up", gradient_deviations(file, up_channel, gradients, of_head(wanted, true)));
}

// The ResNet-50 form of the published comparison: output stride 32, with the extra layers.
DeepLabV3Plus deformable_deeplab() {
  return DeepLabV3Plus({.kind = ResNetBlockKind::bottleneck,
                        .blocks = {3, 4, 6, 3},
                        .trunk = {.deformable = {.extra_last_stage = true}}});
}

void deeplab_total(const Block& block) {
  block.expect("", static_cast<double>(deformable_deeplab().parameter_count()));
}

// Shapes and counts of all layers that own parameters, as one picture passes.
void deeplab_layers(const Block& block) {
  DeepLabV3Plus net = deformable_deeplab();
  net.initialise(Rng(1));
  const Summary found = summary(net, {1, 513, 513, 3});
  for (const Block& layer : block.each("")) {
    const std::string name = renamed(layer.text("layer"), deeplab_names());
    const std::string type = layer.text("type");
    layer.indices("out");
    if (layer.integer("params") == 0) continue;  // ReLU and pooling
    const auto row = std::find_if(found.rows.begin(), found.rows.end(),
                                  [&](const Summary::Row& r) { return r.path == name; });
    require(row != found.rows.end(), "the net has no layer ", name, " (", type, ')');
    layer.expect("params", static_cast<double>(row->parameters));
    layer.expect("out", Tensor::from({row->output[3], row->output[1], row->output[2]}, {3}));
  }
}

using Run = void (*)(const std::filesystem::path&, const Target&, const NetReport&);

Run run_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with("deeplab_tiny")) return run_deeplab;
  if (name.starts_with("siamrpn_heads_tiny")) return run_siamrpn;
  if (name.starts_with("faster_rcnn_")) return run_faster_rcnn;
  return nullptr;
}

}  // namespace

VisionFile deeplab_layers_file() {
  return {.tolerance = {},
          .blocks = {{"total", deeplab_total}, {"layers", deeplab_layers}},
          .inputs = {}};
}

bool is_vision_net(const std::filesystem::path& path) { return run_of(path) != nullptr; }

std::vector<CaseResult> run_vision_net(const std::filesystem::path& path, const Target& target) {
  std::vector<CaseResult> results;
  const std::string stem = path.stem().string();
  try {
    run_of(path)(path, target, [&](const std::string& part, const Deviations& deviations) {
      require(!deviations.empty(), part, " has nothing to compare");
      CaseResult result{.path = path.string(), .op = stem + '/' + part};
      judge(deviations, result);
      results.push_back(std::move(result));
    });
  } catch (const std::exception& error) {
    results.push_back({.path = path.string(),
                       .op = stem,
                       .status = Status::failed,
                       .message = printable(error.what())});
  }
  return results;
}

}  // namespace pliant::conformance
