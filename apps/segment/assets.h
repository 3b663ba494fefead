// The style sheet of a report: segment.css, put in at build time.
#pragma once

#include <string_view>

namespace pliant::segment {

extern const std::string_view kSegmentCss;

}  // namespace pliant::segment
