// The rest of the deformable family, and what its layers are made of.
#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

DCNOptions dcn_options(Call& call, MaskRule mask) {
  return {.kernel = call.pair("kernel"),
          .stride = call.pair("stride"),
          .padding = call.padding("padding"),
          .dilation = call.pair("dilation"),
          .groups = call.integer("groups"),
          .offset_scale = call.real("offset_scale"),
          .center = call.flag("remove_center") ? CenterTap::remove : CenterTap::keep,
          .mask = mask};
}

DeformKernelOptions deform_kernel_options(Call& call) {
  return {.kernel = call.pair("kernel"),
          .stride = call.pair("stride"),
          .padding = call.padding("padding"),
          .dilation = call.pair("dilation"),
          .groups = call.integer("groups"),
          .rotation_groups = call.integer("rotation_groups")};
}

ConvOptions conv_options(Call& call) {
  return {.stride = call.pair("stride"),
          .padding = call.padding("padding"),
          .dilation = call.pair("dilation"),
          .groups = call.integer("groups")};
}

void run_layer_norm(Call& call) {
  call.output("y", layer_norm(call.variable("x"), call.variable("weight"), call.variable("bias"),
                              {.eps = call.real("eps")}));
}

void run_deform_kernel(Call& call) {
  call.output("y",
              deform_kernel(call.variable("x"), call.variable("rotation"), call.variable("weight"),
                            call.optional_variable("bias"), deform_kernel_options(call)));
}

void run_deform_kernel_conv(Call& call) {
  call.output("y", deform_kernel_conv(call.variable("x"), call.variable("offset"),
                                      call.variable("rotation"), call.variable("weight"),
                                      call.optional_variable("bias"), deform_kernel_options(call)));
}

void run_global_deform_kernel(Call& call) {
  call.output("y", global_deform_kernel(call.variable("x"), call.variable("offset"),
                                        call.variable("weight"), call.pair("kernel"),
                                        call.optional_variable("bias"), conv_options(call)));
}

void run_cond_conv2d(Call& call) {
  call.output("y",
              cond_conv2d(call.variable("x"), call.variable("weight"), call.variable("routing"),
                          call.optional_variable("bias"), conv_options(call)));
}

void run_dcn_v3(Call& call) {
  const DCNOptions options = dcn_options(call, MaskRule::as_given);
  call.output("y",
              dcn_v3(call.variable("x"), call.variable("offset"), call.variable("mask"), options));
}

void run_dcn_v4(Call& call) {
  const MaskRule mask = call.flag("softmax") ? MaskRule::softmax : MaskRule::as_given;
  call.output("y",
              dcn_v4(call.variable("x"), call.variable("offset_mask"), dcn_options(call, mask)));
}

}  // namespace

GoldenOps family_ops() {
  return {
      {"cond_conv2d", run_cond_conv2d},
      {"dcn_v3", run_dcn_v3},
      {"dcn_v4", run_dcn_v4},
      {"deform_kernel", run_deform_kernel},
      {"deform_kernel_conv", run_deform_kernel_conv},
      {"global_deform_kernel", run_global_deform_kernel},
      {"layer_norm", run_layer_norm},
  };
}

}  // namespace pliant::conformance
