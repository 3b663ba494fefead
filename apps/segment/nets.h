// The nets of pliant-segment: DeepLabv3+ by preset and arm, and what a file of one says.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <pliant/data/image_file.h>
#include <pliant/layers/nets/deeplab.h>

namespace pliant::segment {

// All that it takes to make a net again and to give it pictures.
struct NetRecipe {
  std::string preset = "small";  // one of preset_names()
  std::string arm = "plain";     // one of arm_names()
  std::string deform = "dcn1";   // of replace: dcn1, dcn2, dcn3 or dcn4
  std::int64_t stride = 16;      // pixels of a picture for one of the trunk's last map
  std::vector<std::string> classes = {};
  Palette colours = {};                // theirs
  std::int64_t height = 0, width = 0;  // of what it is trained on
  std::array<double, 3> mean = {0.485, 0.456, 0.406}, deviation = {0.229, 0.224, 0.225};

  std::string title() const;  // "small, replace (dcn2)"
};

// What a preset says besides the net's size: how it is trained, where nothing else is asked for.
struct Preset {
  const char* name;
  const char* text;  // for people
  ResNetBlockKind kind;
  std::vector<int> blocks;
  std::int64_t width, aspp_channels, low_channels;
  std::vector<std::int64_t> rates;  // at stride 16
  std::int64_t height, width_of_crop, batch, epochs;
  double lr, trunk_rate;  // of the head; of the trunk, times that
};
const Preset& preset_of(const std::string& name);  // an Error with the nearest name
const std::vector<std::string>& preset_names();

// plain; replace: the last stage's 3x3 convolutions deform; extra: three more layers that deform in
// the last stage; and either with its offsets held at 0.
const std::vector<std::string>& arm_names();
bool is_deformable(const std::string& arm);  // and its offsets are learned

enum class Dropouts : unsigned char { yes, no };

// The net, whose parameters are empty; what an arm holds still is frozen. What does not fit together
// is an Error.
std::unique_ptr<DeepLabV3Plus> make_net(const NetRecipe& recipe, Dropouts dropouts = Dropouts::yes);

// Every BatchNorm with its statistics.
void freeze_batch_norm(Module& net);

// As a file from which load_net makes it again.
void save_net(const std::filesystem::path& file, const DeepLabV3Plus& net, const NetRecipe& recipe,
              const std::map<std::string, std::string>& more = {});

struct LoadedNet {
  std::unique_ptr<DeepLabV3Plus> net;
  NetRecipe recipe;
};
LoadedNet load_net(const std::filesystem::path& file);

}  // namespace pliant::segment
