// Cross-correlation of each image with templates of its own.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// search [N H W C], pattern [N R S C] -> [N H-R+1 W-S+1 C]: channel by channel, the response of an
// image's search map to its pattern at every place where the pattern fits; no padding, no flip.
// Both are differentiable. What trackers compare two embeddings with (SiamRPN++, Li et al. 2019).
Var cross_correlation_depthwise(const Var& search, const Var& pattern);

// search [N H W C], patterns [N R S K*C] -> [N H-R+1 W-S+1 K]: the response to each of K patterns of
// C channels, pattern by pattern in the last axis. (the up-channel correlation of SiamRPN, Li 2018)
Var cross_correlation(const Var& search, const Var& patterns);

}  // namespace pliant
