#include <pliant/apps/track/nets.h>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/net_file.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRecipe = "pliant-track";  // in a file's metadata

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"tiny", "a trunk of width 8, for a first look", 256, 16, 8, 0.05},
      {"small", "a trunk of width 32 at stride 4, images of 63 and 127 pixels", 1000, 16, 20, 0.02},
      {"alexnet", "SiamRPN as published: AlexNet's trunk without padding, up-channel head", 8000,
       16, 20, 0.005},
      {"resnet18", "ResNet-18 at stride 8, images of 127 and 255 pixels", 8000, 16, 20, 0.005},
      {"resnet18-up", "the same with SiamRPN's up-channel head", 8000, 16, 20, 0.005},
      {"resnet18-25", "ResNet-18, the template's middle compared at 25 x 25 places", 8000, 16, 20,
       0.005},
      {"resnet34", "ResNet-34 at stride 8", 8000, 16, 20, 0.005}};
  return all;
}

DeformableStages stages_of(const NetRecipe& recipe, int last_stage) {
  if (recipe.arm == "replace") return {.stages = {last_stage}};
  return {.extra_last_stage = recipe.arm.starts_with("extra")};
}

SiamRPNOptions options_of(const NetRecipe& recipe) {
  constexpr int kLast = 4, kLastOfSmall = 3;  // AlexNet's too
  if (recipe.preset == "alexnet") return siamrpn_alexnet(stages_of(recipe, kLastOfSmall));
  if (recipe.preset == "resnet34") return siamrpn_resnet34(stages_of(recipe, kLast));
  if (recipe.preset.starts_with("resnet18")) {
    SiamRPNOptions options = siamrpn_resnet18(stages_of(recipe, kLast));
    if (recipe.preset == "resnet18-up") options.head = SiamRPNHead::up_channel;
    if (recipe.preset == "resnet18-25") options.template_places = 8;
    return options;
  }
  SiamRPNOptions options = small_siamrpn(stages_of(recipe, kLastOfSmall));
  if (recipe.preset == "tiny") {
    options.blocks = {1, 1, 1};
    options.width = 8;
    options.hidden = 16;
  }
  return options;
}

Json json_of(const NetRecipe& recipe) {
  return {{"preset", recipe.preset},   {"arm", recipe.arm},
          {"mean", recipe.mean},       {"deviation", recipe.deviation},
          {"penalty", recipe.penalty}, {"window", recipe.window},
          {"rate", recipe.rate}};
}

NetRecipe recipe_from(const Json& json) {
  NetRecipe recipe;
  recipe.preset = kit::take_choice(json, "preset", preset_names());
  recipe.arm = kit::take_choice(json, "arm", arm_names());
  recipe.mean = kit::take_triple(json, "mean", -1e6);
  recipe.deviation = kit::take_triple(json, "deviation", 1e-6);
  recipe.penalty = kit::take_number(json, "penalty", 0, kLargestPenalty);
  recipe.window = kit::take_share(json, "window");
  recipe.rate = kit::take_share(json, "rate");
  return recipe;
}

}  // namespace

std::string NetRecipe::title() const { return preset + ", " + arm; }

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = kit::names_of(presets());
  return names;
}

const Preset& preset_of(const std::string& name) { return kit::named("preset", name, presets()); }

const std::vector<std::string>& arm_names() {
  static const std::vector<std::string> names = {"plain", "replace", "extra", "extra-fixed"};
  return names;
}

bool is_deformable(const std::string& arm) { return arm == "replace" || arm == "extra"; }

std::unique_ptr<SiamRPN> make_net(const NetRecipe& recipe) {
  preset_of(recipe.preset);
  auto net = std::make_unique<SiamRPN>(options_of(recipe));
  if (recipe.arm == "extra-fixed") net->freeze("*.extra.offset.*");
  return net;
}

void save_net(const std::filesystem::path& file, const SiamRPN& net, const NetRecipe& recipe) {
  net.save(file, {{kRecipe, kit::dump_json(json_of(recipe))}});
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

}  // namespace pliant::track
