// What the ops that are convolutions, or sample like one, are made of.
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/kernels/conv2d.h>

namespace pliant {

// What every convolution asks of its arguments, shapes as in conv2d; `op` begins the message of an
// Error.
void check_conv(const char* op, const Shape& x, const Shape& weight, const ConvOptions& options);

// The geometry of such a convolution, checked.
Conv2dGeometry conv_geometry(const char* op, const Shape& x, const Shape& weight,
                             const ConvOptions& options);

// The three passes of a convolution as ops, for ops that are made of them; arguments must fit the
// geometry. Each is linear in both of its operands and their gradients are one another, so that
// there are gradients of any order.
Var conv2d_pass(const char* op, const Conv2dGeometry& geometry, const Var& x, const Var& weight,
                const Var& bias = {});  // -> y
Var conv2d_data_gradient(const char* op, const Conv2dGeometry& geometry, const Var& dy,
                         const Var& weight);  // -> as x
Var conv2d_weight_gradient(const char* op, const Conv2dGeometry& geometry, const Var& x,
                           const Var& dy);  // -> as weight

}  // namespace pliant
