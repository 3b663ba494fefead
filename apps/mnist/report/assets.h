// The style sheet and the script of a report: report.css and report.js, put in at build time.
#pragma once

#include <string_view>

namespace pliant::mnist {

extern const std::string_view kReportCss;
extern const std::string_view kReportJs;

}  // namespace pliant::mnist
