// The animation: digits shrink and grow while the sampling points of a regular and of a deformable
// net move with them.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/report/sweep.h>

namespace pliant::mnist {

// A figure that a script drives; without the script two still pictures remain. Its data are in the
// page, in at most about 4 MB: many nets make for fewer digits. Needs a deformable net at least.
std::string animation(const std::vector<SweptNet>& nets, const Sweep& sweep);

}  // namespace pliant::mnist
