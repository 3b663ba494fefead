// The nets of pliant-train: by name, or from a JSON file of layers; and what a file of one says.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <pliant/apps/kit/classifier.h>

namespace pliant::train {

// All that it takes to make a net again and to give it images.
struct NetRecipe {
  std::string net = "resnet9";       // a name, or the path of a JSON file
  std::string layers = {};           // what that file says
  std::string deformable = "none";   // stages whose convolutions deform ("3,4")
  std::vector<std::string> classes;  // names, by label
  std::int64_t size = 32;            // side of the images that the net is trained on
  std::int64_t channels = 3;
  std::array<double, 3> mean = {0.485, 0.456, 0.406}, deviation = {0.229, 0.224, 0.225};

  std::string title() const;  // "resnet18, stages 3,4 deformable"
};

const std::vector<std::string>& net_names();

// Reads the JSON file that recipe.net names, if it is none of net_names(), into recipe.layers. What
// is neither is an Error with the nearest name.
void complete(NetRecipe& recipe);

// The net, whose parameters are empty. Nets for images of 224 x 224 begin without their reductions
// where the size is below 96.
std::unique_ptr<kit::Classifier> make_net(const NetRecipe& recipe);

// As a file from which load_net makes it again.
void save_net(const std::filesystem::path& file, kit::Classifier& net, const NetRecipe& recipe,
              const std::map<std::string, std::string>& more = {});

struct LoadedNet {
  std::unique_ptr<kit::Classifier> net;
  NetRecipe recipe;
};
LoadedNet load_net(const std::filesystem::path& file);

}  // namespace pliant::train
