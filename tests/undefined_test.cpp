// What is undefined is an Error that says so, and in which function: of Tensor, of every op.
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/cond_conv.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/sequential.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Use {
  std::string who;
  std::function<void()> run;
};

void check_all(const std::vector<Use>& uses) {
  for (const Use& use : uses) {
    const std::string message = error_of(use.run);
    CAPTURE(use.who);
    CAPTURE(message);
    CHECK(message.starts_with(use.who + ": "));
    CHECK((contains(message, " is undefined") || contains(message, " are undefined")));
  }
}

}  // namespace

TEST_CASE("undefined: every member of Tensor and Var that asks for elements or extents") {
  Tensor none;
  const Var var;
  Tensor some = Tensor::zeros({2});
  Parameter p(Shape{2}, "p");
  check_all({{"dim", [&] { none.dim(0); }},
             {"size", [&] { none.size(); }},
             {"shape", [&] { none.shape(); }},
             {"shape", [&] { std::move(none).shape(); }},
             {"rank", [&] { none.rank(); }},
             {"dtype", [&] { none.dtype(); }},
             {"bytes", [&] { none.bytes(); }},
             {"device", [&] { none.device(); }},
             {"data", [&] { none.data<float>(); }},
             {"data", [&] { none.data<double>(); }},
             {"mutable_data", [&] { none.mutable_data<float>(); }},
             {"raw", [&] { none.raw(); }},
             {"mutable_raw", [&] { none.mutable_raw(); }},
             {"span", [&] { none.span<float>(); }},
             {"to_vector", [&] { none.to_vector(); }},
             {"item", [&] { none.item(); }},
             {"reshape", [&] { none.reshape({0}); }},
             {"reshape", [&] { none.reshape({-1}); }},
             {"reshape", [&] { none.reshape(Shape{1}); }},
             {"slice", [&] { none.slice(0, 0); }},
             {"clone", [&] { none.clone(); }},
             {"to", [&] { none.to(DType::float32); }},
             {"to", [&] { none.to(Device::cpu()); }},
             {"copy_from", [&] { none.copy_from(none); }},
             {"copy_from", [&] { none.copy_from(some); }},
             {"copy_from", [&] { some.copy_from(none); }},
             {"fill", [&] { none.fill(1); }},
             {"set", [&] { p.set(none); }},
             {"set", [&] { Parameter(none, "q"); }},
             {"dim", [&] { var.dim(-1); }},
             {"size", [&] { var.size(); }},
             {"shape", [&] { var.shape(); }},
             {"rank", [&] { var.rank(); }},
             {"dtype", [&] { var.dtype(); }},
             {"device", [&] { var.device(); }},
             {"detach", [&] { detach(var); }},
             {"item", [&] {
                const Tensor moved = std::move(some);
                some.item();
              }}});
  CHECK(contains(error_of([&] { p.set(none); }), "parameter p"));
  const Tape tape;
  Linear net(2, 2);
  net.initialise(Rng(1));
  Sgd sgd(net.parameters(), {.momentum = .9});
  MovingAverage average(net);
  const Gradients gradients = tape.gradients(sum(tape(net.weight)));
  check_all({{"gradients", [&] { tape.gradients(var); }},
             {"gradients", [&] { gradients.find(var); }},
             {"load",
              [&] {
                net.load({{"weight", none}});
              }},
             {"Sgd",
              [&] {
                sgd.load({{"weight/momentum", none}});
              }},
             {"MovingAverage",
              [&] {
                average.load({{"weight", none}});
              }},
             {"gradcheck", [&] { gradcheck([](const Vars& v) { return v[0]; }, {none}); }},
             {"tape", [&] { tape.input(none); }},
             {"lift", [&] { Var(net.weight.value()).lift(var); }}});
}

TEST_CASE("undefined: every op names itself and what is undefined") {
  const Var none;
  const Tensor no_tensor, x = Tensor::zeros({1, 4, 4, 2}), w = Tensor::zeros({2, 3, 3, 2}),
                          c = Tensor::zeros({2}), rois = Tensor::zeros({1, 5}),
                          labels = Tensor::zeros({1, 4, 4}, DType::int64);
  check_all(
      {{"relu", [&] { relu(none); }},
       {"gelu", [&] { gelu(none); }},
       {"leaky_relu", [&] { leaky_relu(none); }},
       {"exp", [&] { exp(none); }},
       {"clamp", [&] { clamp(none, 0, 1); }},
       {"pow", [&] { pow(none, 2); }},
       {"pow", [&] { pow(none, none); }},
       {"add", [&] { none + x; }},
       {"mul", [&] { none * 2.0; }},
       {"neg", [&] { -none; }},
       {"div", [&] { x / none; }},
       {"broadcast_to", [&] { broadcast_to(none, {2}); }},
       {"sum_to", [&] { sum_to(none, {2}); }},
       {"reshape", [&] { reshape(none, {2}); }},
       {"reshape", [&] { reshape(none, Shape{0}); }},
       {"convert", [&] { convert(none, DType::float64); }},
       {"maximum", [&] { maximum(x, none); }},
       {"gt", [&] { gt(none, 0.0); }},
       {"where", [&] { where(no_tensor, x, x); }},
       {"where", [&] { where(x, x, none); }},
       {"sum", [&] { sum(none); }},
       {"sum", [&] { sum(none, {0}); }},
       {"mean", [&] { mean(none); }},
       {"variance", [&] { variance(none); }},
       {"centred", [&] { centred(none, {0}); }},
       {"sum_of_squares", [&] { sum_of_squares(none); }},
       {"mean_of_squares", [&] { mean_of_squares(none); }},
       {"max", [&] { max(none); }},
       {"min", [&] { min(none, {0}); }},
       {"argmax", [&] { argmax(none); }},
       {"argmin", [&] { argmin(none, 0); }},
       {"cumsum", [&] { cumsum(none, 0); }},
       {"permute", [&] { permute(none, {0}); }},
       {"slice", [&] { slice(none, {0}, {0}); }},
       {"slice_axis", [&] { slice_axis(none, 0, 0, 1); }},
       {"flip", [&] { flip(none, {0}); }},
       {"pad", [&] { pad(none, {0}, {0}); }},
       {"concat",
        [&] {
          concat({x, none}, 0);
        }},
       {"stack",
        [&] {
          stack({none, x});
        }},
       {"gather", [&] { gather(none, 0, labels); }},
       {"gather", [&] { gather(x, 0, no_tensor); }},
       {"scatter_add", [&] { scatter_add(none, 0, labels, 1); }},
       {"embedding", [&] { embedding(none, labels); }},
       {"embedding",
        [&] {
          embedding(Tensor::zeros({2, 2}), no_tensor);
        }},
       {"one_hot", [&] { one_hot(no_tensor, 2); }},
       {"softmax", [&] { softmax(none); }},
       {"log_softmax", [&] { log_softmax(none); }},
       {"dropout", [&] { dropout(none, .5, Rng(1)); }},
       {"matmul", [&] { matmul(none, x); }},
       {"linear",
        [&] {
          linear(none, Tensor::zeros({2, 2}));
        }},
       {"linear", [&] { linear(x, none); }},
       {"mse_loss", [&] { mse_loss(none, x); }},
       {"l1_loss", [&] { l1_loss(x, none); }},
       {"smooth_l1_loss", [&] { smooth_l1_loss(none, none); }},
       {"binary_cross_entropy_with_logits", [&] { binary_cross_entropy_with_logits(none, x); }},
       {"softmax_cross_entropy", [&] { softmax_cross_entropy(none, labels); }},
       {"softmax_cross_entropy", [&] { softmax_cross_entropy(x, no_tensor); }},
       {"conv2d", [&] { conv2d(none, w); }},
       {"conv2d", [&] { conv2d(x, none); }},
       {"conv_transpose2d", [&] { conv_transpose2d(none, w); }},
       {"conv2d_per_image", [&] { conv2d_per_image(x, none); }},
       {"cond_conv2d", [&] { cond_conv2d(x, none, none); }},
       {"cross_correlation_depthwise", [&] { cross_correlation_depthwise(x, none); }},
       {"deform_conv2d", [&] { deform_conv2d(x, none, {}, w); }},
       {"deform_kernel", [&] { deform_kernel(x, none, w); }},
       {"deform_kernel_conv",
        [&] {
          deform_kernel_conv(x, none, Tensor::zeros({1, 4, 4, 2}), w, {}, {.kernel = 1});
        }},
       {"global_deform_kernel", [&] { global_deform_kernel(x, none, w, 3); }},
       {"dcn_v3", [&] { dcn_v3(x, none, none); }},
       {"dcn_v4", [&] { dcn_v4(x, none); }},
       {"grid_sample", [&] { grid_sample(x, none); }},
       {"map_offsets", [&] { map_offsets(x, none); }},
       {"max_pool2d", [&] { max_pool2d(none); }},
       {"avg_pool2d", [&] { avg_pool2d(none); }},
       {"adaptive_avg_pool2d", [&] { adaptive_avg_pool2d(none, 1); }},
       {"global_avg_pool2d", [&] { global_avg_pool2d(none); }},
       {"upsample2d", [&] { upsample2d(none, {.size = 2}); }},
       {"batch_norm2d", [&] { batch_norm2d(none, c, c, c, c); }},
       {"batch_norm2d", [&] { batch_norm2d(x, c, c, no_tensor, c); }},
       {"batch_norm2d", [&] { batch_norm2d_training(x, none, c, c, c); }},
       {"group_norm", [&] { group_norm(none, 1, c, c); }},
       {"layer_norm", [&] { layer_norm(none, c, c); }},
       {"layer_norm", [&] { layer_norm(x, none, c); }},
       {"roi_align", [&] { roi_align(x, no_tensor); }},
       {"ps_roi_align", [&] { ps_roi_align(none, rois); }},
       {"roi_pool", [&] { roi_pool(none, rois); }},
       {"ps_roi_pool", [&] { ps_roi_pool(x, no_tensor); }},
       {"deform_roi_pool", [&] { deform_roi_pool(none, rois); }},
       {"Flatten", [&] { Flatten()(none); }},
       {"Dropout", [&] { Dropout()(none); }}});
}
