#include <pliant/layers/train/summary.h>

#include <algorithm>
#include <array>
#include <map>

#include <pliant/layers/observer.h>

namespace pliant {
namespace {

using Line = std::array<std::string, 5>;

std::vector<Line> lines_of(const Summary& summary) {
  std::vector<Line> lines = {{"layer", "kind", "output", "parameters", "multiply-adds"}};
  for (const Summary::Row& row : summary.rows)
    lines.push_back({row.path.empty() ? "(net)" : row.path, row.kind,
                     row.output.rank() == 0 ? "-" : text_from(row.output), grouped(row.parameters),
                     grouped(row.multiply_adds)});
  lines.push_back({"total", "", "", grouped(summary.parameters), grouped(summary.multiply_adds)});
  return lines;
}

}  // namespace

Summary summarise(const Module& net, const std::function<void()>& forward) {
  require(forward != nullptr, "summarise: the function is empty");
  Summary result;
  std::map<std::string, std::int64_t> own;  // parameters that no row has shown yet
  for (const auto& [path, count] : net.modules()) own[path] = count;
  {
    const Observer observer([&](const LayerCall& call) {
      const std::int64_t parameters = std::exchange(own[call.path], 0);
      result.rows.push_back({call.path, call.kind, call.output, parameters, call.multiply_adds});
    });
    forward();
  }
  for (const auto& [path, count] : net.modules())
    if (own[path] > 0) result.rows.push_back({path, "(parameters)", {}, count, 0});
  result.parameters = net.parameter_count();
  result.trainable = net.trainable_count();
  for (const Summary::Row& row : result.rows) result.multiply_adds += row.multiply_adds;
  return result;
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) {
  const std::vector<Line> lines = lines_of(summary);
  std::array<std::size_t, 5> width{};
  for (const Line& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());
  for (const Line& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string gap(width[i] - line[i].size(), ' ');
      text += (i == 0 ? "" : "  ") + (i < 3 ? line[i] + gap : gap + line[i]);
    }
    out << text << '\n';
    if (&line == &lines.front() || &line == &lines.back() - 1)
      out << std::string(text.size(), '-') << '\n';
  }
  return out << "trainable parameters: " << grouped(summary.trainable) << '\n';
}

std::string to_string(const Summary& summary) { return text_from(summary); }

}  // namespace pliant
