// Pictures drawn by program, for those who have none at hand: shapes that are turned, sheared,
// stretched and bent.
#pragma once

#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/images.h>

namespace pliant::train {

// Names of the classes, by label.
const std::vector<std::string>& shape_names();

// `count` images uint8 [count side side 3], classes equally likely. Image i is a pure function of
// rng.fork(i).
LabelledImages make_shapes(std::int64_t count, std::int64_t side, const Rng& rng);

}  // namespace pliant::train
