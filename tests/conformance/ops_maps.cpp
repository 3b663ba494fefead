// Ops on feature maps [N H W C].
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/nets/torchvision.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

Border border_of(Call& call) {
  const std::string name = call.text("boundary");
  if (name == "dcn_v1") return Border::dcn_v1;
  call.require_text("boundary", "zero_pad");
  return Border::zeros;
}

Rounding rounding_of(Call& call) { return call.flag("ceil_mode") ? Rounding::up : Rounding::down; }

Border grid_border_of(Call& call) {
  const std::string name = call.text("padding_mode");
  if (name == "border") return Border::clamp;
  if (name == "reflection") return Border::reflection;
  call.require_text("padding_mode", "zeros");
  return Border::zeros;
}

ConvTransposeOptions transpose_options(Call& call) {
  return {.stride = call.pair("stride"),
          .padding = call.padding("padding"),
          .output_padding = call.pair("output_padding"),
          .dilation = call.pair("dilation"),
          .groups = call.integer("groups")};
}

void run_conv2d(Call& call) {
  call.output("y",
              conv2d(call.variable("x"), call.variable("weight"), call.optional_variable("bias"),
                     {.stride = call.pair("stride"),
                      .padding = call.padding("padding"),
                      .dilation = call.pair("dilation"),
                      .groups = call.integer("groups")}));
}

void run_conv_transpose2d(Call& call) {
  call.output("y", conv_transpose2d(call.variable("x"), call.variable("weight"),
                                    call.optional_variable("bias"), transpose_options(call)));
}

void run_conv_transpose2d_pytorch(Call& call) {
  const ConvTransposeOptions options = transpose_options(call);
  const State state = from_torchvision({{"weight", call.constant("weight")}}, {},
                                       {{.weight = "weight", .groups = options.groups}});
  call.output("y", conv_transpose2d(call.variable("x"), state[0].second,
                                    call.optional_variable("bias"), options));
}

void run_cross_correlation_depthwise(Call& call) {
  call.output("y", cross_correlation_depthwise(call.variable("search"), call.variable("template")));
}

void run_deform_conv2d(Call& call) {
  call.output("y",
              deform_conv2d(call.variable("x"), call.variable("offset"), call.variable("weight"),
                            call.optional_variable("bias"), call.optional_variable("mask"),
                            {.stride = call.pair("stride"),
                             .padding = call.padding("padding"),
                             .dilation = call.pair("dilation"),
                             .groups = call.integer("groups"),
                             .offset_groups = call.integer("offset_groups"),
                             .border = border_of(call)}));
}

void run_map_offsets(Call& call) {
  call.output("y", map_offsets(call.variable("x"), call.variable("offset")));
}

void run_batch_norm2d(Call& call) {
  const Var x = call.variable("x"), weight = call.variable("weight"), bias = call.variable("bias");
  const Tensor mean = call.constant("running_mean"), var = call.constant("running_var");
  const double eps = call.real("eps"), momentum = call.real("momentum");
  if (!call.flag("training")) {
    call.output("y", batch_norm2d(x, weight, bias, mean, var, {.eps = eps}));
    return;
  }
  const BatchStatistics result = batch_norm2d_training(x, weight, bias, mean, var, {eps, momentum});
  call.output("y", result.y);
  call.output("running_mean", result.running_mean);
  call.output("running_var", result.running_var);
}

void run_group_norm(Call& call) {
  const Var x = call.variable("x"), weight = call.variable("weight"), bias = call.variable("bias");
  call.output("y", group_norm(x, call.integer("groups"), weight, bias, {.eps = call.real("eps")}));
}

void run_max_pool2d(Call& call) {
  call.output("y", max_pool2d(call.variable("x"), {.kernel = call.pair("kernel"),
                                                   .stride = call.pair("stride"),
                                                   .padding = call.padding("padding"),
                                                   .dilation = call.pair("dilation"),
                                                   .rounding = rounding_of(call)}));
}

void run_adaptive_avg_pool2d(Call& call) {
  call.output("y", adaptive_avg_pool2d(call.variable("x"), call.pair("output_size")));
}

void run_grid_sample(Call& call) {
  const bool nearest = call.text("mode") == "nearest";
  if (!nearest) call.require_text("mode", "bilinear");
  call.output(
      "y", grid_sample(call.variable("x"), call.variable("grid"),
                       {.rule = nearest ? GridRule::nearest : GridRule::bilinear,
                        .border = grid_border_of(call),
                        .span = call.flag("align_corners") ? GridSpan::centres : GridSpan::edges}));
}

void run_upsample_bilinear2d(Call& call) {
  call.output("y", upsample2d(call.variable("x"), {.size = call.pair("size"),
                                                   .mode = UpsampleMode::bilinear,
                                                   .align_corners = call.flag("align_corners")}));
}

void run_upsample_nearest2d(Call& call) {
  call.output("y", upsample2d(call.variable("x"), {.size = call.pair("size")}));
}

void run_upsample_scale(Call& call) {
  const bool bilinear = call.text("mode") == "bilinear";
  if (!bilinear) call.require_text("mode", "nearest");
  const std::vector<double> scale = call.reals("scale");
  require(scale.size() == 2, "attribute scale is \"", call.text("scale"), "\", expected h,w");
  call.output("y", upsample2d(call.variable("x"),
                              {.scale = {scale[0], scale[1]},
                               .mode = bilinear ? UpsampleMode::bilinear : UpsampleMode::nearest,
                               .align_corners = call.flag("align_corners")}));
}

void run_avg_pool2d(Call& call) {
  call.output("y",
              avg_pool2d(call.variable("x"), {.kernel = call.pair("kernel"),
                                              .stride = call.pair("stride"),
                                              .padding = call.padding("padding"),
                                              .count_include_pad = call.flag("count_include_pad"),
                                              .rounding = rounding_of(call)}));
}

}  // namespace

GoldenOps maps_ops() {
  return {
      {"adaptive_avg_pool2d", run_adaptive_avg_pool2d},
      {"avg_pool2d", run_avg_pool2d},
      {"batch_norm2d", run_batch_norm2d},
      {"conv2d", run_conv2d},
      {"conv_transpose2d", run_conv_transpose2d},
      {"conv_transpose2d_pytorch", run_conv_transpose2d_pytorch},
      {"cross_correlation_depthwise", run_cross_correlation_depthwise},
      {"deform_conv2d", run_deform_conv2d},
      {"global_avg_pool2d", unary<global_avg_pool2d>},
      {"grid_sample", run_grid_sample},
      {"group_norm", run_group_norm},
      {"map_offsets", run_map_offsets},
      {"max_pool2d", run_max_pool2d},
      {"upsample_bilinear2d", run_upsample_bilinear2d},
      {"upsample_nearest2d", run_upsample_nearest2d},
      {"upsample_scale", run_upsample_scale},
  };
}

}  // namespace pliant::conformance
