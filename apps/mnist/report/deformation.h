// Still pictures and figures of what deformed.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/report/sweep.h>

namespace pliant::mnist {

// A digit with sampling points on it; without strands, those of the regular net alone.
// `described` says for who cannot see it what it shows.
struct PointPicture {
  std::span<const float> pixels;
  std::int64_t side = 28;
  Points regular;
  std::vector<Points> strands;
  bool arrows = false;  // join each regular point with strand 0's; for few points
  std::string described;
};
std::string svg_of(const PointPicture& picture);

// Of a deformable net: how far its layers move their points on plain and on scaled test pictures,
// the points layer by layer, and all digits at two zooms.
std::string deformation_of(const SweptNet& net, const Sweep& sweep, const TestSets& test,
                           Device device);

// How wide nets read while the digits shrink.
std::string spread_chart(const std::vector<SweptNet>& nets, const Sweep& sweep);

// "channels 3, 17 and 90 of convs 2, 3 and 4"
std::string describe(const Strand& strand);

// The points of a net of this geometry without offsets, from the middle of its last layer.
Points regular_points(std::span<const LayerSampling> geometry);

}  // namespace pliant::mnist
