// What the runs of a table say together, for a terminal, a page and other programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/detect/runs.h>
#include <pliant/apps/detect/statistics.h>
#include <pliant/apps/kit/text_table.h>

namespace pliant::detect {

class Table {
 public:
  // The judged pictures are resampled so many times. Runs that were judged on other pictures than
  // the first are an Error.
  Table(const std::vector<Run>& runs, std::int64_t resamples);

  std::string text() const;
  std::string html() const;
  nlohmann::ordered_json json() const;  // the figures of each run, without its boxes

 private:
  using Section = kit::Section;
  // The runs of a preset and an arm.
  struct Row {
    std::string preset;
    TableArm arm;
    std::vector<std::size_t> runs;

    std::string name() const { return preset + ", " + arm.name(); }
  };

  template <class Figure>
  kit::Spread spread(const Row& row, const Figure& figure) const;
  Section scores() const;
  Section by_class() const;
  Section differences() const;
  Section robustness() const;
  std::vector<Section> sections() const;

  const std::vector<Run>& runs_;
  std::vector<Row> rows_;
  std::vector<kit::Comparison> comparisons_;
};

}  // namespace pliant::detect
