#include <pliant/apps/mnist/report/deformation.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/text.h>

namespace pliant::mnist {
namespace {

constexpr int kUnits = 8;                  // of the drawings, to a pixel
constexpr std::array kZooms = {1.0, 2.0};  // of the stills: as it is, half size
constexpr std::int64_t kMeasured = 200;    // test pictures that movements are averaged over

int units(double pixels) { return static_cast<int>(std::lround((pixels + 0.5) * kUnits)); }

// Dots as strokes of no length with round ends, which take the fewest bytes.
std::string dots(const std::vector<std::pair<int, int>>& at, const std::string& name) {
  if (at.empty()) return "";
  std::string path;
  int x = 0, y = 0;
  for (const auto& [px, py] : at) {
    path += 'm' + std::to_string(px - x) + (py < y ? "" : " ") + std::to_string(py - y) + "h0";
    x = px;
    y = py;
  }
  return "<path class=\"" + name + "\" d=\"" + path + "\"/>";
}

// The points by how much they count, each place once.
std::string point_paths(const Points& points, const std::string& name) {
  std::map<std::pair<int, int>, double> places;
  for (const SamplingPoint& point : points) {
    double& weight = places[{units(point.x), units(point.y)}];
    weight = std::max(weight, point.weight);
  }
  std::array<std::vector<std::pair<int, int>>, 4> bins;
  for (const auto& [place, weight] : places)
    bins[weight < 0.25 ? 0 : weight < 0.75 ? 1 : weight < 1.5 ? 2 : 3].push_back(place);
  std::string svg;
  for (std::size_t i = 0; i < bins.size(); ++i)
    svg += dots(bins[i], name + " w" + std::to_string(i));
  return svg;
}

std::string arrow_paths(const Points& from, const Points& to) {
  std::string path;
  for (std::size_t i = 0; i < std::min(from.size(), to.size()); ++i)
    path += 'M' + std::to_string(units(from[i].x)) + ' ' + std::to_string(units(from[i].y)) + 'L' +
            std::to_string(units(to[i].x)) + ' ' + std::to_string(units(to[i].y));
  return "<path class=\"move\" d=\"" + path + "\"/>";
}

Points regular_points_up_to(std::span<const LayerSampling> geometry, std::size_t count) {
  const auto some = geometry.first(count);
  const auto [y, x] = middle_of(some);
  return trace(some, 0, y, x);
}

std::string times(double zoom) { return fixed(zoom, 1); }

std::string subject(const Sweep& sweep, std::size_t digit, double zoom) {
  return "test picture " + std::to_string(sweep.indices[digit]) + ", a " +
         std::to_string(sweep.labels[digit]) + ", shrunk " + times(zoom) + " times";
}

std::string verdict(const Sweep& sweep, std::size_t digit, const Guess& guess) {
  const bool right = guess.label == sweep.labels[digit];
  return std::string(right ? "<span class=\"ok\">✓ " : "<span class=\"bad\">✗ ") +
         std::to_string(guess.label) + "</span> <small>" + fixed(100 * guess.probability, 0) +
         " %</small>";
}

std::string layer_figures(const SweptNet& net, const Sweep& sweep, std::size_t digit) {
  std::string html = "<div class=\"points wide\">";
  for (const double zoom : kZooms) {
    const std::size_t frame = sweep.frame_of(zoom);
    const View& view = net.view(sweep, digit, frame);
    for (std::size_t layer = 0; layer < view.layers.size(); ++layer) {
      const std::string& name = net.geometry[layer].name;
      const auto count = static_cast<std::int64_t>(view.layers[layer].size());
      html += "<figure>" +
              svg_of({.pixels = sweep.picture(digit, frame),
                      .side = sweep.side(),
                      .regular = regular_points_up_to(net.geometry, layer + 1),
                      .strands = {view.layers[layer]},
                      .arrows = layer == 0,
                      .described =
                          "Sampling points of " + name + " on " + subject(sweep, digit, zoom)}) +
              "<figcaption>" + page::escaped(name) + " <small>" + page::counted(count, "point");
      if (zoom > 1) html += ", half size";
      html += "</small></figcaption></figure>";
    }
  }
  return html + "</div>\n";
}

std::string contact_sheet(const SweptNet& net, const Sweep& sweep) {
  const Points regular = regular_points(net.geometry);
  std::string html = "<div class=\"points\">";
  for (const double zoom : kZooms)
    for (std::size_t digit = 0; digit < sweep.digits(); ++digit) {
      const std::size_t frame = sweep.frame_of(zoom);
      const View& view = net.view(sweep, digit, frame);
      html += "<figure>" +
              svg_of({.pixels = sweep.picture(digit, frame),
                      .side = sweep.side(),
                      .regular = regular,
                      .strands = view.points,
                      .described = "Sampling points of the last convolution on " +
                                   subject(sweep, digit, zoom)}) +
              "<figcaption>" + verdict(sweep, digit, view.guess) + "</figcaption></figure>";
    }
  return html + "</div>\n";
}

std::string movement_cells(const Movement& movement, bool masked) {
  std::string html;
  for (const std::string& text :
       {fixed(movement.mean, 2), fixed(movement.largest, 1), fixed(100 * movement.over_half, 0)})
    html += "<td class=\"num\">" + text + "</td>";
  if (masked) html += "<td class=\"num\">" + fixed(movement.mask, 2) + "</td>";
  return html;
}

LabelledImages first_of(const LabelledImages& set) {
  const std::int64_t count = std::min(kMeasured, set.size());
  return {set.images.slice(0, count), set.labels.slice(0, count)};
}

std::string movement_table(const SweptNet& net, const TestSets& test, Device device) {
  const LabelledImages plain = first_of(test.plain), scaled = first_of(test.scaled);
  const std::vector<LayerSampling> at_plain = net.net->net.samplings(plain.images.to(device)),
                                   at_scaled = net.net->net.samplings(scaled.images.to(device));
  const std::string mask = net.masked ? "<th scope=\"col\" class=\"num\">mask</th>" : "";
  const std::string columns =
      "<th scope=\"col\" class=\"num\">mean</th><th scope=\"col\" class=\"num\">largest</th>"
      "<th scope=\"col\" class=\"num\">&gt; ½ px, %</th>" +
      mask;
  const std::string span = net.masked ? "4" : "3";
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"How far points move\">"
      "<table><caption><span>How far points are moved, in pixels of the map that the layer reads; "
      "first " +
      std::to_string(plain.size()) +
      " test pictures</span></caption><thead><tr><th rowspan=\"2\" scope=\"col\">layer</th><th "
      "colspan=\"" +
      span + "\" scope=\"colgroup\">plain</th><th colspan=\"" + span +
      "\" scope=\"colgroup\">scaled</th></tr><tr>" + columns + columns + "</tr></thead><tbody>";
  for (std::size_t i = 0; i < at_plain.size(); ++i)
    html += "<tr><th scope=\"row\">" + page::escaped(at_plain[i].name) + "</th>" +
            movement_cells(movement_of(at_plain[i]), net.masked) +
            movement_cells(movement_of(at_scaled[i]), net.masked) + "</tr>";
  return html + "</tbody></table></div>\n";
}

std::string strand_note(const SweptNet& net) {
  if (net.strands.size() < 2) return "";
  std::string html =
      "<p>Every channel of this net is warped by a field of its own. Drawn are the channels whose "
      "offsets are longest on average: ";
  for (std::size_t k = 0; k < net.strands.size(); ++k)
    html += std::string(k == 0 ? "" : "; ") + "<span class=\"key p" + std::to_string(k) +
            "\"></span> " + page::escaped(describe(net.strands[k]));
  return html + ".</p>\n";
}

}  // namespace

std::string svg_of(const PointPicture& picture) {
  const std::string side = std::to_string(picture.side * kUnits);
  const bool few = !picture.strands.empty() && picture.strands.front().size() < 20;
  std::string svg = "<svg viewBox=\"0 0 " + side + ' ' + side + "\" role=\"img\" aria-label=\"" +
                    page::escaped(picture.described) + "\"><image width=\"" + side +
                    "\" height=\"" + side + "\" href=\"" +
                    page::png_address(picture.pixels, picture.side) + "\"/>";
  svg += few ? "<g class=\"few\">" : "<g>";
  svg += point_paths(picture.regular, "reg");
  if (picture.arrows && !picture.strands.empty() &&
      picture.regular.size() == picture.strands.front().size())
    svg += arrow_paths(picture.regular, picture.strands.front());
  for (std::size_t k = 0; k < picture.strands.size(); ++k)
    svg += point_paths(picture.strands[k], 'p' + std::to_string(k));
  return svg + "</g></svg>";
}

std::string describe(const Strand& strand) {
  std::string text = "channels ";
  for (std::size_t i = 0; i < strand.size(); ++i)
    text += std::string(i == 0                   ? ""
                        : i + 1 == strand.size() ? " and "
                                                 : ", ") +
            std::to_string(strand[i]);
  return text + " of convs 2, 3 and 4";
}

Points regular_points(std::span<const LayerSampling> geometry) {
  return regular_points_up_to(geometry, geometry.size());
}

std::string deformation_of(const SweptNet& net, const Sweep& sweep, const TestSets& test,
                           Device device) {
  const std::size_t shown = std::min<std::size_t>(3, sweep.digits() - 1);
  return strand_note(net) + movement_table(net, test, device) +
         "<h4>Layer by layer</h4>\n<p>Where the middle output of each convolution reads the "
         "picture: 9 taps of conv12, 81 of conv21 through conv12, 729 of conv22 through both.</p>" +
         layer_figures(net, sweep, shown) +
         "<h4>Ten digits, as they are and at half size</h4>\n"
         "<p>All points of the middle output of conv22, and the net’s guess.</p>" +
         contact_sheet(net, sweep);
}

std::string spread_chart(const std::vector<SweptNet>& nets, const Sweep& sweep) {
  const std::string all_regular = "regular nets, whichever";
  std::vector<page::ChartLine> lines;
  for (const SweptNet& net : nets) {
    if (net.net->row->deform.empty()) {
      if (!lines.empty() && lines.front().name == all_regular) continue;
      page::ChartLine regular{.name = all_regular, .style = net.net->style, .points = {}};
      const double radius = radius_of(regular_points(net.geometry));
      for (const double zoom : sweep.zooms) regular.points.emplace_back(zoom, radius);
      lines.insert(lines.begin(), regular);
      continue;
    }
    page::ChartLine line{.name = net.net->name, .style = net.net->style, .points = {}};
    for (std::size_t frame = 0; frame < sweep.frames(); ++frame) {
      double sum = 0;
      std::size_t count = 0;
      for (std::size_t digit = 0; digit < sweep.digits(); ++digit)
        for (const Points& points : net.view(sweep, digit, frame).points) {
          sum += radius_of(points);
          ++count;
        }
      line.points.emplace_back(sweep.zooms[frame], sum / static_cast<double>(count));
    }
    lines.push_back(line);
  }
  return page::line_chart(
             {.title = "How wide the middle output reads while the digits shrink: root mean "
                       "square distance of its points from their middle, mean over digits",
              .x_label = "zoom (digits shrunk so many times)",
              .y_label = "pixels"},
             lines) +
         page::legend(lines);
}

}  // namespace pliant::mnist
