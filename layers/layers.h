// Everything a program that builds and trains a net needs.
#pragma once

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/cond_conv2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/conv_offset2d.h>
#include <pliant/layers/conv_transpose2d.h>
#include <pliant/layers/dcn_v3.h>
#include <pliant/layers/dcn_v4.h>
#include <pliant/layers/deform_conv2d.h>
#include <pliant/layers/deform_kernel2d.h>
#include <pliant/layers/deform_roi_pool.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/group_norm.h>
#include <pliant/layers/layer_norm.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/offset_context.h>
#include <pliant/layers/pool2d.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/layers/train/safetensors.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/layers/train/summary.h>
