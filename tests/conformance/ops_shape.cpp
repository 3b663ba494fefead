// Ops that move elements about.
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

void run_concat(Call& call) {
  Vars xs;
  while (true) {
    const std::string name = "x" + std::to_string(xs.size());
    const Var x = xs.empty() ? call.variable(name) : call.optional_variable(name);
    if (!x.defined()) break;
    xs.push_back(x);
  }
  call.output("y", concat(xs, static_cast<int>(call.integer("axis"))));
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

}  // namespace pliant::conformance
