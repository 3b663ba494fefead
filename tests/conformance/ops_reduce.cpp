// Sums, means, variances, extremes and running sums.
#include <numeric>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

using Reduce = Var (*)(const Var&, const std::vector<int>&, KeepDim);
using Find = Tensor (*)(const Var&, int, KeepDim);

std::vector<int> every_axis(const Var& x) {
  std::vector<int> axes(static_cast<std::size_t>(x.shape().rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Attribute `keep` or `keepdim`, as older cases call it.
KeepDim keep_of(Call& call) {
  return call.flag(call.has("keep") ? "keep" : "keepdim") ? KeepDim::yes : KeepDim::no;
}

void run_reduction(Call& call, Reduce reduce) {
  const std::vector<int> axes = call.axes("axes");
  call.output("y", reduce(call.variable("x"), axes, keep_of(call)));
}

// Along one axis, or, without attribute `axes`, among all elements.
void run_search(Call& call, Find along, Tensor (*among_all)(const Var&)) {
  const Var x = call.variable("x");
  if (!call.has("axes")) {
    call.output("y", among_all(x));
    return;
  }
  const std::vector<int> axes = call.axes("axes");
  require(axes.size() == 1, "attribute axes is \"", call.text("axes"), "\", expected one axis");
  call.output("y", along(x, axes[0], keep_of(call)));
}

void run_sum(Call& call) { run_reduction(call, sum); }
void run_mean(Call& call) { run_reduction(call, mean); }
void run_max(Call& call) { run_reduction(call, max); }
void run_min(Call& call) { run_reduction(call, min); }

void run_argmax(Call& call) { run_search(call, argmax, argmax); }
void run_argmin(Call& call) { run_search(call, argmin, argmin); }

void run_variance(Call& call) {
  const Var x = call.variable("x");
  const double correction = call.has("correction") ? call.real("correction") : 1.0;
  call.output("y",
              variance(x, call.axes("axes"), {.correction = correction, .keep = keep_of(call)}));
}

// Over n - 1.
void run_var_all(Call& call) {
  const Var x = call.variable("x");
  call.output("y", variance(x, every_axis(x)));
}

void run_cumsum(Call& call) {
  call.output("y", cumsum(call.variable("x"), static_cast<int>(call.integer("axis"))));
}

void run_sum_to(Call& call) { call.output("y", sum_to(call.variable("x"), call.shape("shape"))); }

}  // namespace

GoldenOps reduce_ops() {
  return {
      {"argmax", run_argmax},     {"argmin", run_argmin}, {"cumsum", run_cumsum},
      {"max", run_max},           {"mean", run_mean},     {"min", run_min},
      {"sum", run_sum},           {"sum_to", run_sum_to}, {"var_all", run_var_all},
      {"variance", run_variance},
  };
}

}  // namespace pliant::conformance
