// The stroke drawings that digits.cpp deforms.
#pragma once

#include <span>
#include <vector>

#include <pliant/data/polygon.h>

namespace pliant {

// A smooth curve through its points (Catmull-Rom); corners are where two strokes meet.
// Drawings fill about [0, 1] x [0, 1].
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// The ways of writing `digit`, 0 to 9.
std::span<const Glyph> glyphs_of(int digit);

}  // namespace pliant
