// What the runs of a table say together, for a terminal, a page and other programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/segment/runs.h>

namespace pliant::segment {

struct TableSection {
  std::string title;
  std::vector<kit::Cells> lines;  // the first names the columns
  std::string note = {};
};

// Scores; differences by seed with their intervals; videos apart, where there are several; and how
// much of its score each net keeps on pictures that are moved. Test pictures are resampled in blocks
// of `block` neighbours. Runs that were judged on other pictures than the first are an Error.
std::vector<TableSection> sections_of(const std::vector<Run>& runs, std::int64_t block);

std::string text_of(const std::vector<TableSection>& sections);
std::string html_of(const std::vector<TableSection>& sections);
// The figures of each run, without its pictures.
nlohmann::ordered_json summary_of(const std::vector<Run>& runs, std::int64_t block);

}  // namespace pliant::segment
