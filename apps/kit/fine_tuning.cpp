#include <pliant/apps/kit/fine_tuning.h>

#include <algorithm>
#include <iterator>

#include <pliant/core/error.h>
#include <pliant/layers/safetensors.h>

namespace pliant::kit {

std::string start_from(const std::filesystem::path& file, Module& net, const std::string& prefix,
                       const std::vector<FlattenedMap>& flattened) {
  const SafetensorsFile read = read_safetensors(file);
  const bool ours = read.metadata.contains("layout");
  State there = ours ? read.tensors : from_torchvision(read.tensors, flattened);
  if (!ours)
    for (auto& [path, tensor] : there) path.insert(0, prefix);
  State state = net.state();
  std::size_t taken = 0;
  std::string kept;
  for (auto& [path, tensor] : state) {
    const auto same = std::find_if(there.begin(), there.end(),
                                   [&path = path](const auto& each) { return each.first == path; });
    if (same != there.end() && same->second.shape() == tensor.shape()) {
      tensor = same->second;
      ++taken;
    } else {
      kept += (kept.empty() ? "" : ", ") + path;
    }
  }
  require(taken > 0, file.string(), ": has nothing that fits this net; its first tensor is ",
          there.empty() ? "missing" : printable(there.front().first, 80));
  net.load(state);
  return text_from(taken, " of ", state.size(), " tensors from ", printable(file.string()),
                   kept.empty() ? "" : "; first values keep " + std::string(cut_to(kept, 300)));
}

void slow_branches(Module& net, double factor) {
  constexpr const char* kBranches[] = {".offset.", ".mask.", ".offset_mask.", ".rotation.",
                                       ".context."};
  for (Parameter& parameter : net.parameters())
    if (std::any_of(std::begin(kBranches), std::end(kBranches), [&](const char* branch) {
          return parameter.name().find(branch) != std::string::npos;
        }))
      parameter.set_lr_factor(factor * parameter.lr_factor());
}

}  // namespace pliant::kit
