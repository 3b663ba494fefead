// The text files of tracking's truth.
#pragma once

#include <filesystem>
#include <vector>

#include <pliant/data/polygon.h>

namespace pliant {

struct FrameTruth {
  bool present = false;
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  Polygon polygon;  // empty: a rectangle
};

// One for each line, x and y lowered by `origin`. A line that is none is an Error that names the
// file and the line's number.
std::vector<FrameTruth> read_ground_truth(const std::filesystem::path& path, double origin);

}  // namespace pliant
