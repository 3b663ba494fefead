#include <pliant/apps/train/nets.h>

#include <algorithm>
#include <functional>
#include <system_error>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/net_file.h>
#include <pliant/apps/train/net_json.h>
#include <pliant/core/nearest.h>
#include <pliant/layers/nets/convnext.h>
#include <pliant/layers/nets/intern_image.h>
#include <pliant/layers/nets/lenet.h>
#include <pliant/layers/nets/resnet.h>
#include <pliant/layers/nets/resnet9.h>
#include <pliant/layers/nets/vgg.h>

namespace pliant::train {
namespace {

using Json = nlohmann::ordered_json;
using kit::as_classifier;
using kit::Classifier;

constexpr const char* kRecipe = "pliant-train";  // in a file's metadata
constexpr std::int64_t kSmall = 96;              // images below this side are small
constexpr std::int64_t kMostClasses = 65536;

struct Wanted {
  std::int64_t classes, channels, size;
  DeformableStages deformable;

  Stem stem() const { return size < kSmall ? Stem::small : Stem::imagenet; }
};

void require_regular(const char* net, const Wanted& wanted) {
  require(wanted.deformable.stages.empty(), "--deformable: every layer of ", net,
          " that can deform does so already");
}

std::unique_ptr<Classifier> make_lenet(const Wanted& wanted) {
  require(wanted.size == 28 || wanted.size == 32,
          "--size: lenet5 is for images of 28 or 32 pixels");
  return as_classifier(LeNet5({.classes = wanted.classes,
                               .channels = wanted.channels,
                               .side = wanted.size,
                               .deformable = wanted.deformable}));
}

std::unique_ptr<Classifier> make_resnet9(const Wanted& wanted) {
  return as_classifier(ResNet9(
      {.classes = wanted.classes, .channels = wanted.channels, .deformable = wanted.deformable}));
}

template <ResNet (*make)(const ResNetOptions&)>
std::unique_ptr<Classifier> make_resnet(const Wanted& wanted) {
  return as_classifier(make({.classes = wanted.classes,
                             .channels = wanted.channels,
                             .stem = wanted.stem(),
                             .deformable = wanted.deformable}));
}

// With BatchNorm, without which nets this deep hardly begin to learn.
template <Vgg (*make)(const VggOptions&)>
std::unique_ptr<Classifier> make_vgg(const Wanted& wanted) {
  return as_classifier(make({.classes = wanted.classes,
                             .channels = wanted.channels,
                             .stem = wanted.stem(),
                             .normalisation = Normalisation::batch,
                             .deformable = wanted.deformable}));
}

std::unique_ptr<Classifier> make_convnext(const Wanted& wanted) {
  return as_classifier(convnext_tiny({.classes = wanted.classes,
                                      .channels = wanted.channels,
                                      .stem = wanted.stem(),
                                      .deformable = wanted.deformable}));
}

template <InternCore core>
std::unique_ptr<Classifier> make_intern(const Wanted& wanted) {
  require_regular("the InternImage nets", wanted);
  return as_classifier(intern_image_small(wanted.classes, wanted.channels, core));
}

struct Entry {
  const char* name;
  std::unique_ptr<Classifier> (*make)(const Wanted&);
};

constexpr Entry kNets[] = {{"lenet5", make_lenet},
                           {"resnet9", make_resnet9},
                           {"resnet18", make_resnet<resnet18>},
                           {"resnet34", make_resnet<resnet34>},
                           {"resnet50", make_resnet<resnet50>},
                           {"vgg11", make_vgg<vgg11>},
                           {"vgg13", make_vgg<vgg13>},
                           {"vgg16", make_vgg<vgg16>},
                           {"convnext_tiny", make_convnext},
                           {"intern_v3", make_intern<InternCore::dcn_v3>},
                           {"intern_v4", make_intern<InternCore::dcn_v4>}};

const Entry* entry_of(const std::string& name) {
  const auto* const found = std::find_if(std::begin(kNets), std::end(kNets),
                                         [&](const Entry& each) { return each.name == name; });
  return found == std::end(kNets) ? nullptr : found;
}

DeformableStages stages_from(const std::string& text) {
  if (text == "none") return {};
  return {.stages = kit::stages_of("--deformable", text, "none, or numbers as in 3,4")};
}

Json json_of(const NetRecipe& recipe) {
  return {{"net", recipe.net},
          {"layers", recipe.layers},
          {"deformable", recipe.deformable},
          {"classes", recipe.classes},
          {"size", recipe.size},
          {"channels", recipe.channels},
          {"mean", recipe.mean},
          {"deviation", recipe.deviation}};
}

NetRecipe recipe_from(const Json& json) {
  NetRecipe recipe;
  recipe.net = kit::take_text(json, "net");
  recipe.layers = kit::take_text(json, "layers");
  recipe.deformable = kit::take_text(json, "deformable");
  recipe.classes = kit::take_texts(json, "classes", "name");
  require(recipe.classes.size() <= kMostClasses, "classes: there are ", recipe.classes.size(),
          ", expected at most ", kMostClasses);
  recipe.size = kit::take_count(json, "size", 1 << 16, 1);
  recipe.channels = kit::take_count(json, "channels", 3, 1);
  recipe.mean = kit::take_triple(json, "mean", -1e6);
  recipe.deviation = kit::take_triple(json, "deviation", 1e-6);
  return recipe;
}

}  // namespace

std::string NetRecipe::title() const {
  return net + (deformable == "none" ? "" : ", stages " + deformable + " deformable");
}

const std::vector<std::string>& net_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Entry& each : kNets) all.emplace_back(each.name);
    return all;
  }();
  return names;
}

void complete(NetRecipe& recipe) {
  if (entry_of(recipe.net) != nullptr || !recipe.layers.empty()) return;
  std::error_code ignored;
  require(std::filesystem::exists(recipe.net, ignored), "--net: '", recipe.net,
          "' is no file and none of the nets by name; did you mean ",
          nearest_name(recipe.net, net_names()), '?');
  recipe.layers = kit::dump_json(kit::read_json(recipe.net, "a net: {\"layers\": [..]}"));
}

std::unique_ptr<Classifier> make_net(const NetRecipe& recipe) {
  const auto classes = static_cast<std::int64_t>(recipe.classes.size());
  require(classes >= 2, "a net for ", classes, " classes, expected at least 2");
  const Wanted wanted{classes, recipe.channels, recipe.size, stages_from(recipe.deformable)};
  if (const Entry* const entry = entry_of(recipe.net); entry != nullptr && recipe.layers.empty())
    return entry->make(wanted);
  require(wanted.deformable.stages.empty(),
          "--deformable: a net from a file says itself which layers deform (deform_conv)");
  try {
    return as_classifier(net_from(kit::parse_json(recipe.layers, "it"),
                                  {recipe.size, recipe.size, recipe.channels, classes}));
  } catch (const Error& error) {
    fail(printable(recipe.net), ": ", error.what());
  }
}

void save_net(const std::filesystem::path& file, Classifier& net, const NetRecipe& recipe,
              const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> metadata = more;
  metadata[kRecipe] = kit::dump_json(json_of(recipe));
  net.net().save(file, metadata);
}

LoadedNet load_net(const std::filesystem::path& file) {
  return kit::load_net(file, kRecipe, [](const Json& recipe, const State& tensors) {
    LoadedNet loaded;
    loaded.recipe = recipe_from(recipe);
    loaded.net = make_net(loaded.recipe);
    loaded.net->net().load(tensors);
    return loaded;
  });
}

}  // namespace pliant::train
