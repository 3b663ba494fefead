// BatchNorm1d: batch normalisation of vectors and sequences.
#pragma once

#include <pliant/layers/batch_norm2d.h>

namespace pliant {

using BatchNorm1dOptions = BatchNorm2dOptions;

// [N C], or [N L C] with the channels last (PyTorch's is [N C L]) -> the same: BatchNorm2d over
// these shapes alone, with its parameters, buffers and rules.
class BatchNorm1d : public BatchNorm2d {
 public:
  explicit BatchNorm1d(std::int64_t channels, BatchNorm1dOptions options = {});

  Var operator()(const Var& x) const;
};

}  // namespace pliant
