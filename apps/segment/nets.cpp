#include <pliant/apps/segment/nets.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/net_file.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRecipe = "pliant-segment";  // in a file's metadata
constexpr int kLastStage = 4;
constexpr std::int64_t kStride = 16;  // of which the presets' rates are

const std::vector<Preset>& presets() {
  using enum ResNetBlockKind;
  static const std::vector<int> k18 = {2, 2, 2, 2}, k34 = {3, 4, 6, 3}, k101 = {3, 4, 23, 3};
  static const std::vector<std::int64_t> near = {2, 4, 6}, far = {6, 12, 18};
  static const std::vector<Preset> all = {
      {"tiny", "ResNet-18 of width 8, for a first look", basic, k18, 8, 16, 8, near, 72, 96, 8, 12,
       0.1, 1},
      {"small", "ResNet-18 of width 32", basic, k18, 32, 64, 24, near, 144, 192, 8, 60, 0.05, 1},
      {"medium", "ResNet-18 of width 64", basic, k18, 64, 128, 48, near, 144, 192, 8, 60, 0.05, 1},
      {"resnet18", "the published size on ResNet-18", basic, k18, 64, 256, 48, far, 513, 513, 4, 50,
       0.07, 0.1},
      {"resnet34", "on ResNet-34", basic, k34, 64, 256, 48, far, 513, 513, 4, 50, 0.07, 0.1},
      {"resnet50", "on ResNet-50", bottleneck, k34, 64, 256, 48, far, 513, 513, 4, 50, 0.07, 0.1},
      {"resnet101", "on ResNet-101", bottleneck, k101, 64, 256, 48, far, 513, 513, 4, 50, 0.07,
       0.1}};
  return all;
}

DeformableStages stages_of(const NetRecipe& recipe) {
  if (recipe.arm == "plain") return {};
  if (recipe.arm == "extra" || recipe.arm == "extra-fixed") return {.extra_last_stage = true};
  const bool fixed = recipe.arm == "replace-fixed";
  require(!fixed || recipe.deform != "dcn1",
          "--arm: replace-fixed of dcn1 is plain; it is a control of --deform dcn2, dcn3 and dcn4");
  DeformableStages stages{.stages = {kLastStage}};
  if (recipe.deform == "dcn2") stages.modulation = Modulation::sigmoid;
  if (recipe.deform == "dcn3") stages.kind = DeformableKind::dcn_v3;
  if (recipe.deform == "dcn4") stages.kind = DeformableKind::dcn_v4;
  stages.held_offsets = fixed;
  return stages;
}

// Nets with three blocks in the last stage, where that dilates.
std::vector<std::int64_t> grid_of(const Preset& preset, std::int64_t stride) {
  constexpr std::int64_t kUndilated = 32;
  if (preset.kind == ResNetBlockKind::basic || stride == kUndilated) return {};
  return {1, 2, 4};
}

Json json_of(const NetRecipe& recipe) {
  return {{"preset", recipe.preset},      {"arm", recipe.arm},         {"deform", recipe.deform},
          {"stride", recipe.stride},      {"classes", recipe.classes}, {"colours", recipe.colours},
          {"height", recipe.height},      {"width", recipe.width},     {"mean", recipe.mean},
          {"deviation", recipe.deviation}};
}

NetRecipe recipe_from(const Json& json) {
  constexpr std::int64_t kMostClasses = 255, kMostPixels = 1 << 16, kMostByte = 255;
  NetRecipe recipe;
  recipe.preset = kit::take_choice(json, "preset", preset_names());
  recipe.arm = kit::take_choice(json, "arm", arm_names());
  recipe.deform = kit::take_choice(json, "deform", {"dcn1", "dcn2", "dcn3", "dcn4"});
  recipe.stride = kit::take_count(json, "stride", 32, 8);
  const Json &classes = kit::take_list(json, "classes"), &colours = kit::take_list(json, "colours");
  require(classes.size() >= 2 && classes.size() <= kMostClasses && colours.size() == classes.size(),
          "classes: there are ", classes.size(), " and ", colours.size(),
          " colours, expected as many of either, 2 to ", kMostClasses);
  recipe.classes = kit::take_texts(json, "classes", "name");
  for (const Json& colour : colours) {
    require(colour.is_array() && colour.size() == 3,
            "colours holds what is no red, green and blue");
    Palette::value_type bytes{};
    for (std::size_t i = 0; i < 3; ++i)
      bytes[i] = static_cast<std::uint8_t>(kit::count_of("colours", colour[i], kMostByte));
    recipe.colours.push_back(bytes);
  }
  recipe.height = kit::take_count(json, "height", kMostPixels, 1);
  recipe.width = kit::take_count(json, "width", kMostPixels, 1);
  recipe.mean = kit::take_triple(json, "mean", -1e6);
  recipe.deviation = kit::take_triple(json, "deviation", 1e-6);
  return recipe;
}

}  // namespace

std::string NetRecipe::title() const {
  const bool replaces = arm == "replace" || arm == "replace-fixed";
  return preset + ", " + arm + (replaces ? " (" + deform + ")" : "");
}

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = kit::names_of(presets());
  return names;
}

const Preset& preset_of(const std::string& name) { return kit::named("preset", name, presets()); }

const std::vector<std::string>& arm_names() {
  static const std::vector<std::string> names = {"plain", "replace", "replace-fixed", "extra",
                                                 "extra-fixed"};
  return names;
}

bool is_deformable(const std::string& arm) { return arm == "replace" || arm == "extra"; }

std::unique_ptr<DeepLabV3Plus> make_net(const NetRecipe& recipe, Dropouts dropouts) {
  const Preset& preset = preset_of(recipe.preset);
  std::vector<std::int64_t> rates;
  for (const std::int64_t rate : preset.rates)
    rates.push_back(std::max<std::int64_t>(1, rate * kStride / recipe.stride));
  auto net = std::make_unique<DeepLabV3Plus>(
      DeepLabOptions{.kind = preset.kind,
                     .blocks = preset.blocks,
                     .trunk = {.deformable = stages_of(recipe),
                               .width = preset.width,
                               .output_stride = recipe.stride,
                               .multi_grid = grid_of(preset, recipe.stride)},
                     .rates = rates,
                     .aspp_channels = preset.aspp_channels,
                     .low_channels = preset.low_channels,
                     .classes = static_cast<std::int64_t>(recipe.classes.size()),
                     .dropout = dropouts == Dropouts::yes});
  if (recipe.arm == "extra-fixed") net->freeze("*.extra.offset.*");
  if (recipe.arm == "replace-fixed" && recipe.deform != "dcn4") net->freeze("*.offset.*");
  return net;
}

void freeze_batch_norm(Module& net) {
  const std::string statistics = ".running_mean";
  for (const Buffer& buffer : net.buffers())
    if (const std::string& name = buffer.name(); name.ends_with(statistics))
      net.freeze(name.substr(0, name.size() - statistics.size()));
}

void save_net(const std::filesystem::path& file, const DeepLabV3Plus& net, const NetRecipe& recipe,
              const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> metadata = more;
  metadata[kRecipe] = kit::dump_json(json_of(recipe));
  net.save(file, metadata);
}

LoadedNet load_net(const std::filesystem::path& file) {
  return kit::load_net(file, kRecipe, [](const Json& recipe, const State& tensors) {
    LoadedNet loaded;
    loaded.recipe = recipe_from(recipe);
    loaded.net = make_net(loaded.recipe);
    loaded.net->load(tensors);
    return loaded;
  });
}

}  // namespace pliant::segment
