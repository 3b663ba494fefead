// Ops that move elements about.
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

// x0, x1, ...
Vars operands(Call& call) {
  Vars xs = {call.variable("x0")};
  while (true) {
    const Var x = call.optional_variable("x" + std::to_string(xs.size()));
    if (!x.defined()) return xs;
    xs.push_back(x);
  }
}

int axis_of(Call& call) { return static_cast<int>(call.integer("axis")); }

void run_concat(Call& call) { call.output("y", concat(operands(call), axis_of(call))); }
void run_stack(Call& call) { call.output("y", stack(operands(call), axis_of(call))); }

void run_gather(Call& call) {
  call.output("y", gather(call.variable("x"), axis_of(call), call.indices("index")));
}

void run_scatter_add(Call& call) {
  call.output("x", scatter_add(call.variable("y"), axis_of(call), call.indices("index"),
                               call.integer("extent")));
}

void run_slice(Call& call) {
  call.output("y", slice(call.variable("x"), call.integers("start"), call.integers("stop"),
                         call.integers("step")));
}

void run_pad(Call& call) {
  call.output("y", pad(call.variable("x"), call.integers("before"), call.integers("after"),
                       call.real("value")));
}

void run_embedding(Call& call) {
  call.output("y", embedding(call.variable("weight"), call.indices("indices")));
}

}  // namespace

GoldenOps shape_ops() {
  return {
      {"concat", run_concat}, {"embedding", run_embedding},     {"gather", run_gather},
      {"pad", run_pad},       {"scatter_add", run_scatter_add}, {"slice", run_slice},
      {"stack", run_stack},
  };
}

}  // namespace pliant::conformance
