#include <pliant/apps/kit/text_table.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <pliant/core/text.h>

namespace pliant::kit {
namespace {

// On a terminal: every character but the continuation bytes of UTF-8.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string aligned(const std::vector<Cells>& lines) {
  std::vector<std::size_t> widths;
  for (const Cells& cells : lines)
    for (std::size_t i = 0; i < cells.size() && cells.size() > 1; ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], width_of(cells[i]));
    }
  std::string text;
  for (const Cells& cells : lines) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t width = cells.size() > 1 ? widths[i] : 0;
      const std::string gap(width - std::min(width, width_of(cells[i])), ' ');
      line += (i > 0 ? "  " : "") + (i < 2 ? cells[i] + gap : gap + cells[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string text_of(const std::vector<Section>& sections) {
  std::string text;
  for (const Section& section : sections)
    text += (text.empty() ? "" : "\n") + section.title + '\n' + aligned(section.lines) +
            (section.note.empty() ? "" : section.note + '\n');
  return text;
}

Spread spread_of(const std::vector<double>& numbers) {
  Spread spread;
  spread.count = static_cast<std::int64_t>(numbers.size());
  if (numbers.empty()) return spread;
  const auto count = static_cast<double>(numbers.size());
  spread.mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double squares = 0;
  for (const double number : numbers) squares += (number - spread.mean) * (number - spread.mean);
  if (numbers.size() > 1) spread.deviation = std::sqrt(squares / (count - 1));
  return spread;
}

std::string percent(double fraction) { return fixed(fraction * 100, 2) + " %"; }

std::string percent(const Spread& spread) {
  if (spread.count <= 1) return percent(spread.mean);
  return fixed(spread.mean * 100, 2) + " ± " + fixed(spread.deviation * 100, 2) + " %";
}

}  // namespace pliant::kit
