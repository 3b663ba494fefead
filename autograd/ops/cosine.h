// The cosine of the angle between vectors, and a loss of it.
#pragma once

#include <pliant/autograd/ops/loss_reduction.h>

namespace pliant {

// sum(a b) / (max(|a|, eps) max(|b|, eps)) along `axis` (negative ones count from the end), which
// goes; the others broadcast as in NumPy. Of a vector 0 the cosine is 0, and of one shorter than eps
// the length has no gradient (in PyTorch it has). eps above 0; squares must
// fit the dtype: of float32 the lengths are below 1.8e19. (torch.nn.functional.cosine_similarity)
Var cosine_similarity(const Var& a, const Var& b, int axis = -1, double eps = 1e-8);

// Rows of a and b [N D], or [D] and one label, which is 1 of a pair that belongs together and -1 of
// one that does not, in their dtype: 1 - cosine of the first, max(0, cosine - margin) of the
// others. margin in [-1, 1]. Reduction none: [N]. On the CPU any other label is an Error.
// (torch.nn.functional.cosine_embedding_loss)
Var cosine_embedding_loss(const Var& a, const Var& b, const Tensor& labels, double margin = 0,
                          LossReduction reduction = LossReduction::mean);

}  // namespace pliant
