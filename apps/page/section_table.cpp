#include <pliant/apps/page/section_table.h>

#include <cstddef>

#include <pliant/apps/page/text.h>

namespace pliant::page {

std::string section_table(const std::string& title,
                          const std::vector<std::vector<std::string>>& lines,
                          const std::string& note) {
  std::string html = "<div class=\"scroll\"><table class=\"results\"><caption><span>" +
                     escaped(title) + "</span></caption>";
  for (std::size_t line = 0; line < lines.size(); ++line) {
    html += line == 0 ? "<thead><tr>" : "<tr>";
    for (std::size_t i = 0; i < lines[line].size(); ++i) {
      const std::string cell = escaped(lines[line][i]);
      const std::string number = i > 1 ? " class=\"num\"" : "";
      if (line == 0)
        html += "<th scope=\"col\"" + number + '>' + cell + "</th>";
      else if (i == 0)
        html += "<th scope=\"row\">" + cell + "</th>";
      else
        html += "<td" + number + '>' + cell + "</td>";
    }
    html += line == 0 ? "</tr></thead><tbody>" : "</tr>";
  }
  html += "</tbody></table></div>\n";
  if (!note.empty()) html += "<p><small>" + escaped(note) + "</small></p>\n";
  return html;
}

}  // namespace pliant::page
