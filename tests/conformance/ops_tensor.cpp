// Ops on tensors of any rank.
#include <utility>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

// A list of the file, -1 and all, as the braces that the public reshape takes.
template <std::size_t... index>
Var reshape_to(const Var& x, const std::vector<std::int64_t>& extents,
               std::index_sequence<index...>) {
  return reshape(x, {extents[index]...});
}

template <std::size_t rank = 1>
Var reshape_to(const Var& x, const std::vector<std::int64_t>& extents) {
  if constexpr (rank <= static_cast<std::size_t>(Shape::kMaxRank)) {
    if (extents.size() == rank) return reshape_to(x, extents, std::make_index_sequence<rank>());
    return reshape_to<rank + 1>(x, extents);
  }
  fail("attribute shape has ", extents.size(), " extents, expected 1 to ", Shape::kMaxRank);
}

void run_reshape(Call& call) {
  call.output("y", reshape_to(call.variable("x"), call.integers("shape")));
}

void run_permute(Call& call) { call.output("y", permute(call.variable("x"), call.axes("perm"))); }

void run_broadcast_to(Call& call) {
  call.output("y", broadcast_to(call.variable("x"), call.shape("shape")));
}

void run_flip(Call& call) { call.output("y", flip(call.variable("x"), call.axes("axes"))); }

void run_linear(Call& call) {
  call.output("y",
              linear(call.variable("x"), call.variable("weight"), call.optional_variable("bias")));
}

void run_softmax_cross_entropy(Call& call) {
  const Tensor weights =
      call.has_input("class_weights") ? call.constant("class_weights") : Tensor();
  call.output("loss", softmax_cross_entropy(call.variable("logits"), call.indices("labels"),
                                            {.label_smoothing = call.real("label_smoothing"),
                                             .ignore_index = call.integer("ignore_index"),
                                             .class_weights = weights,
                                             .reduction = call.reduction()}));
}

}  // namespace

GoldenOps tensor_ops() {
  return {
      {"broadcast_to", run_broadcast_to},
      {"flip", run_flip},
      {"linear", run_linear},
      {"matmul", binary<matmul>},
      {"permute", run_permute},
      {"reshape", run_reshape},
      {"softmax_cross_entropy", run_softmax_cross_entropy},
  };
}

}  // namespace pliant::conformance
