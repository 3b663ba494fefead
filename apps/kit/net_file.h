// Nets in files that say themselves how they are made, and presets by name.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/core/nearest.h>
#include <pliant/layers/safetensors.h>

namespace pliant::kit {

// What `make` makes of a file of `program`: of the recipe that its metadata hold under the program's
// name, and of its tensors. Errors name the file.
template <class Make>
auto load_net(const std::filesystem::path& file, const char* program, Make&& make) {
  const SafetensorsFile read = read_safetensors(file);
  const auto found = read.metadata.find(program);
  require(found != read.metadata.end(), file.string(),
          ": does not say which net it is of; expected a file of ", program);
  return naming(file,
                [&] { return make(parse_json(found->second, "its metadata"), read.tensors); });
}

// Of things that have a name.
template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& each : all) names.emplace_back(each.name);
  return names;
}
// The one of that name; an Error with the nearest where there is none, which says `what` they are.
template <class Named>
const Named& named(const char* what, const std::string& name, const std::vector<Named>& all) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Named& each) { return each.name == name; });
  require(found != all.end(), "there is no ", what, " '", name, "'; did you mean ",
          nearest_name(name, names_of(all)), '?');
  return *found;
}

}  // namespace pliant::kit
