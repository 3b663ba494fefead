// Convolutions with deformable kernels (Gao et al. 2020) and the branches that deform them.
#pragma once

#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/linear.h>

namespace pliant {

struct DeformKernel2dOptions {
  Size2 kernel = 3;
  Size2 scope = 4;  // of the stored weights
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  std::int64_t rotation_groups = 1;
  Bias bias = Bias::no;
  // Of the weight; uniform within 1/sqrt(R*S*C/groups) unless given, which for one channel per
  // group, all that the published layer can do, is its 1/sqrt(R*S). The bias: zeros.
  Initialiser initialiser = {};

  DeformKernelOptions core() const {  // of the op
    return {kernel, stride, padding, dilation, groups, rotation_groups};
  }
};

// [N H W in] -> [N P Q out], see deform_kernel. Parameters: weight [out SH SW in/groups], bias
// [out]; a convolution "rotation" of the layer's kernel, stride, padding and dilation, zero at the
// start, gives every location its kernel. With a scope one larger than the kernel, a tap starts as
// the mean of four weights.
class DeformKernel2d : public Module {
 public:
  DeformKernel2d(std::int64_t in_channels, std::int64_t out_channels,
                 DeformKernel2dOptions options = {});

  Var operator()(const Var& x) const;
  const DeformKernel2dOptions& options() const { return options_; }

 private:
  DeformKernel2dOptions options_;  // before the parts that are made by them

 public:
  Parameter weight, bias;  // bias is undefined without one
  Conv2d rotation;
};

// The same with samples that are deformed too: a second convolution "offset" of the same form, zero
// at the start. See deform_kernel_conv. The published code never learns its rotation; this layer
// does.
class DeformKernelConv2d : public Module {
 public:
  DeformKernelConv2d(std::int64_t in_channels, std::int64_t out_channels,
                     DeformKernel2dOptions options = {});

  Var operator()(const Var& x) const;
  const DeformKernel2dOptions& options() const { return options_; }

 private:
  DeformKernel2dOptions options_;

 public:
  Parameter weight, bias;
  Conv2d rotation, offset;
};

struct GlobalDeformKernel2dOptions {
  Size2 kernel = 3;
  Size2 scope = 4;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  Bias bias = Bias::no;
  Initialiser initialiser = {};  // as DeformKernel2d's

  ConvOptions conv() const { return {stride, padding, dilation, groups}; }  // of the op
};

// One kernel for each image, see global_deform_kernel: a linear layer "offset", zero at the start,
// reads its places in the scope from the mean of x over the map. The published layer leaves its
// weight uninitialised.
class GlobalDeformKernel2d : public Module {
 public:
  GlobalDeformKernel2d(std::int64_t in_channels, std::int64_t out_channels,
                       GlobalDeformKernel2dOptions options = {});

  Var operator()(const Var& x) const;
  const GlobalDeformKernel2dOptions& options() const { return options_; }

 private:
  GlobalDeformKernel2dOptions options_;

 public:
  Parameter weight, bias;
  Linear offset;
};

}  // namespace pliant
