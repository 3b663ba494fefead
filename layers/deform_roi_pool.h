// DeformRoIPool: deformable RoI pooling (Dai 2017; modulated, Zhu 2018) with its offset head.
#pragma once

#include <optional>
#include <vector>

#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/modulation.h>

namespace pliant {

struct DeformRoIPoolLayerOptions {
  DeformRoIPoolOptions pool = {};  // output_dim may be left out
  Modulation modulation = Modulation::none;
  std::int64_t classes = 1;  // of output channels, each with offsets of its own
  // The heads: linear layers of `hidden` features with ReLU between. 0 layers of offsets: as
  // published, 1 without modulation and 3 with it.
  std::int64_t hidden = 1024;
  std::int64_t offset_layers = 0;
  std::int64_t mask_layers = 2;
};

// Linear layers "0", "1", ... with ReLU between, the last of which starts as zero: [R in] ->
// [R out].
class ZeroHead : public Module {
 public:
  ZeroHead(std::int64_t in, std::int64_t hidden, std::int64_t out, std::int64_t count);

  Var operator()(const Var& x) const;

  std::vector<Linear> layers;
};

// x [N H W channels*group_size^2], rois [R 5] -> [R P P channels], see deform_roi_pool. The regions
// are pooled without offsets first; from that [R P*P*channels], bins row by row and channels
// innermost, the child "offset" makes trans [R part part 2*classes] and the child "mask" the masks
// [R P P 1], with which they are pooled again. At the start nothing moves: the layer gives the
// undeformed pooling, times its mask.
//
// Where the rest of the net is trained with a rate of 1, the published detectors train the heads
// with 0.01:
//   net.set_lr_factor("pool", DeformRoIPool::kHeadLrFactor);
class DeformRoIPool : public Module {
 public:
  static constexpr double kHeadLrFactor = 0.01;

  explicit DeformRoIPool(std::int64_t channels, const DeformRoIPoolLayerOptions& options = {});

  Var operator()(const Var& x, const Tensor& rois) const;

  // What the heads say of regions that were pooled without offsets [R P P channels]: trans, and
  // the mask, which is undefined for Modulation::none.
  Var trans(const Var& pooled) const;
  Var mask(const Var& pooled) const;

  const DeformRoIPoolLayerOptions& options() const& { return options_; }
  DeformRoIPoolLayerOptions options() && { return options_; }

  ZeroHead offset_head;               // "offset"
  std::optional<ZeroHead> mask_head;  // "mask", where there is one

 private:
  DeformRoIPoolLayerOptions options_;
};

}  // namespace pliant
