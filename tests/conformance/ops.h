// The operators that golden cases can ask for. To add one: a function that takes attributes and
// inputs from the Call, calls the public op and gives the outputs back, and a line in the list at
// the end of its file.
#pragma once

#include <string>
#include <vector>

#include <pliant/tests/conformance/call.h>

namespace pliant::conformance {

using OpFunction = void (*)(Call& call);

struct GoldenOp {
  const char* name;
  OpFunction run;
};
using GoldenOps = std::vector<GoldenOp>;

// The function of that op, or nullptr if it is not there yet.
OpFunction find_op(const std::string& name);

// Those of ops_elementwise.cpp and so on.
GoldenOps elementwise_ops();
GoldenOps family_ops();
GoldenOps ints_ops();
GoldenOps losses_train_ops();
GoldenOps maps_ops();
GoldenOps nets_ops();
GoldenOps reduce_ops();
GoldenOps regions_ops();
GoldenOps shape_ops();
GoldenOps tensor_ops();
GoldenOps train_ops();

// Most ops map x to y, or a and b to y.
template <Var (*op)(const Var&)>
void unary(Call& call) {
  call.output("y", op(call.variable("x")));
}

template <Var (*op)(const Var&, const Var&)>
void binary(Call& call) {
  call.output("y", op(call.variable("a"), call.variable("b")));
}

// Comparisons: 0 or 1, without a gradient.
template <Tensor (*op)(const Var&, const Var&)>
void comparison(Call& call) {
  call.output("y", op(call.variable("a"), call.variable("b")));
}

}  // namespace pliant::conformance
