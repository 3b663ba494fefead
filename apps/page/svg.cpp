#include <pliant/apps/page/svg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include <pliant/apps/page/text.h>

namespace pliant::page {
namespace {

constexpr int kLevels = 12;  // of grey

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + tenths(value) + '"';
}

std::string grey_of(int level, int darkest) {
  const int grey = 255 - (255 - darkest) * level / (kLevels - 1);
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", static_cast<unsigned>(grey & 255),
                static_cast<unsigned>(grey & 255), static_cast<unsigned>(grey & 255));
  return text.data();
}

double value_at(const Frame& frame, std::span<const double> values, int row, int column) {
  return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(frame.columns) +
                static_cast<std::size_t>(column)];
}

int level_of(double value, const Shades& shades) {
  const double share = (value - shades.low) / (shades.high - shades.low);
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * (kLevels - 1)));
}

}  // namespace

std::string tenths(double value) {
  const long long all = std::llround(value * 10), size = all < 0 ? -all : all;
  std::string text = (all < 0 ? "-" : "") + std::to_string(size / 10);
  if (size % 10 != 0) text += '.' + std::to_string(size % 10);
  return text;
}

std::string three_digits(double value) { return general(value, 3); }

Svg::Svg(double width, double height, std::string_view title, std::string_view description) {
  const std::string w = tenths(width), h = tenths(height);
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
          "\" viewBox=\"0 0 " + w + ' ' + h +
          "\" role=\"img\" font-family=\"-apple-system,'Segoe UI',Helvetica,Arial,sans-serif\" "
          "font-size=\"12\" fill=\"#24292f\">\n<title>" +
          escaped(title) + "</title>\n<desc>" + escaped(description) + "</desc>\n<rect width=\"" +
          w + "\" height=\"" + h + "\" rx=\"6\" fill=\"#ffffff\"/>\n";
}

void Svg::heading(double y, double x, std::string_view text) {
  body_ += "<text" + attribute("x", x) + attribute("y", y) + " font-weight=\"600\">" +
           escaped(text) + "</text>\n";
}

void Svg::text(double y, double x, std::string_view text, Anchor anchor) {
  body_ += "<text" + attribute("x", x) + attribute("y", y) +
           (anchor == Anchor::middle ? " text-anchor=\"middle\">" : ">") + escaped(text) +
           "</text>\n";
}

void Svg::rectangle(double y, double x, double height, double width, std::string_view attributes) {
  body_ += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
           attribute("height", height) + ' ' + std::string(attributes) + "/>\n";
}

void Svg::circle(const Place& at, double radius, std::string_view attributes) {
  body_ += "<circle" + attribute("cx", at.x) + attribute("cy", at.y) + attribute("r", radius) +
           (attributes.empty() ? "" : ' ' + std::string(attributes)) + "/>\n";
}

void Svg::line(const Place& from, const Place& to, std::string_view attributes) {
  body_ += "<line" + attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) +
           attribute("y2", to.y) + (attributes.empty() ? "" : ' ' + std::string(attributes)) +
           "/>\n";
}

void Svg::path(std::span<const Place> points, std::string_view attributes) {
  std::string data;
  char command = 'M';
  for (const Place& point : points) {
    if (std::isnan(point.x) || std::isnan(point.y)) {
      command = 'M';
      continue;
    }
    data += command + tenths(point.x) + ' ' + tenths(point.y);
    command = 'L';
  }
  body_ += "<path d=\"" + data + "\" fill=\"none\" " + std::string(attributes) + "/>\n";
}

void Svg::arrow(const Place& from, const Place& to, std::string_view colour) {
  const double dx = to.x - from.x, dy = to.y - from.y, length = std::hypot(dx, dy);
  if (length < 1) return;
  const double head = std::min(4.0, length / 2), ux = dx / length, uy = dy / length;
  const Place left{to.y - head * uy + head / 2 * ux, to.x - head * ux - head / 2 * uy};
  const Place right{to.y - head * uy - head / 2 * ux, to.x - head * ux + head / 2 * uy};
  const double gap = std::nan("");
  const Place points[] = {from, to, {gap, gap}, left, to, right};
  path(points, "stroke=\"" + std::string(colour) + '"');
}

void Svg::open(std::string_view attributes) { body_ += "<g " + std::string(attributes) + ">\n"; }

void Svg::close() { body_ += "</g>\n"; }

// Squares of one grey in one path, neighbours of a row in one rectangle.
void draw_map(Svg& svg, const Frame& frame, std::span<const double> values, const Shades& shades) {
  if (frame.margin > 0)
    svg.rectangle(frame.y, frame.x, frame.height(), frame.width(), "fill=\"#eef1f4\"");
  std::map<int, std::string> paths;
  const auto level = [&](int i, int j) { return level_of(value_at(frame, values, i, j), shades); };
  const double top = frame.y + frame.margin * frame.unit,
               left = frame.x + frame.margin * frame.unit;
  for (int i = 0; i < frame.rows; ++i)
    for (int j = 0, end = 0; j < frame.columns; j = end) {
      const int own = level(i, j);
      while (end < frame.columns && level(i, end) == own) ++end;
      if (own == 0) continue;
      const std::string width = tenths((end - j) * frame.unit);
      std::string& path = paths[own];
      for (const std::string& part :
           {std::string("M"), tenths(left + j * frame.unit), std::string(" "),
            tenths(top + i * frame.unit), std::string("h"), width, std::string("v"),
            tenths(frame.unit), std::string("h-"), width, std::string("z")})
        path += part;
    }
  svg.rectangle(top, left, frame.rows * frame.unit, frame.columns * frame.unit, "fill=\"#ffffff\"");
  for (const auto& [own, path] : paths)
    svg.raw("<path fill=\"" + grey_of(own, shades.darkest) + "\" d=\"" + path + "\"/>\n");
  svg.rectangle(top, left, frame.rows * frame.unit, frame.columns * frame.unit,
                "fill=\"none\" stroke=\"#8c959f\"");
}

void draw_numbers(Svg& svg, const Frame& frame, std::span<const double> values,
                  const Shades& shades) {
  draw_map(svg, frame, values, shades);
  for (int i = 0; i < frame.rows; ++i)
    for (int j = 0; j < frame.columns; ++j) {
      const Place middle = frame.at({static_cast<double>(i), static_cast<double>(j)});
      const double value = value_at(frame, values, i, j);
      const std::string text = fixed(std::abs(value) < 0.005 ? 0.0 : value, 2);
      svg.text(middle.y + 4, middle.x, text, Anchor::middle);
    }
}

void draw_taps(Svg& svg, const Frame& frame, std::span<const Tap> taps) {
  svg.open("stroke=\"#8c959f\" stroke-width=\"0.7\"");
  for (const Tap& tap : taps) svg.line(frame.at(tap.regular), frame.at(tap.moved), "");
  svg.close();
  svg.open("fill=\"#ffffff\" fill-opacity=\"0.6\" stroke=\"#24292f\" stroke-width=\"1.1\"");
  for (const Tap& tap : taps) svg.circle(frame.at(tap.regular), 3, "");
  svg.close();
  for (int colour = 0; colour < 4; ++colour)
    for (const bool ring : {false, true}) {
      const auto drawn = [&](const Tap& tap) {
        return tap.colour == colour && (tap.weight < 0) == ring;
      };
      if (std::none_of(taps.begin(), taps.end(), drawn)) continue;
      const std::string own = kColours[colour];
      svg.open(ring ? "fill=\"#ffffff\" stroke-width=\"2\" stroke=\"" + own + '"'
                    : "stroke=\"#ffffff\" stroke-width=\"0.9\" fill=\"" + own + '"');
      for (const Tap& tap : taps)
        if (drawn(tap))
          svg.circle(frame.at(tap.moved), std::max(1.8, 4.2 * std::sqrt(std::abs(tap.weight))), "");
      svg.close();
    }
}

void draw_lattice(Svg& svg, const Frame& frame, std::span<const Tap> taps) {
  std::vector<Place> points;
  const double gap = std::nan("");
  for (const bool rows : {true, false})
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j)
        points.push_back(frame.at(taps[rows ? 3 * i + j : 3 * j + i].moved));
      points.push_back({gap, gap});
    }
  svg.path(points, "stroke-width=\"1.4\" stroke=\"" + std::string(kColours[taps[0].colour]) + '"');
}

void draw_location(Svg& svg, const Frame& frame, const Place& at) {
  const Place middle = frame.at(at);
  constexpr const char* kStroke = "stroke=\"#cf222e\" stroke-width=\"1.8\"";
  svg.line({middle.y - 5, middle.x}, {middle.y + 5, middle.x}, kStroke);
  svg.line({middle.y, middle.x - 5}, {middle.y, middle.x + 5}, kStroke);
}

}  // namespace pliant::page
