#include <pliant/apps/page/confusion_table.h>

#include <algorithm>

#include <pliant/apps/page/text.h>

namespace pliant::page {
namespace {

using Counts = std::vector<std::vector<std::int64_t>>;

// 0 to 5: how dark a cell of so many of at most so many is.
int shade(std::int64_t count, std::int64_t most) {
  if (count == 0 || most == 0) return 0;
  return 1 + static_cast<int>(4 * count / most);
}

struct Sums {
  std::int64_t right = 0, total = 0;
  std::int64_t most = 0;  // of one kind of mistake
};

Sums sums_of(const Counts& counts) {
  Sums sums;
  for (std::size_t label = 0; label < counts.size(); ++label)
    for (std::size_t guess = 0; guess < counts.size(); ++guess) {
      sums.total += counts[label][guess];
      if (label == guess)
        sums.right += counts[label][guess];
      else
        sums.most = std::max(sums.most, counts[label][guess]);
    }
  return sums;
}

std::string row_of(const std::vector<std::int64_t>& row, std::size_t label, const std::string& name,
                   std::int64_t most) {
  std::string html = "<tr><th scope=\"row\">" + escaped(name) + "</th>";
  for (std::size_t guess = 0; guess < row.size(); ++guess)
    html += "<td class=\"" +
            (label == guess ? "right" : "h" + std::to_string(shade(row[guess], most))) + "\">" +
            (row[guess] == 0 ? "" : std::to_string(row[guess])) + "</td>";
  return html + "</tr>";
}

}  // namespace

std::string confusion_table(const Counts& counts, const std::vector<std::string>& names,
                            const std::string& caption) {
  const Sums sums = sums_of(counts);
  std::string html = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" +
                     escaped(caption) + "\"><table class=\"confusion\"><caption>" +
                     escaped(caption) + ": ";
  html += sums.total == 0
              ? "not measured"
              : std::to_string(sums.total - sums.right) + " of " + grouped(sums.total) + " wrong";
  html += "</caption>";
  if (sums.total == 0) return html + "<tbody><tr><td>–</td></tr></tbody></table></div>";
  html += "<thead><tr><th scope=\"col\" aria-label=\"label, by guess\">↓ →</th>";
  for (const std::string& name : names) html += "<th scope=\"col\">" + escaped(name) + "</th>";
  html += "</tr></thead><tbody>";
  for (std::size_t label = 0; label < counts.size(); ++label)
    html += row_of(counts[label], label, names[label], sums.most);
  return html + "</tbody></table></div>";
}

}  // namespace pliant::page
