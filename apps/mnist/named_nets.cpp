#include <pliant/apps/mnist/named_nets.h>

#include <functional>
#include <map>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/rows.h>
#include <pliant/layers/nets/lenet.h>
#include <pliant/layers/nets/resnet.h>
#include <pliant/layers/nets/vgg.h>

namespace pliant::mnist {
namespace {

constexpr std::int64_t kMostClasses = 65536;
const std::string kPart = "net";  // as kit::NetClassifier owns it

using kit::as_classifier;

using Maker =
    std::function<std::unique_ptr<Classifier>(const DeformableStages&, std::int64_t classes)>;

template <ResNet (*make)(const ResNetOptions&)>
std::unique_ptr<Classifier> make_resnet(const DeformableStages& deformable, std::int64_t classes) {
  return as_classifier(
      make({.classes = classes, .channels = 1, .stem = Stem::small, .deformable = deformable}));
}

// With BatchNorm, without which nets this deep hardly begin to learn.
template <Vgg (*make)(const VggOptions&)>
std::unique_ptr<Classifier> make_vgg(const DeformableStages& deformable, std::int64_t classes) {
  return as_classifier(make({.classes = classes,
                             .channels = 1,
                             .stem = Stem::small,
                             .normalisation = Normalisation::batch,
                             .deformable = deformable}));
}

std::unique_ptr<Classifier> make_lenet(const DeformableStages& deformable, std::int64_t classes) {
  return as_classifier(LeNet5({.classes = classes, .deformable = deformable}));
}

struct Entry {
  const char* name;
  Maker make;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {{"lenet5", make_lenet},
                                         {"vgg11", make_vgg<vgg11>},
                                         {"vgg13", make_vgg<vgg13>},
                                         {"vgg16", make_vgg<vgg16>},
                                         {"resnet18", make_resnet<resnet18>},
                                         {"resnet34", make_resnet<resnet34>},
                                         {"resnet50", make_resnet<resnet50>}};
  return all;
}

DeformableStages stages_from(const std::string& text) {
  if (text == "none") return {};
  if (text == "extra") return {.extra_last_stage = true};
  return {.stages = kit::stages_of("--deform-stages", text, "none, extra, or numbers as in 3,4")};
}

// Names in a file have no "net." before them.
State with_part(const State& state) {
  const std::string prefix = kPart + ".";
  State result;
  for (const auto& [path, tensor] : state) result.emplace_back(prefix + path, tensor);
  return result;
}

State without_part(const State& state) {
  State result;
  for (const auto& [path, tensor] : state)
    result.emplace_back(path.substr(kPart.size() + 1), tensor);
  return result;
}

std::string metadata(const SafetensorsFile& file, const char* key, const char* otherwise) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? otherwise : found->second;
}

std::int64_t classes_in(const SafetensorsFile& file) {
  const std::string text = metadata(file, "classes", "10");
  std::int64_t classes = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, classes);
  require(error == std::errc() && stop == end && classes >= 2 && classes <= kMostClasses,
          "its metadata says classes = '", text, "', expected 2 to ", kMostClasses);
  return classes;
}

NamedNet named_in(const SafetensorsFile& file) {
  return {metadata(file, "net", "digit"), metadata(file, "deform", "none"),
          metadata(file, "stages", "none"), classes_in(file)};
}

}  // namespace

std::string NamedNet::title() const {
  std::string text = net == "digit" ? deform : net;
  if (stages == "extra") return text + ", extra deformable layers";
  return stages == "none" ? text : text + ", stages " + stages;
}

const std::vector<std::string>& net_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"digit"};
    for (const Entry& entry : entries()) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

std::unique_ptr<Classifier> make_net(const NamedNet& named) {
  if (named.net == "digit") {
    require(named.stages == "none", "--deform-stages: is not of the digit net; use --deform");
    return std::make_unique<DigitNet>(
        named.deform == "none" ? Deform::none : deform_from(named.deform), named.classes);
  }
  require(named.deform == "none", "--deform: is of the digit net; use --deform-stages with --net ",
          named.net);
  std::string known = "digit";
  for (const Entry& entry : entries()) {
    if (entry.name == named.net) return entry.make(stages_from(named.stages), named.classes);
    known += std::string(", ") + entry.name;
  }
  fail("--net: '", named.net, "' is none of ", known);
}

void save_net(const std::filesystem::path& file, const Classifier& net, const NamedNet& named,
              std::uint64_t seed) {
  SafetensorsFile contents{net.state(), {{"seed", std::to_string(seed)}, {"layout", "nhwc"}}};
  if (named.net == "digit") {
    contents.metadata["deform"] = named.deform;
  } else {
    contents.tensors = without_part(contents.tensors);
    contents.metadata["net"] = named.net;
    contents.metadata["stages"] = named.stages;
  }
  if (named.classes != 10) contents.metadata["classes"] = std::to_string(named.classes);
  write_safetensors(file, contents);
}

void start_from(const std::filesystem::path& file, Classifier& net, const NamedNet& named) {
  if (named.net == "digit") {
    net.load(load_digit_net(file).state(), {.may_lack = head_patterns()});
    return;
  }
  const SafetensorsFile contents = read_weights(file);
  const std::string there = metadata(contents, "net", "digit");
  require(there == named.net, file.string(), ": is a ", there, " net, not ", named.net);
  std::vector<std::string> may_lack = head_patterns();
  may_lack.emplace_back("*extra.*");
  try {
    net.load(with_part(contents.tensors), {.may_lack = may_lack});
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

// Reads the file once: it may be a pipe.
LoadedNet load_net(const std::filesystem::path& file) {
  const SafetensorsFile contents = read_weights(file);
  if (metadata(contents, "net", "digit") == "digit") {
    DigitNet net = digit_net_from(contents, file);
    const std::string deform = name_of(net.deform());
    return {std::make_unique<DigitNet>(std::move(net)), {.deform = deform}};
  }
  try {
    const NamedNet named = named_in(contents);
    std::unique_ptr<Classifier> net = make_net(named);
    net->load(with_part(contents.tensors));
    return {std::move(net), named};
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

}  // namespace pliant::mnist
