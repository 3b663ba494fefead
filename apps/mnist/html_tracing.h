// Sampling points of a net traced back to its picture, as in the figures of Dai et al. 2017.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pliant/apps/mnist/nets.h>

namespace pliant {

// Where a net reads. Pixels have their centres at integers, row 0 at the top. `weight` is the
// product of the masks on the way and of the shares that padding leaves; 1 where there are neither.
struct SamplingPoint {
  double y = 0, x = 0, weight = 1;
};

// Channels of the warps, one for each layer traced through, lowest first; for nets without warps
// they do not matter. Every channel of a warp bends its map in a way of its own.
using Strand = std::vector<std::int64_t>;

// Follows output pixel (y, x) of the last of `layers` (a net's samplings, lowest first, or the
// first few of them) down to the map that the first one reads: each layer turns a point into one
// for each of its taps. At a place between pixels a layer's offsets and masks are interpolated
// bilinearly, which is what the layer above does with its outputs. Points that read padding alone
// are dropped, those that read it in part weigh less. An Error if a strand's channel does not
// exist.
std::vector<SamplingPoint> trace(std::span<const LayerSampling> layers, std::int64_t image,
                                 std::int64_t y, std::int64_t x, const Strand& strand = {});

// The same layers without offsets, masks and warps: those of the regular net.
std::vector<LayerSampling> straightened(std::vector<LayerSampling> layers);

// Strand k takes in every layer the channel whose offsets are on average the k-th longest over the
// images. Nets without warps have the one empty strand.
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
