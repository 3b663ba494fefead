#include <pliant/tests/conformance/vision_nets.h>

#include <algorithm>
#include <functional>
#include <regex>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/nets/deeplab.h>
#include <pliant/layers/nets/siamrpn_head.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/summary.h>

namespace pliant::conformance {

namespace {

constexpr Tolerance kTolerance = {.absolute = 1e-9};

// Weights and maps have the channels last here.
Var channels_last(const Var& x) { return x.rank() == 4 ? permute(x, {0, 2, 3, 1}) : x; }
Var channels_first(const Var& x) { return x.rank() == 4 ? permute(x, {0, 3, 1, 2}) : x; }

using Renames = std::vector<std::pair<std::regex, std::string>>;

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

std::string renamed(std::string name, const Renames& renames) {
  for (const auto& [from, to] : renames) name = std::regex_replace(name, from, to);
  return name;
}

double largest(const Tensor& numbers) {
  double most = 0;
  for (const double number : numbers.to_vector()) most = std::max(most, std::abs(number));
  return most;
}

// A file of a net, and how its names read here.
class NetFile {
 public:
  NetFile(const std::filesystem::path& path, const Target& target, Renames renames)
      : file_(read_safetensors(path)), target_(target), renames_(std::move(renames)) {}

  std::string text(const std::string& name) const {
    const auto found = file_.metadata.find(name);
    require(found != file_.metadata.end(), "metadata has no \"", name, "\"");
    return found->second;
  }
  std::int64_t integer(const std::string& name) const { return parse_integer(name, text(name)); }
  std::vector<std::int64_t> integers(const std::string& name) const {
    std::vector<std::int64_t> all;
    const std::string list = text(name);
    static const std::regex digits("[0-9]+");
    for (std::sregex_iterator at(list.begin(), list.end(), digits), end; at != end; ++at)
      all.push_back(parse_integer(name, at->str()));
    return all;
  }
  const Tensor& raw(const std::string& name) const {
    const Tensor* const found = file_.find(name);
    require(found != nullptr, name, " is missing");
    return *found;
  }
  Tensor tensor(const std::string& name) const { return placed(channels_last(raw(name)).value()); }
  Tensor placed(const Tensor& tensor) const { return tensor.to(target_.dtype).to(target_.device); }
  // What begins with "GROUP.", by its path in our net.
  State state(const std::string& group) const {
    State state;
    for (const auto& [name, value] : file_.tensors)
      if (name.starts_with(group + '.'))
        state.emplace_back(renamed(name.substr(group.size() + 1), renames_),
                           channels_last(value).value());
    return state;
  }

  Deviation deviation(const std::string& name, const Var& got, const Tensor& want) const {
    return deviation(name, got, want, largest(want));
  }
  // float32 is held to a share of `magnitude`.
  Deviation deviation(const std::string& name, const Var& got, const Tensor& want,
                      double magnitude) const {
    const bool exact = target_.dtype == DType::float64;
    return compare(name, got.value(), want,
                   exact ? kTolerance : Tolerance{.absolute = kFloatTolerance * magnitude});
  }

 private:
  SafetensorsFile file_;
  Target target_;
  Renames renames_;
};

using Deviations = std::vector<Deviation>;
using NamedVars = std::vector<std::pair<std::string, Var>>;

// A net with the file's weights, in the dtype and on the device of the run.
template <class Net>
void fill(Net& net, const Target& target, const State& state) {
  net.initialise(Rng(1));
  net.to(target.dtype);
  net.to(target.device);
  net.load(state);
}

// Gradients of a net's parameters, all of those in the file. The magnitude is that of all of them:
// before a BatchNorm over two numbers a gradient is the little that is left of its terms.
Deviations gradient_deviations(const NetFile& file, const Module& net, const Gradients& gradients,
                               const State& wanted) {
  const std::vector<Parameter> parameters = net.parameters();
  Deviations all;
  double magnitude = 0;
  for (const auto& [name, want] : wanted) magnitude = std::max(magnitude, largest(want));
  for (const auto& [name, want] : wanted) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const Parameter& p) { return p.name() == name; });
    require(found != parameters.end(), "the net has no parameter ", name);
    const Tensor* const got = gradients.find(*found);
    require(got != nullptr, name, " has no gradient");
    all.push_back(file.deviation("grad." + name, *got, want, magnitude));
  }
  require(all.size() == parameters.size(), all.size(), " gradients of ", parameters.size(),
          " parameters");
  return all;
}

Deviations buffer_deviations(const NetFile& file, const Module& net, const State& wanted) {
  const State now = net.state();
  Deviations all;
  for (const auto& [name, want] : wanted) {
    const auto found = std::find_if(now.begin(), now.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    require(found != now.end(), "the net has no buffer ", name);
    all.push_back(file.deviation("after." + name, found->second, want));
  }
  return all;
}

using Report = std::function<void(const std::string& part, const Deviations&)>;

void run_deeplab(const std::filesystem::path& path, const Target& target, const Report& report) {
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

void run_siamrpn(const std::filesystem::path& path, const Target& target, const Report& report) {
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

using Run = void (*)(const std::filesystem::path&, const Target&, const Report&);

Run run_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with("deeplab_tiny")) return run_deeplab;
  if (name.starts_with("siamrpn_heads_tiny")) return run_siamrpn;
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
