// The layers through which a page shows where a deformable net reads.
#pragma once

#include <cstddef>
#include <vector>

#include <pliant/layers/sampling.h>

namespace pliant::kit {

inline bool deforms(const LayerSampling& layer) { return layer.offsets.defined(); }

// Of samplings_of(): the last deformable layer, last, and those below it that read what the one
// before gives, on the straight way through the net (a shortcut's layers do not), `most` in all;
// empty where no layer deforms.
std::vector<LayerSampling> last_deformable_chain(const std::vector<LayerSampling>& layers,
                                                 std::size_t most);

}  // namespace pliant::kit
