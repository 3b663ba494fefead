// Functions of one tensor with a number, softmax, losses.
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

int axis_of(Call& call) { return static_cast<int>(call.integer("axis")); }

}  // namespace

void run_leaky_relu(Call& call) {
  call.output("y", leaky_relu(call.variable("x"), call.real("negative_slope")));
}

void run_pow(Call& call) { call.output("y", pow(call.variable("x"), call.real("exponent"))); }

void run_softmax(Call& call) { call.output("y", softmax(call.variable("x"), axis_of(call))); }

void run_log_softmax(Call& call) {
  call.output("y", log_softmax(call.variable("x"), axis_of(call)));
}

void run_mse_loss(Call& call) {
  call.output("loss", mse_loss(call.variable("pred"), call.constant("target"), call.reduction()));
}

}  // namespace pliant::conformance
