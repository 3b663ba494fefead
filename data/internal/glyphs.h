// The stroke drawings that digits.cpp deforms.
#pragma once

#include <span>
#include <vector>

namespace pliant {

struct Point {
  double x, y;  // x to the right, y down; a drawing fills about [0, 1] x [0, 1]
};

// A smooth curve through its points (Catmull-Rom); corners are where two strokes meet.
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// The ways of writing `digit`, 0 to 9.
std::span<const Glyph> glyphs_of(int digit);

}  // namespace pliant
