// Trainings that begin from a file, and branches that learn more slowly than the rest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/layers/module.h>
#include <pliant/layers/nets/torchvision.h>

namespace pliant::kit {

// Fills what fits from a file: of the same net's, or of PyTorch's by torchvision's names, which here
// stand under `prefix` ("trunk."). Gives a line for people that says what was taken and what kept
// its first values (another head, branches that deform); nothing taken is an Error.
std::string start_from(const std::filesystem::path& file, Module& net,
                       const std::string& prefix = "",
                       const std::vector<FlattenedMap>& flattened = {});

// Branches that bend (offsets, masks and what they read from) learn at `factor` times the rate that
// they have, which is that of their layer.
void slow_branches(Module& net, double factor);

}  // namespace pliant::kit
