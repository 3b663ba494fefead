// Heads of a SiamRPN tracker: from the embeddings of a template and of a search image to a score
// and a step for every anchor.
#pragma once

#include <cstdint>

#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/sequential.h>

namespace pliant {

struct SiamRPNOutput {
  Var logits;  // [N P Q 2*K]: of the background, then of the target
  Var deltas;  // [N P Q 4*K]: all dx first
};

struct SiamRPNHeadOptions {
  std::int64_t channels = 256;  // of the embeddings
  std::int64_t hidden = 256;    // of the depthwise head
  std::int64_t anchors = 5;     // K
};

// Depthwise (SiamRPN++, Li 2019): on either side a 3x3 convolution without padding, BatchNorm and
// ReLU ("z_cls", "z_loc" of the template, "x_cls", "x_loc" of the search image); their depthwise
// correlation; 1x1, BatchNorm, ReLU, 1x1 ("h_cls", "h_loc"). pattern [N R S C], search [N H W C] ->
// P = H - R + 1, Q = W - S + 1.
class DepthwiseRPNHead : public Module {
 public:
  explicit DepthwiseRPNHead(const SiamRPNHeadOptions& options = {});

  SiamRPNOutput operator()(const Var& pattern, const Var& search) const;

 private:
  Sequential z_cls_, z_loc_, x_cls_, x_loc_, h_cls_, h_loc_;
};

// Up-channel (SiamRPN, Li 2018): 3x3 convolutions make 2K and 4K patterns of the template ("z_cls",
// "z_loc"), which the search image, convolved too ("x_cls", "x_loc"), is correlated with; "adjust"
// is a 1x1 convolution of the steps. All have a bias, none BatchNorm. `hidden` is not read.
class UpChannelRPNHead : public Module {
 public:
  explicit UpChannelRPNHead(const SiamRPNHeadOptions& options = {});

  SiamRPNOutput operator()(const Var& pattern, const Var& search) const;

  Conv2d z_cls, z_loc, x_cls, x_loc, adjust;
};

}  // namespace pliant
