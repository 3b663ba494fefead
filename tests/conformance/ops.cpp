#include <pliant/tests/conformance/ops.h>

#include <map>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/pool2d.h>

namespace pliant::conformance {

OpFunction find_op(const std::string& name) {
  static const std::map<std::string, OpFunction> ops = {
      {"adagrad", run_adagrad},
      {"adam", run_adam},
      {"adamw", run_adamw},
      {"adaptive_avg_pool2d", run_adaptive_avg_pool2d},
      {"add", binary<add>},
      {"avg_pool2d", run_avg_pool2d},
      {"batch_norm2d", run_batch_norm2d},
      {"concat", run_concat},
      {"cond_conv2d", run_cond_conv2d},
      {"conv2d", run_conv2d},
      {"conv_transpose2d", run_conv_transpose2d},
      {"cosine_annealing_lr", run_cosine_annealing_lr},
      {"cross_correlation_depthwise", run_cross_correlation_depthwise},
      {"dcn_v3", run_dcn_v3},
      {"dcn_v4", run_dcn_v4},
      {"deform_conv2d", run_deform_conv2d},
      {"deform_kernel", run_deform_kernel},
      {"deform_kernel_conv", run_deform_kernel_conv},
      {"deform_roi_pool", run_deform_roi_pool},
      {"div", binary<div>},
      {"embedding", run_embedding},
      {"exp", unary<exp>},
      {"exponential_lr", run_exponential_lr},
      {"gelu", unary<gelu>},
      {"global_avg_pool2d", unary<global_avg_pool2d>},
      {"global_deform_kernel", run_global_deform_kernel},
      {"grid_sample", run_grid_sample},
      {"group_norm", run_group_norm},
      {"layer_norm", run_layer_norm},
      {"leaky_relu", run_leaky_relu},
      {"linear", run_linear},
      {"linear_warmup", run_linear_warmup},
      {"log", unary<log>},
      {"log_softmax", run_log_softmax},
      {"map_offsets", run_map_offsets},
      {"matmul", binary<matmul>},
      {"max", run_max},
      {"max_pool2d", run_max_pool2d},
      {"mean", run_mean},
      {"modulated_deform_roi_pool", run_modulated_deform_roi_pool},
      {"mse_loss", run_mse_loss},
      {"mul", binary<mul>},
      {"multi_step_lr", run_multi_step_lr},
      {"one_cycle_lr", run_one_cycle_lr},
      {"pad", run_pad},
      {"permute", run_permute},
      {"pow", run_pow},
      {"ps_roi_align", run_ps_roi_align},
      {"ps_roi_pool", run_ps_roi_pool},
      {"relu", unary<relu>},
      {"reshape", run_reshape},
      {"rmsprop", run_rmsprop},
      {"roi_align", run_roi_align},
      {"roi_pool", run_roi_pool},
      {"sgd", run_sgd},
      {"sigmoid", unary<sigmoid>},
      {"slice", run_slice},
      {"softmax", run_softmax},
      {"softmax_cross_entropy", run_softmax_cross_entropy},
      {"sqrt", unary<sqrt>},
      {"step_lr", run_step_lr},
      {"sub", binary<sub>},
      {"sum", run_sum},
      {"tanh", unary<tanh>},
      {"upsample_bilinear2d", run_upsample_bilinear2d},
      {"upsample_nearest2d", run_upsample_nearest2d},
  };
  const auto found = ops.find(name);
  return found == ops.end() ? nullptr : found->second;
}

}  // namespace pliant::conformance
