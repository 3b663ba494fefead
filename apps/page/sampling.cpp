#include <pliant/apps/page/sampling.h>

#include <pliant/apps/page/text.h>

namespace pliant::page {

std::string dots(std::span<const SamplingPoint> points, const char* name,
                 const std::function<Place(const SamplingPoint&)>& place) {
  std::string html = std::string("<path class=\"") + name + "\" d=\"";
  for (const SamplingPoint& point : points) {
    const Place at = place(point);
    html += 'M' + fixed(at.x, 1) + ' ' + fixed(at.y, 1) + "h0";
  }
  return html + "\"/>";
}

std::string movement_table(std::span<const LayerSampling> layers) {
  std::string rows;
  for (const LayerSampling& layer : layers) {
    if (!layer.offsets.defined()) continue;
    const Movement movement = movement_of(layer);
    rows += "<tr><th scope=\"row\">" + escaped(printable(layer.name)) + "</th><td class=\"num\">" +
            fixed(movement.mean, 2) + "</td><td class=\"num\">" + fixed(movement.largest, 2) +
            "</td></tr>";
  }
  return "<div class=\"scroll\"><table><caption>How far points are moved on the first of "
         "them, in pixels of each layer’s own map</caption><thead><tr><th scope=\"col\">layer</th>"
         "<th scope=\"col\">mean</th><th scope=\"col\">largest</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>\n";
}

}  // namespace pliant::page
