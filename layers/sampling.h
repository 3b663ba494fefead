// Where a net reads its image: the sampling points of its convolutions, traced back through the
// layers below, as in the figures of Dai et al. 2017.
//
//   const std::vector<LayerSampling> layers =
//       along(samplings_of([&] { net(images); }), {"stem", "block1.*", "block2.conv"});
//   for (const SamplingPoint& point : trace(layers, 0, 7, 7)) ..  // of output pixel (7, 7)
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/tensor.h>

namespace pliant {

// Where a layer reads the map below it, for a batch of images. Tensors are float32, on the CPU.
struct LayerSampling {
  std::string name;  // its path in the net: "block.conv"
  Size2 input = 1;   // height and width of the map it reads
  Size2 output = 1;  // and of the one it gives
  Size2 kernel = 3;
  ConvOptions conv = {};
  std::int64_t offset_groups = 1;
  Tensor offsets = {};  // [N P Q 2*G*R*S], of deformable convolutions (see deform_conv2d)
  Tensor mask = {};     // [N P Q G*R*S], if it has one
  Tensor field = {};    // [N H W 2C], of maps that a ConvOffset2d warps before the layer reads them
};

// Of every Conv2d, DeformConv2d, DCNv3, DCNv4, MaxPool2d and AvgPool2d that `run` runs of one net,
// in their order, also those whose map a ConvOffset2d warps. What belongs to a deformable layer's
// own branch is left out. A layer that runs several times is there as often.
std::vector<LayerSampling> samplings_of(const std::function<void()>& run);

// Those whose names match one of the patterns (see Module::freeze): a way through a net that
// branches. A pattern that matches none is an Error.
std::vector<LayerSampling> along(const std::vector<LayerSampling>& layers,
                                 const std::vector<std::string>& patterns);

// Where a net reads. Pixels have their centres at integers, row 0 at the top. `weight` is the
// product of the masks on the way and of the shares that padding leaves; 1 where there are neither.
struct SamplingPoint {
  double y = 0, x = 0, weight = 1;
};

// For each layer traced through, lowest first: the channel of its warp, or else its offset group
// where it has several. Every channel of a warp bends its map in a way of its own. Layers beyond
// its end take group 0.
using Strand = std::vector<std::int64_t>;

// Follows output pixel (y, x) of the last of `layers` (lowest first, each of which reads what the
// one before gives) down to the map that the first one reads: each layer turns a point into one for
// each of its taps. At a place between pixels a layer's offsets and masks are interpolated
// bilinearly, which is what the layer above does with its outputs. Points that read padding alone
// are dropped, those that read it in part weigh less. An Error if there is no such image, pixel or
// channel of a strand, if offsets or masks are not finite, if a layer's map is not the one below's,
// and beyond 2^24 points: every layer multiplies them by its taps.
std::vector<SamplingPoint> trace(std::span<const LayerSampling> layers, std::int64_t image,
                                 std::int64_t y, std::int64_t x, const Strand& strand = {});

// The same layers without offsets, masks and warps: those of the regular net.
std::vector<LayerSampling> straightened(std::vector<LayerSampling> layers);

// Strand k takes in every layer the channel whose offsets are on average the k-th longest over the
// images. Nets without warps have one strand, of the first offset groups.
std::vector<Strand> strongest_strands(std::span<const LayerSampling> layers, std::size_t count);

// How far a layer's sampling points are moved, in pixels of the map that it reads.
struct Movement {
  double mean = 0, largest = 0;
  double over_half = 0;  // share of those moved by more than half a pixel
  double mask = 1;       // mean
};
Movement movement_of(const LayerSampling& layer);

// Root of the weighted mean square distance from the weighted mean; 0 of no points.
double radius_of(std::span<const SamplingPoint> points);

}  // namespace pliant
