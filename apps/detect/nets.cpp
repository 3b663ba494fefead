#include <pliant/apps/detect/nets.h>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/net_file.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRecipe = "pliant-detect";  // in a file's metadata

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"tiny", "a trunk of width 8, for a first look", true, 16, 0, 0, 4, 12, 3e-3},
      {"small", "a trunk of width 32 to stride 16, for pictures of about 320 x 240", true, 16, 0, 0,
       4, 40, 1e-3},
      {"small-fpn", "the same with a fourth stage and a feature pyramid", false, 32, 0, 0, 4, 40,
       1e-3},
      {"resnet50-c4", "ResNet-50, its last stage on every region", false, 32, 600, 1000, 2, 12,
       1e-4},
      {"resnet50-dilated", "ResNet-50 at stride 16, two linear layers on every region", true, 32,
       600, 1000, 2, 12, 1e-4},
      {"resnet50-fpn", "torchvision's fasterrcnn_resnet50_fpn", false, 32, 800, 1333, 2, 12, 1e-4}};
  return all;
}

RoIPooling pooling_of(const std::string& arm) {
  if (arm == "fixed") return RoIPooling::fixed;
  return pools_deformably(arm) ? RoIPooling::deformable : RoIPooling::align;
}

FasterRCNNOptions options_of(const NetRecipe& recipe) {
  const std::vector<int> k50 = {3, 4, 6, 3};
  const auto classes = static_cast<std::int64_t>(recipe.classes.size()) + 1;
  const RoIPooling pooling = pooling_of(recipe.arm);
  const bool stage = has_deformable_stage(recipe.arm);
  if (recipe.preset == "small-fpn") return small_faster_rcnn_fpn(classes);
  if (recipe.preset == "resnet50-c4") return faster_rcnn_c4(k50, classes);
  if (recipe.preset == "resnet50-dilated") return faster_rcnn_dilated(k50, pooling, stage, classes);
  if (recipe.preset == "resnet50-fpn") return faster_rcnn_resnet50_fpn(classes);
  FasterRCNNOptions options = small_faster_rcnn(classes, pooling, stage);
  if (recipe.preset == "tiny") {
    options.blocks = {1, 1, 1};
    options.trunk.width = 8;
    options.rpn.hidden = 32;
    options.rpn.sizes = {{16, 24, 36, 56}};
    options.rpn.training = {.before_nms = 200, .after_nms = 60};
    options.rpn.inference = {.before_nms = 200, .after_nms = 50};
    options.head.hidden = 64;
  }
  return options;
}

Json json_of(const NetRecipe& recipe) {
  return {{"preset", recipe.preset},       {"arm", recipe.arm},
          {"classes", recipe.classes},     {"short_side", recipe.short_side},
          {"long_side", recipe.long_side}, {"mean", recipe.mean},
          {"deviation", recipe.deviation}};
}

NetRecipe recipe_from(const Json& json) {
  constexpr std::int64_t kMostClasses = 10000, kMostPixels = 1 << 16;
  NetRecipe recipe;
  recipe.preset = kit::take_choice(json, "preset", preset_names());
  recipe.arm = kit::take_choice(json, "arm", arm_names());
  const Json& classes = kit::take_list(json, "classes");
  require(!classes.empty() && classes.size() <= kMostClasses, "classes: there are ", classes.size(),
          ", expected 1 to ", kMostClasses);
  recipe.classes = kit::take_texts(json, "classes", "name");
  recipe.short_side = kit::take_count(json, "short_side", kMostPixels);
  recipe.long_side = kit::take_count(json, "long_side", kMostPixels);
  recipe.mean = kit::take_triple(json, "mean", -1e6);
  recipe.deviation = kit::take_triple(json, "deviation", 1e-6);
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
  static const std::vector<std::string> names = {"align", "align-stage", "fixed", "pool",
                                                 "pool-stage"};
  return names;
}

bool pools_deformably(const std::string& arm) { return arm.starts_with("pool"); }
bool has_deformable_stage(const std::string& arm) { return arm.ends_with("-stage"); }

std::unique_ptr<FasterRCNN> make_net(const NetRecipe& recipe, const FindOptions& find) {
  require(preset_of(recipe.preset).has_arms || recipe.arm == "align", "--arm: ", recipe.preset,
          " has no ", recipe.arm, ", align alone");
  FasterRCNNOptions options = options_of(recipe);
  options.head.detection.min_score = find.score;
  options.head.detection.nms_threshold = find.nms;
  options.head.detection.most = find.most;
  return std::make_unique<FasterRCNN>(options);
}

void save_net(const std::filesystem::path& file, const FasterRCNN& net, const NetRecipe& recipe,
              const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> metadata = more;
  metadata[kRecipe] = kit::dump_json(json_of(recipe));
  net.save(file, metadata);
}

LoadedNet load_net(const std::filesystem::path& file, const FindOptions& find) {
  return kit::load_net(file, kRecipe, [&](const Json& recipe, const State& tensors) {
    LoadedNet loaded;
    loaded.recipe = recipe_from(recipe);
    loaded.net = make_net(loaded.recipe, find);
    loaded.net->load(tensors);
    return loaded;
  });
}

}  // namespace pliant::detect
