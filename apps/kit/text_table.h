// Tables of text for a terminal, and the numbers in them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pliant::kit {

using Cells = std::vector<std::string>;

// Columns as wide as their widest cell; the first two flush left, the others right. Lines of a
// single cell are sentences and count for no width.
std::string aligned(const std::vector<Cells>& lines);

// A table with a title and, perhaps, a note below.
struct Section {
  std::string title;
  std::vector<Cells> lines;  // the first names the columns
  std::string note = {};
};
// One below the other.
std::string text_of(const std::vector<Section>& sections);

// Mean of some numbers and their sample standard deviation, 0 for a single one.
struct Spread {
  double mean = 0, deviation = 0;
  std::int64_t count = 0;
};
Spread spread_of(const std::vector<double>& numbers);

// 0.9874 -> "98.74 %", with a deviation over several "98.74 ± 0.12 %".
std::string percent(double fraction);
std::string percent(const Spread& spread);

}  // namespace pliant::kit
