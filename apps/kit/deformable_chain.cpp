#include <pliant/apps/kit/deformable_chain.h>

#include <algorithm>

namespace pliant::kit {

std::vector<LayerSampling> last_deformable_chain(const std::vector<LayerSampling>& layers,
                                                 std::size_t most) {
  const auto last = std::find_if(layers.rbegin(), layers.rend(), deforms);
  if (last == layers.rend()) return {};
  std::vector<LayerSampling> chain = {*last};
  for (auto below = std::next(last); below != layers.rend() && chain.size() < most; ++below)
    if (below->name.find("downsample") == std::string::npos && below->output == chain.front().input)
      chain.insert(chain.begin(), *below);
  return chain;
}

}  // namespace pliant::kit
