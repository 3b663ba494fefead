// Line charts as inline SVG. Colours come from the page's style sheet, so that they follow light
// and dark.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pliant::page {

struct ChartLine {
  std::string name;
  std::size_t style = 0;  // colour and dashes, see line_class()
  bool thin = false;
  bool dots = false;                              // mark every point
  std::vector<std::pair<double, double>> points;  // (x, y), x ascending
};

enum class Scale : unsigned char { linear, logarithmic };

struct Chart {
  std::string title, x_label, y_label;
  Scale scale = Scale::linear;  // of y; a logarithmic one leaves values <= 0 out
  double unit = 1;              // y is shown divided by this: 0.01 makes per cent
};

// A <figure>. Points that are not finite, or beyond 1e300, are left out; many are averaged to a few hundred. Without
// a point it says so.
std::string line_chart(const Chart& chart, const std::vector<ChartLine>& lines);

// A list of names with their strokes; several lines of one style are named once.
std::string legend(const std::vector<ChartLine>& lines);

// "s3 d1": the class of a stroke; eight colours, then the same again with other dashes.
std::string line_class(std::size_t style);

}  // namespace pliant::page
