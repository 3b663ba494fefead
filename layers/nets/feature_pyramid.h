// A feature pyramid (Lin 2017): maps of one number of channels from the stages of a trunk.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/layers/sequential.h>

namespace pliant {

// Maps, finest first, the i-th [N H W channels[i]] -> as many [N H W out], and one more, every second
// pixel of the coarsest. A 1x1 convolution "inner_blocks.i.0" of each map is added to the next
// coarser sum, enlarged to its size by nearest neighbours; a 3x3 one "layer_blocks.i.0" gives the
// result. (torchvision's FeaturePyramidNetwork with LastLevelMaxPool)
class FeaturePyramid : public Module {
 public:
  FeaturePyramid(const std::vector<std::int64_t>& channels, std::int64_t out);

  Vars operator()(const Vars& maps) const;

 private:
  ModuleList<Sequential> inner_blocks_, layer_blocks_;
};

}  // namespace pliant
