// The nets of pliant-detect: Faster R-CNN by preset and arm, and what a file of one says.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <pliant/layers/nets/faster_rcnn.h>

namespace pliant::detect {

// All that it takes to make a net again and to give it pictures.
struct NetRecipe {
  std::string preset = "small";           // one of preset_names()
  std::string arm = "align";              // one of arm_names()
  std::vector<std::string> classes = {};  // names, by label; the background is not one
  // Pictures are made as large as fits: their short side and their long side. 0: as they are.
  std::int64_t short_side = 0, long_side = 0;
  std::array<double, 3> mean = {0.485, 0.456, 0.406}, deviation = {0.229, 0.224, 0.225};

  std::string title() const;  // "small, pool-stage"
};

// What a preset says besides the net's size: how it is trained, where nothing else is asked for.
struct Preset {
  const char* name;
  const char* text;      // for people
  bool has_arms;         // else there is align alone
  std::int64_t divisor;  // batches are padded to multiples of it
  std::int64_t short_side, long_side, batch, epochs;
  double lr;
};
const Preset& preset_of(const std::string& name);  // an Error with the nearest name
const std::vector<std::string>& preset_names();

// How regions are read, and whether the trunk's last stage deforms, so that both factors separate:
// align: RoIAlign; align-stage: and a deformable last stage; fixed: deformable pooling with its
// offsets held at 0, the control; pool: deformable pooling; pool-stage: both.
const std::vector<std::string>& arm_names();
bool pools_deformably(const std::string& arm);
bool has_deformable_stage(const std::string& arm);

// What counts as found.
struct FindOptions {
  double score = 0.05, nms = 0.5;
  std::int64_t most = 100;  // of a picture
};

// The net, whose parameters are empty. What does not fit together is an Error.
std::unique_ptr<FasterRCNN> make_net(const NetRecipe& recipe, const FindOptions& find = {});

// As a file from which load_net makes it again.
void save_net(const std::filesystem::path& file, const FasterRCNN& net, const NetRecipe& recipe,
              const std::map<std::string, std::string>& more = {});

struct LoadedNet {
  std::unique_ptr<FasterRCNN> net;
  NetRecipe recipe;
};
LoadedNet load_net(const std::filesystem::path& file, const FindOptions& find = {});

}  // namespace pliant::detect
