// The style sheet of a report: track.css, put in at build time.
#pragma once

#include <string_view>

namespace pliant::track {

extern const std::string_view kTrackCss;

}  // namespace pliant::track
