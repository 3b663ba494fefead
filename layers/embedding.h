// Embedding: a table of vectors that owns its weight.
#pragma once

#include <pliant/autograd/ops/gather.h>
#include <pliant/layers/module.h>

namespace pliant {

struct EmbeddingOptions {
  Initialiser initialiser = {};  // of the weight; standard normal unless given
};

// Integer indices of any shape [...] in [0, rows) -> [... width], see embedding. To train the table
// the indices must lie on the tape: layer(tape.input(indices)). Parameter: weight [rows width].
class Embedding : public Module {
 public:
  Embedding(std::int64_t rows, std::int64_t width, const EmbeddingOptions& options = {});

  Var operator()(const Var& indices) const;

  Parameter weight;
};

}  // namespace pliant
