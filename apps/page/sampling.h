// Where a net reads, for a page: dots over a picture, and how far they were moved.
#pragma once

#include <functional>
#include <span>
#include <string>

#include <pliant/apps/page/svg.h>
#include <pliant/layers/sampling.h>

namespace pliant::page {

// A path of the class `name`, a dot for each point at its place on the picture.
std::string dots(std::span<const SamplingPoint> points, const char* name,
                 const std::function<Place(const SamplingPoint&)>& place);

// A table: of every layer that deforms, how far its points are moved.
std::string movement_table(std::span<const LayerSampling> layers);

}  // namespace pliant::page
