// Integers, order, choice by masks and indices, norms, padding by modes, wider resizing.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/norm.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/select.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

int axis_of(Call& call) { return static_cast<int>(call.integer("axis")); }

SortOrder order_of(Call& call) {
  return call.flag("descending") ? SortOrder::descending : SortOrder::ascending;
}

void output(Call& call, const ValuesAndIndices& both) {
  call.output("values", both.values);
  call.output("indices", both.indices);
}

template <class Op>
void integer_pair(Call& call, Op op) {
  call.output("y", op(call.indices("a"), call.indices("b")));
}

PadMode mode_of(Call& call) {
  if (call.text("mode") == "reflect") return PadMode::reflect;
  if (call.text("mode") == "replicate") return PadMode::replicate;
  call.require_text("mode", "circular");
  return PadMode::circular;
}

UpsampleMode upsample_mode_of(Call& call) {
  if (call.text("mode") == "bicubic") return UpsampleMode::bicubic;
  if (call.text("mode") == "bilinear") return UpsampleMode::bilinear;
  call.require_text("mode", "nearest-exact");
  return UpsampleMode::nearest_exact;
}

void run_integer_floor_divide(Call& call) {
  integer_pair(call, [](const Var& a, const Var& b) { return floor_divide(a, b); });
}
void run_integer_remainder(Call& call) {
  integer_pair(call, [](const Var& a, const Var& b) { return remainder(a, b); });
}
void run_floor_divide(Call& call) {
  call.output("y", floor_divide(call.variable("a"), call.variable("b")));
}

void run_sort(Call& call) { output(call, sort(call.variable("x"), axis_of(call), order_of(call))); }
void run_topk(Call& call) {
  output(call, topk(call.variable("x"), call.integer("k"), axis_of(call), order_of(call)));
}
void run_max_with_indices(Call& call) {
  output(call, max_with_indices(call.variable("x"), axis_of(call)));
}
void run_min_with_indices(Call& call) {
  output(call, min_with_indices(call.variable("x"), axis_of(call)));
}

void run_nonzero(Call& call) { call.output("y", nonzero(call.indices("x"))); }
void run_masked_select(Call& call) {
  call.output("y", masked_select(call.variable("x"), call.indices("mask")));
}
void run_masked_fill(Call& call) {
  call.output("y", masked_fill(call.variable("x"), call.indices("mask"), call.real("value")));
}
void run_scatter(Call& call) {
  call.output(
      "z", scatter(call.variable("x"), axis_of(call), call.indices("index"), call.variable("y")));
}
void run_index_copy(Call& call) {
  call.output("z", index_copy(call.variable("x"), axis_of(call), call.indices("indices"),
                              call.variable("y")));
}
void run_index_add(Call& call) {
  call.output("z", index_add(call.variable("x"), axis_of(call), call.indices("indices"),
                             call.variable("y")));
}

void run_norm(Call& call) {
  call.output("y", norm(call.variable("x"), call.axes("axes"), {.p = call.real("p")}));
}
void run_clamp_tensors(Call& call) {
  call.output("y", clamp(call.variable("x"), call.optional_variable("low"),
                         call.optional_variable("high")));
}

void run_pad_mode(Call& call) {
  call.output(
      "y", pad(call.variable("x"), call.integers("before"), call.integers("after"), mode_of(call)));
}
void run_adaptive_max_pool2d(Call& call) {
  call.output("y", adaptive_max_pool2d(call.variable("x"), call.pair("size")));
}
void run_resize(Call& call) {
  UpsampleOptions options{.mode = upsample_mode_of(call),
                          .align_corners = call.flag("align_corners"),
                          .antialias = call.flag("antialias")};
  if (call.has("size")) {
    options.size = call.pair("size");
  } else {
    const std::vector<double> scale = call.reals("scale");
    options.scale = {scale.at(0), scale.at(1)};
  }
  call.output("y", upsample2d(call.variable("x"), options));
}

}  // namespace

GoldenOps ints_ops() {
  return {
      {"adaptive_max_pool2d", run_adaptive_max_pool2d},
      {"clamp_tensors", run_clamp_tensors},
      {"floor_divide", run_floor_divide},
      {"index_add", run_index_add},
      {"index_copy", run_index_copy},
      {"integer_floor_divide", run_integer_floor_divide},
      {"integer_remainder", run_integer_remainder},
      {"masked_fill", run_masked_fill},
      {"masked_select", run_masked_select},
      {"max_with_indices", run_max_with_indices},
      {"min_with_indices", run_min_with_indices},
      {"nonzero", run_nonzero},
      {"norm", run_norm},
      {"pad_mode", run_pad_mode},
      {"resize", run_resize},
      {"scatter", run_scatter},
      {"sort", run_sort},
      {"topk", run_topk},
  };
}

}  // namespace pliant::conformance
