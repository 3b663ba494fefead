// Golden numbers for vision, from JSON files: anchors, matching, losses, metrics, crops, schedules.
// To add a block: a function that takes its inputs from the Block, calls the library and holds the
// results against its answers, and an entry in the table.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <pliant/tests/conformance/runner.h>
#include <pliant/tests/conformance/vision_block.h>

namespace pliant::conformance {

using BlockFunction = void (*)(const Block& block);

// What one file holds, by the file's name without .json.
struct VisionFile {
  Tolerance tolerance;
  // By name; # stands for any whole number.
  std::map<std::string, BlockFunction> blocks;
  std::set<std::string> inputs;  // that blocks have in common; they are no block
};

// vision_detection.cpp
VisionFile anchors_file();
VisionFile box_coding_file();
VisionFile iou_nms_file();
VisionFile rpn_file();
VisionFile detections_file();
// vision_metrics.cpp
VisionFile average_precision_file();
VisionFile tracking_metrics_file();
// vision_segmentation.cpp
VisionFile segmentation_file();
VisionFile learning_rates_file();
// vision_tracking.cpp
VisionFile siamrpn_file();

// Runs every block of a file; the results' op is FILE/BLOCK. An unknown file or block is a failure,
// and so is whatever goes wrong: throws nothing.
std::vector<CaseResult> run_vision_file(const std::filesystem::path& path, const Target& target);

}  // namespace pliant::conformance
