#include <pliant/layers/embedding.h>

namespace pliant {

Embedding::Embedding(std::int64_t rows, std::int64_t width, const EmbeddingOptions& options) {
  const ErrorOp here("Embedding");
  require(rows >= 1 && width >= 1, "Embedding: a table of ", rows, " rows of ", width, " numbers");
  weight = own("weight", Parameter(Shape{rows, width}),
               options.initialiser ? options.initialiser : init::normal(1));
}

Var Embedding::operator()(const Var& indices) const {
  const ErrorPlace here(path());
  require(indices.defined(), "Embedding: ", path(), ": the indices are undefined");
  return observed("Embedding", embedding(indices.lift(weight), indices.value()));
}

}  // namespace pliant
