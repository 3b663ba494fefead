#include <pliant/layers/deform_roi_pool.h>

#include <string>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

DeformRoIPoolLayerOptions completed(std::int64_t channels, DeformRoIPoolLayerOptions options) {
  DeformRoIPoolOptions& pool = options.pool;
  require(channels >= 1 && (pool.output_dim == 0 || pool.output_dim == channels),
          "DeformRoIPool: ", channels, " channels, but output_dim is ", pool.output_dim);
  require(pool.pooled_size >= 1 && pool.part_size >= 0, "DeformRoIPool: ", pool.pooled_size,
          " bins in ", pool.part_size, " parts along an axis, expected at least 1 and 0");
  require(options.classes >= 1 && channels % options.classes == 0, "DeformRoIPool: ", channels,
          " channels do not divide into ", options.classes, " classes");
  const bool modulated = options.modulation != Modulation::none;
  constexpr std::int64_t kMostLayers = 1000;
  require(options.offset_layers <= kMostLayers && options.mask_layers <= kMostLayers,
          "DeformRoIPool: heads of ", options.offset_layers, " and ", options.mask_layers,
          " layers, expected at most ", kMostLayers);
  require(options.hidden >= 1 && options.offset_layers >= 0 && options.mask_layers >= 1,
          "DeformRoIPool: heads of ", options.hidden, " hidden features, ", options.offset_layers,
          " layers for offsets and ", options.mask_layers, " for masks");
  pool.output_dim = channels;
  if (pool.part_size == 0) pool.part_size = pool.pooled_size;
  if (options.offset_layers == 0) options.offset_layers = modulated ? 3 : 1;
  return options;
}

// `out` features from the bins of a region.
ZeroHead head(const DeformRoIPoolLayerOptions& o, std::int64_t out, std::int64_t layers) {
  const std::int64_t bins = o.pool.pooled_size;
  return ZeroHead(checked_product("DeformRoIPool", {bins, bins, o.pool.output_dim}), o.hidden, out,
                  layers);
}

ZeroHead offset_head_of(const DeformRoIPoolLayerOptions& o) {
  const std::int64_t part = o.pool.part_size;
  return head(o, checked_product("DeformRoIPool", {2, o.classes, part, part}), o.offset_layers);
}

Var flat(const Var& pooled) {
  return reshape(pooled, {pooled.dim(0), pooled.dim(1) * pooled.dim(2) * pooled.dim(3)});
}

}  // namespace

ZeroHead::ZeroHead(std::int64_t in, std::int64_t hidden, std::int64_t out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const bool last = i + 1 == count;
    layers.push_back(
        own(std::to_string(i), Linear(i == 0 ? in : hidden, last ? out : hidden,
                                      {.initialiser = last ? init::zeros() : Initialiser()})));
  }
}

Var ZeroHead::operator()(const Var& x) const {
  const ErrorPlace here(path());
  Var y = x;
  for (std::size_t i = 0; i < layers.size(); ++i) y = layers[i](i == 0 ? y : relu(y));
  return y;
}

DeformRoIPool::DeformRoIPool(std::int64_t channels, const DeformRoIPoolLayerOptions& options)
    : offset_head(own("offset", offset_head_of(completed(channels, options)))),
      options_(completed(channels, options)) {
  if (options_.modulation == Modulation::none) return;
  const std::int64_t side = options_.pool.pooled_size;
  const std::int64_t bins = checked_product("DeformRoIPool", {side, side});
  mask_head = own("mask", head(options_, bins, options_.mask_layers));
}

Var DeformRoIPool::trans(const Var& pooled) const {
  const std::int64_t part = options_.pool.part_size;
  return reshape(offset_head(flat(pooled)), {pooled.dim(0), part, part, 2 * options_.classes});
}

Var DeformRoIPool::mask(const Var& pooled) const {
  if (!mask_head) return {};
  const std::int64_t bins = options_.pool.pooled_size;
  return reshape(mask_of((*mask_head)(flat(pooled)), options_.modulation),
                 {pooled.dim(0), bins, bins, 1});
}

Var DeformRoIPool::operator()(const Var& x, const Tensor& rois) const {
  const ErrorPlace here(path());
  const Var pooled = deform_roi_pool(x, rois, {}, {}, options_.pool);
  const Var y = deform_roi_pool(x, rois, trans(pooled), mask(pooled), options_.pool);
  // The pooling runs twice, and each sample is four multiply-adds.
  const std::int64_t samples = options_.pool.sample_per_part * options_.pool.sample_per_part;
  return observed("DeformRoIPool", y, 8 * samples * y.size());
}

}  // namespace pliant
