#include <pliant/apps/mnist/report/animation.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/report/deformation.h>
#include <pliant/apps/page/text.h>

namespace pliant::mnist {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostBytes = 3'000'000;  // of points; base64 makes 4 MB of them
constexpr double kFullWeight = 64;             // byte of a point that counts once

bool deforms(const SweptNet& net) { return !net.net->row->deform.empty(); }

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

// Bytes that a digit of the sweep takes.
std::size_t bytes_of_digit(const SweptNet& net, const Sweep& sweep) {
  std::size_t points = 0;
  for (std::size_t frame = 0; frame < sweep.frames(); ++frame)
    for (const Points& strand : net.view(sweep, 0, frame).points) points += strand.size();
  return points * (net.masked ? 3 : 2);
}

// As many digits as fit, evenly spread.
std::vector<std::size_t> digits_that_fit(const std::vector<SweptNet>& nets, const Sweep& sweep) {
  std::size_t bytes = 1;
  for (const SweptNet& net : nets)
    if (deforms(net)) bytes += bytes_of_digit(net, sweep);
  const std::size_t count = std::clamp<std::size_t>(kMostBytes / bytes, 1, sweep.digits());
  std::vector<std::size_t> digits;
  for (std::size_t i = 0; i < count; ++i)
    digits.push_back((2 * i + 1) * sweep.digits() / (2 * count));
  return digits;
}

std::string encoded_pictures(const Sweep& sweep, std::size_t digit) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t frame = 0; frame < sweep.frames(); ++frame)
    for (const float value : sweep.picture(digit, frame))
      bytes.push_back(to_byte(255 * static_cast<double>(value)));
  return page::base64(bytes);
}

// y and x of every point, and its weight where there are masks.
void append(std::vector<std::uint8_t>& bytes, const Points& points, double unit, bool masked) {
  for (const SamplingPoint& point : points) {
    bytes.push_back(to_byte(unit * point.y));
    bytes.push_back(to_byte(unit * point.x));
    if (masked) bytes.push_back(to_byte(kFullWeight * point.weight));
  }
}

ordered_json guesses_json(const SweptNet& net, const Sweep& sweep, std::size_t digit) {
  std::string labels;
  ordered_json probabilities = ordered_json::array();
  for (std::size_t frame = 0; frame < sweep.frames(); ++frame) {
    const Guess& guess = net.view(sweep, digit, frame).guess;
    labels += std::to_string(guess.label);
    probabilities.push_back(std::lround(100 * guess.probability));
  }
  return {{"labels", labels}, {"per_cent", probabilities}};
}

// Where the net reads a digit: by frame and strand. A regular net's points never move: one frame.
ordered_json points_json(const SweptNet& net, const Sweep& sweep, std::size_t digit, double unit) {
  ordered_json counts = ordered_json::array();
  std::vector<std::uint8_t> bytes;
  for (std::size_t frame = 0; frame < (deforms(net) ? sweep.frames() : 1); ++frame)
    for (const Points& points : net.view(sweep, digit, frame).points) {
      counts.push_back(points.size());
      append(bytes, points, unit, net.masked);
    }
  return {{"counts", counts}, {"bytes", page::base64(bytes)}};
}

ordered_json net_json(const SweptNet& net, const Sweep& sweep,
                      const std::vector<std::size_t>& digits, double unit) {
  ordered_json json{{"name", net.net->name},
                    {"masked", net.masked},
                    {"strands", ordered_json::array()},
                    {"digits", ordered_json::array()}};
  if (net.strands.size() > 1)
    for (const Strand& strand : net.strands) json["strands"].push_back(describe(strand));
  for (const std::size_t digit : digits) {
    ordered_json entry = guesses_json(net, sweep, digit);
    // The regular nets' points are those of the first digit.
    if (deforms(net) || digit == digits.front())
      entry["points"] = points_json(net, sweep, digit, unit);
    json["digits"].push_back(entry);
  }
  return json;
}

ordered_json data_of(const std::vector<SweptNet>& nets, const Sweep& sweep) {
  const std::vector<std::size_t> digits = digits_that_fit(nets, sweep);
  const double unit = std::floor(255.0 / static_cast<double>(sweep.side() - 1));
  ordered_json json{{"side", sweep.side()},
                    {"unit", unit},
                    {"weight", kFullWeight},
                    {"zooms", sweep.zooms},
                    {"digits", ordered_json::array()},
                    {"regular", ordered_json::array()},
                    {"deformable", ordered_json::array()}};
  for (const std::size_t digit : digits)
    json["digits"].push_back({{"index", sweep.indices[digit]},
                              {"label", sweep.labels[digit]},
                              {"pictures", encoded_pictures(sweep, digit)}});
  for (const SweptNet& net : nets)
    json[deforms(net) ? "deformable" : "regular"].push_back(net_json(net, sweep, digits, unit));
  return json;
}

// For a <script> element: no "</script>" or "<!--" may stand in it.
std::string safe_in_script(std::string text) {
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;)
    text.replace(at, 1, "\\u003c");
  return text;
}

std::string choice(const std::string& id, const std::string& label) {
  return "<label for=\"" + id + "\">" + label + "</label><select id=\"" + id + "\"></select>";
}

std::string still(const SweptNet& net, const Sweep& sweep, double zoom) {
  const std::size_t digit = sweep.digits() / 2, frame = sweep.frame_of(zoom);
  const bool moved = deforms(net);
  return "<figure>" +
         svg_of({.pixels = sweep.picture(digit, frame),
                 .side = sweep.side(),
                 .regular = regular_points(net.geometry),
                 .strands = moved ? net.view(sweep, digit, frame).points : std::vector<Points>{},
                 .described = "Sampling points of " + net.net->name + " on a " +
                              std::to_string(sweep.labels[digit]) + " shrunk " + fixed(zoom, 1) +
                              " times"}) +
         "<figcaption>" + page::escaped(net.net->name) + ", zoom " + fixed(zoom, 1) +
         "</figcaption></figure>";
}

}  // namespace

std::string animation(const std::vector<SweptNet>& nets, const Sweep& sweep) {
  const auto moving = std::find_if(nets.begin(), nets.end(), deforms);
  const auto regular =
      std::find_if(nets.begin(), nets.end(), [](const SweptNet& net) { return !deforms(net); });
  require(moving != nets.end(), "animation: no deformable net is given");
  std::string html = "<div id=\"sweep\"><div class=\"still points wide\">";
  for (const double zoom : {1.0, 2.5}) {
    if (regular != nets.end()) html += still(*regular, sweep, zoom);
    html += still(*moving, sweep, zoom);
  }
  html +=
      "</div>\n<div class=\"stage\" hidden><div class=\"panels\">"
      "<figure><canvas id=\"sweep-regular\" role=\"img\"></canvas><figcaption>" +
      choice("sweep-regular-net", "Regular") +
      "<p id=\"sweep-regular-says\"></p></figcaption></figure>"
      "<figure><canvas id=\"sweep-deformable\" role=\"img\"></canvas><figcaption>" +
      choice("sweep-deformable-net", "Deformable") +
      "<p id=\"sweep-deformable-says\"></p></figcaption></figure></div>"
      "<div class=\"controls\"><button type=\"button\" id=\"sweep-play\">Play</button>" +
      choice("sweep-digit", "Digit") +
      "<label for=\"sweep-frame\">Zoom <span id=\"sweep-zoom\">1.00</span></label>"
      "<input type=\"range\" id=\"sweep-frame\" min=\"0\" max=\"" +
      std::to_string(sweep.frames() - 1) +
      "\" value=\"0\"></div><p id=\"sweep-strands\"></p></div></div>\n"
      "<script type=\"application/json\" id=\"sweep-data\">";
  return html + safe_in_script(data_of(nets, sweep).dump()) + "</script>\n";
}

}  // namespace pliant::mnist
