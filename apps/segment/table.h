// What the runs of a table say together, for a terminal, a page and other programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/segment/runs.h>

namespace pliant::segment {

// Two arms of a preset.
struct Compared {
  std::string preset, arm, against;
  Difference difference;
};

// Scores; differences by seed with their intervals; videos apart, where there are several; and how
// much of its score each net keeps on pictures that are moved.
class Table {
 public:
  // Test pictures are resampled in blocks of `block` neighbours. Runs that were judged on other
  // pictures than the first are an Error.
  Table(const std::vector<Run>& runs, std::int64_t block);

  std::string text() const { return kit::text_of(sections_); }
  std::string html() const;
  nlohmann::ordered_json json() const;  // the figures of each run, without its pictures

 private:
  const std::vector<Run>& runs_;
  std::vector<Compared> comparisons_;
  std::vector<kit::Section> sections_;
};

}  // namespace pliant::segment
