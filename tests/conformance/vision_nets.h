// Whole little nets with weights, outputs and gradients (safetensors): is everything wired up as in
// the original?
#pragma once

#include <filesystem>
#include <vector>

#include <pliant/tests/conformance/net_file.h>
#include <pliant/tests/conformance/vision.h>

namespace pliant::conformance {

// The layers of the published DeepLab with three extra deformable ones.
VisionFile deeplab_layers_file();

// A detector against torchvision's: what it finds, losses, gradients, running statistics.
void run_faster_rcnn(const std::filesystem::path& path, const Target& target,
                     const NetReport& report);

// Whether the file is one of those nets, by its name.
bool is_vision_net(const std::filesystem::path& path);

// A result for each of its parts: outputs, gradients, running statistics. Throws nothing.
std::vector<CaseResult> run_vision_net(const std::filesystem::path& path, const Target& target);

}  // namespace pliant::conformance
