// Ops on regions of interest of feature maps.
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

RoIPoolOptions pool_options(Call& call) {
  return {.output_size = call.pair("output_size"), .spatial_scale = call.real("spatial_scale")};
}

void deformable(Call& call, const Var& mask) {
  const Var x = call.variable("x"), trans = call.optional_variable("trans");
  require(call.flag("no_trans") != trans.defined(), "no_trans is ", call.text("no_trans"),
          ", but trans is ", trans.defined() ? "" : "not ", "given");
  call.output("y", deform_roi_pool(x, call.constant("rois"), trans, mask,
                                   {.spatial_scale = call.real("spatial_scale"),
                                    .output_dim = call.integer("output_dim"),
                                    .group_size = call.integer("group_size"),
                                    .pooled_size = call.integer("pooled_size"),
                                    .part_size = call.integer("part_size"),
                                    .sample_per_part = call.integer("sample_per_part"),
                                    .trans_std = call.real("trans_std")}));
}

void run_roi_align(Call& call) {
  call.output("y", roi_align(call.variable("x"), call.constant("rois"),
                             {.output_size = call.pair("output_size"),
                              .spatial_scale = call.real("spatial_scale"),
                              .sampling_ratio = call.integer("sampling_ratio"),
                              .aligned = call.flag("aligned")}));
}

void run_ps_roi_align(Call& call) {
  call.output("y", ps_roi_align(call.variable("x"), call.constant("rois"),
                                {.output_size = call.pair("output_size"),
                                 .spatial_scale = call.real("spatial_scale"),
                                 .sampling_ratio = call.integer("sampling_ratio")}));
}

void run_roi_pool(Call& call) {
  call.output("y", roi_pool(call.variable("x"), call.constant("rois"), pool_options(call)));
}

void run_ps_roi_pool(Call& call) {
  call.output("y", ps_roi_pool(call.variable("x"), call.constant("rois"), pool_options(call)));
}

void run_deform_roi_pool(Call& call) { deformable(call, {}); }

void run_modulated_deform_roi_pool(Call& call) { deformable(call, call.variable("mask")); }

}  // namespace

GoldenOps regions_ops() {
  return {
      {"deform_roi_pool", run_deform_roi_pool},
      {"modulated_deform_roi_pool", run_modulated_deform_roi_pool},
      {"ps_roi_align", run_ps_roi_align},
      {"ps_roi_pool", run_ps_roi_pool},
      {"roi_align", run_roi_align},
      {"roi_pool", run_roi_pool},
  };
}

}  // namespace pliant::conformance
