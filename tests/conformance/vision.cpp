#include <pliant/tests/conformance/vision.h>

#include <fstream>
#include <iterator>
#include <regex>

#include <pliant/tests/conformance/vision_nets.h>

namespace pliant::conformance {

namespace {

const std::map<std::string, VisionFile>& vision_files() {
  static const std::map<std::string, VisionFile> files = {
      {"anchors", anchors_file()},
      {"average_precision", average_precision_file()},
      {"box_coding", box_coding_file()},
      {"deeplab_resnet50_deformable_layers", deeplab_layers_file()},
      {"detections", detections_file()},
      {"iou_nms", iou_nms_file()},
      {"learning_rates", learning_rates_file()},
      {"rpn", rpn_file()},
      {"segmentation", segmentation_file()},
      {"siamrpn", siamrpn_file()},
      {"tracking_metrics", tracking_metrics_file()},
  };
  return files;
}

// With # for every whole number.
std::string pattern_of(const std::string& name) {
  static const std::regex digits("[0-9]+");
  return std::regex_replace(name, digits, "#");
}

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  require(file.good(), "cannot be read");
  Json json = Json::parse(file, nullptr, false);
  require(json.is_object(), "is no JSON object");
  return json;
}

CaseResult run_block(const std::filesystem::path& path, const Json& json, const std::string& name,
                     const VisionFile& file, const Target& target) {
  CaseResult result{.path = path.string(), .op = path.stem().string() + '/' + name};
  try {
    const auto found = file.blocks.find(pattern_of(name));
    require(found != file.blocks.end(), "the block is unknown");
    const Block block(json, name, target, file.tolerance);
    found->second(block);
    judge(block.result(), result);
  } catch (const std::exception& error) {
    result.status = Status::failed;
    result.message = printable(error.what());
  }
  return result;
}

std::vector<CaseResult> run_blocks(const std::filesystem::path& path, const Target& target) {
  const Json json = read_json(path);
  const auto file = vision_files().find(path.stem().string());
  require(file != vision_files().end(), "the file is unknown");
  std::vector<CaseResult> results;
  for (const auto& [name, item] : json.items())
    if (!file->second.inputs.contains(name) && name != "note")
      results.push_back(run_block(path, json, name, file->second, target));
  require(!results.empty(), "has no block");
  return results;
}

}  // namespace

std::vector<CaseResult> run_vision_file(const std::filesystem::path& path, const Target& target) {
  try {
    return run_blocks(path, target);
  } catch (const std::exception& error) {
    return {{.path = path.string(),
             .op = path.stem().string(),
             .status = Status::failed,
             .message = printable(error.what())}};
  }
}

}  // namespace pliant::conformance
