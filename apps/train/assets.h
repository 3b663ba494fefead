// The style sheet of a report: train.css, put in at build time.
#pragma once

#include <string_view>

namespace pliant::train {

extern const std::string_view kTrainCss;

}  // namespace pliant::train
