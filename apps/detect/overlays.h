// Pictures on a page with what was found over them.
#pragma once

#include <string>

#include <pliant/apps/detect/matches.h>
#include <pliant/apps/detect/report.h>

namespace pliant::detect {

inline constexpr double kShownScore = 0.5;  // what is less sure is not shown

// A <figure> of a judged picture: boxes that are right in the colours of their classes, wrong ones,
// and objects that were missed.
std::string found_figure(const ReportInput& input, std::int64_t picture,
                         const PictureMatches& matches);

// Figures of some objects with the middles of the bins that a deformable pooling reads: where they
// would be and where they are. Empty if the net pools otherwise.
std::string bin_figures(const ReportInput& input, const ReportNet& of, std::size_t most);

}  // namespace pliant::detect
