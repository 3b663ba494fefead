// The operators that golden cases can ask for. To add one: a function that takes attributes and
// inputs from the Call, calls the public op and gives the outputs back, and an entry in ops.cpp.
#pragma once

#include <string>

#include <pliant/tests/conformance/call.h>

namespace pliant::conformance {

using OpFunction = void (*)(Call& call);

// The function of that op, or nullptr if it is not there yet.
OpFunction find_op(const std::string& name);

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

// ops_reduce.cpp
void run_sum(Call& call);
void run_mean(Call& call);
void run_max(Call& call);
void run_min(Call& call);
void run_variance(Call& call);
void run_var_all(Call& call);
void run_argmax(Call& call);
void run_argmin(Call& call);
void run_cumsum(Call& call);
void run_sum_to(Call& call);

// ops_tensor.cpp
void run_broadcast_to(Call& call);
void run_flip(Call& call);
void run_reshape(Call& call);
void run_permute(Call& call);
void run_linear(Call& call);
void run_softmax_cross_entropy(Call& call);

// ops_elementwise.cpp
void run_leaky_relu(Call& call);
void run_pow(Call& call);
void run_softmax(Call& call);
void run_log_softmax(Call& call);
void run_clamp(Call& call);
void run_where(Call& call);
void run_mse_loss(Call& call);
void run_l1_loss(Call& call);
void run_smooth_l1_loss(Call& call);
void run_binary_cross_entropy_with_logits(Call& call);

// ops_shape.cpp
void run_concat(Call& call);
void run_slice(Call& call);
void run_pad(Call& call);
void run_embedding(Call& call);
void run_stack(Call& call);
void run_gather(Call& call);
void run_scatter_add(Call& call);

// ops_maps.cpp
void run_conv2d(Call& call);
void run_conv_transpose2d(Call& call);
void run_conv_transpose2d_pytorch(Call& call);  // the weight in the order of PyTorch's files
void run_cross_correlation_depthwise(Call& call);
void run_deform_conv2d(Call& call);
void run_map_offsets(Call& call);
void run_batch_norm2d(Call& call);
void run_group_norm(Call& call);
void run_max_pool2d(Call& call);
void run_avg_pool2d(Call& call);
void run_adaptive_avg_pool2d(Call& call);
void run_grid_sample(Call& call);
void run_upsample_bilinear2d(Call& call);
void run_upsample_nearest2d(Call& call);
void run_upsample_scale(Call& call);

// ops_regions.cpp
void run_roi_align(Call& call);
void run_ps_roi_align(Call& call);
void run_roi_pool(Call& call);
void run_ps_roi_pool(Call& call);
void run_deform_roi_pool(Call& call);
void run_modulated_deform_roi_pool(Call& call);

// ops_family.cpp
void run_layer_norm(Call& call);
void run_deform_kernel(Call& call);
void run_deform_kernel_conv(Call& call);
void run_global_deform_kernel(Call& call);
void run_cond_conv2d(Call& call);
void run_dcn_v3(Call& call);
void run_dcn_v4(Call& call);

// ops_ints.cpp
void run_integer_floor_divide(Call& call);
void run_integer_remainder(Call& call);
void run_floor_divide(Call& call);
void run_sort(Call& call);
void run_topk(Call& call);
void run_max_with_indices(Call& call);
void run_min_with_indices(Call& call);
void run_nonzero(Call& call);
void run_masked_select(Call& call);
void run_masked_fill(Call& call);
void run_scatter(Call& call);
void run_index_copy(Call& call);
void run_index_add(Call& call);
void run_norm(Call& call);
void run_clamp_tensors(Call& call);
void run_pad_mode(Call& call);
void run_adaptive_max_pool2d(Call& call);
void run_resize(Call& call);

// ops_train.cpp
void run_sgd(Call& call);
void run_adam(Call& call);
void run_adamw(Call& call);
void run_rmsprop(Call& call);
void run_adagrad(Call& call);
void run_step_lr(Call& call);
void run_multi_step_lr(Call& call);
void run_exponential_lr(Call& call);
void run_linear_warmup(Call& call);
void run_cosine_annealing_lr(Call& call);
void run_one_cycle_lr(Call& call);

// ops_losses_train.cpp
void run_softmax_cross_entropy_probabilities(Call& call);
void run_binary_cross_entropy_weights(Call& call);
void run_nll_loss(Call& call);
void run_kl_div(Call& call);
void run_huber_loss(Call& call);
void run_sigmoid_focal_loss(Call& call);
void run_generalized_box_iou_loss(Call& call);
void run_cosine_similarity(Call& call);
void run_cosine_embedding_loss(Call& call);
void run_nadam(Call& call);
void run_muon(Call& call);
void run_polynomial_lr(Call& call);
void run_cosine_warm_restarts_lr(Call& call);
void run_linear_lr(Call& call);
void run_reduce_on_plateau(Call& call);

}  // namespace pliant::conformance
