// Dropout (Srivastava et al. 2014) by a key.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// Each element of x becomes 0 with probability `rate`, in [0, 1], and else x / (1 - rate), so that
// the expected value stays. Element i is dropped by number i of `key` alone (Rng::bits): the same
// key gives the same mask for the same i on every device, thread count and dtype, and nothing is
// kept for the gradient, which draws the mask again. With a state the key is forked by its number,
// which the kernel reads: a captured step has to drop other elements in each replay, and without
// one it is an Error. On a tape that sees a part of a batch x has the elements from the part's first
// image on. For use in a net see layers/dropout.h.
Var dropout(const Var& x, double rate, const Rng& key, const StepState& state = {});

}  // namespace pliant
