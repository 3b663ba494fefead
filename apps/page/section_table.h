// A table of figures for a page.
#pragma once

#include <string>
#include <vector>

namespace pliant::page {

// The first line names the columns; the first two are text, the others numbers. `note` is told below.
std::string section_table(const std::string& title,
                          const std::vector<std::vector<std::string>>& lines,
                          const std::string& note);

}  // namespace pliant::page
