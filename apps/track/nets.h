// The nets of pliant-track: SiamRPN by preset and arm, and what a file of one says.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <pliant/layers/nets/siamrpn.h>
#include <pliant/layers/nets/siamrpn_tracking.h>

namespace pliant::track {

inline constexpr double kLargestPenalty = 100;

// All that it takes to make a net again and to follow a target with it.
struct NetRecipe {
  std::string preset = "small";  // one of preset_names()
  std::string arm = "plain";     // one of arm_names()
  std::array<double, 3> mean = {0.485, 0.456, 0.406}, deviation = {0.229, 0.224, 0.225};
  double penalty = 0.04, window = 0.44, rate = 0.4;  // of TrackingOptions

  std::string title() const;  // "small, replace"
};

// What a preset says besides the net's size: how it is trained, where nothing else is asked for.
struct Preset {
  const char* name;
  const char* text;                   // for people
  std::int64_t pairs, batch, epochs;  // pairs an epoch
  double lr;
};
const Preset& preset_of(const std::string& name);  // an Error with the nearest name
const std::vector<std::string>& preset_names();

// plain; replace: the 3x3 convolutions of the trunk's last stage deform; extra: deformable layers
// after every block of it; extra-fixed: the same with their offsets held at 0, the control.
const std::vector<std::string>& arm_names();
bool is_deformable(const std::string& arm);

// The net, whose parameters are empty.
std::unique_ptr<SiamRPN> make_net(const NetRecipe& recipe);

// As a file from which load_net makes it again.
void save_net(const std::filesystem::path& file, const SiamRPN& net, const NetRecipe& recipe);

struct LoadedNet {
  std::unique_ptr<SiamRPN> net;
  NetRecipe recipe;
};
LoadedNet load_net(const std::filesystem::path& file);

}  // namespace pliant::track
