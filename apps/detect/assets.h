// The style sheet of a report: detect.css, put in at build time.
#pragma once

#include <string_view>

namespace pliant::detect {

extern const std::string_view kDetectCss;

}  // namespace pliant::detect
