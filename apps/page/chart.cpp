#include <pliant/apps/page/chart.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <pliant/apps/page/text.h>

namespace pliant::page {
namespace {

constexpr double kWidth = 460, kHeight = 300;
constexpr double kLeft = 56, kRight = 12, kTop = 12, kBottom = 46;
constexpr std::size_t kMostPoints = 240;
constexpr int kMostTicks = 12;
constexpr double kLargest = 1e300;  // that is drawn: axes reach a little further
constexpr double kFlat = 1e-9;      // a range of so small a share of its ends is none

struct Tick {
  double at = 0;
  std::string text;
};

// 0.05 -> 2 decimals are needed to write multiples of it.
int decimals_of(double step) {
  return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
}

std::vector<Tick> linear_ticks(double low, double high) {
  const double rough = (high - low) / 5, power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double candidate : {1.0, 2.0, 5.0})
    if (candidate * power >= rough) {
      step = candidate * power;
      break;
    }
  std::vector<Tick> ticks;
  const double first = std::ceil(low / step - 1e-9) + 0.0;
  for (int i = 0; i < kMostTicks && (first + i) * step <= high + 1e-9 * step; ++i)
    ticks.push_back({(first + i) * step, fixed((first + i) * step, decimals_of(step))});
  return ticks;
}

// Powers of ten in full as long as they are short.
std::string text_of(double at, int exponent) {
  return std::abs(exponent) <= 6 ? fixed(at, std::max(0, -exponent)) : general(at, 3);
}

std::vector<Tick> logarithmic_ticks(double low, double high) {
  std::vector<Tick> ticks;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::floor(std::log10(high)));
  const int apart = 1 + (last - first) / kMostTicks;  // decades from one tick to the next
  for (const auto& factors :
       {std::vector{1.0}, std::vector{1.0, 3.0}, std::vector{1.0, 2.0, 5.0}}) {
    ticks.clear();
    for (int exponent = first; exponent <= last; exponent += apart)
      for (const double factor : factors) {
        const double at = factor * std::pow(10.0, exponent);
        if (at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9))
          ticks.push_back({at, text_of(at, exponent)});
      }
    if (ticks.size() >= 4) break;
  }
  return ticks;
}

// One axis: values to places along `from` .. `to`.
struct Axis {
  Scale scale = Scale::linear;
  double low = 0, high = 1, from = 0, to = 1;

  double operator()(double v) const {
    const double share = scale == Scale::linear
                             ? (v - low) / (high - low)
                             : (std::log(v) - std::log(low)) / (std::log(high) - std::log(low));
    return from + share * (to - from);
  }
  std::vector<Tick> ticks() const {
    return scale == Scale::linear ? linear_ticks(low, high) : logarithmic_ticks(low, high);
  }
};

// Averages neighbours so that a long curve stays small.
std::vector<std::pair<double, double>> thinned(
    const std::vector<std::pair<double, double>>& points) {
  if (points.size() <= kMostPoints) return points;
  std::vector<std::pair<double, double>> result;
  for (std::size_t k = 0; k < kMostPoints; ++k) {
    const std::size_t begin = k * points.size() / kMostPoints;
    const std::size_t end = (k + 1) * points.size() / kMostPoints;
    double x = 0, y = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto count = static_cast<double>(i - begin + 1);
      x += (points[i].first - x) / count;
      y += (points[i].second - y) / count;
    }
    result.emplace_back(x, y);
  }
  result.back().first = points.back().first;  // so that the curve ends where it did
  return result;
}

std::vector<ChartLine> drawable(const Chart& chart, const std::vector<ChartLine>& lines) {
  std::vector<ChartLine> result;
  for (ChartLine line : lines) {
    for (auto& point : line.points) point.second /= chart.unit;
    std::erase_if(line.points, [&](const auto& point) {
      return !(std::abs(point.first) <= kLargest) || !(std::abs(point.second) <= kLargest) ||
             (chart.scale == Scale::logarithmic && point.second <= 0);
    });
    line.points = thinned(line.points);
    if (!line.points.empty()) result.push_back(std::move(line));
  }
  return result;
}

bool is_flat(double low, double high) {
  return high - low <= kFlat * std::max(std::abs(low), std::abs(high));
}

std::pair<Axis, Axis> axes_of(const Chart& chart, const std::vector<ChartLine>& lines) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double x_low = kInfinity, x_high = -kInfinity, y_low = kInfinity, y_high = -kInfinity;
  for (const ChartLine& line : lines)
    for (const auto& [x, y] : line.points) {
      x_low = std::min(x_low, x);
      x_high = std::max(x_high, x);
      y_low = std::min(y_low, y);
      y_high = std::max(y_high, y);
    }
  if (x_low > 0 && x_low < 0.1 * x_high) x_low = 0;
  if (is_flat(x_low, x_high)) x_high = x_low + std::max(1.0, 1e-3 * std::abs(x_low));
  if (chart.scale == Scale::logarithmic) {
    y_low /= 1.15;
    y_high *= 1.15;
  } else {
    const double margin =
        is_flat(y_low, y_high) ? std::max(0.5, 1e-3 * std::abs(y_low)) : 0.06 * (y_high - y_low);
    y_low -= margin;
    y_high += margin;
  }
  return {{Scale::linear, x_low, x_high, kLeft, kWidth - kRight},
          {chart.scale, y_low, y_high, kHeight - kBottom, kTop}};
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" text-anchor=\"" + anchor +
         "\">" + escaped(text) + "</text>";
}

std::string grid(const Chart& chart, const Axis& x, const Axis& y) {
  std::string svg = "<g class=\"grid\">";
  std::string texts;
  for (const Tick& tick : y.ticks()) {
    const std::string at = fixed(y(tick.at), 1);
    svg += "<path d=\"M" + fixed(x.from, 1) + ' ' + at + 'H' + fixed(x.to, 1) + "\"/>";
    texts += text_at(x.from - 7, y(tick.at) + 4, "end", tick.text);
  }
  for (const Tick& tick : x.ticks()) {
    const std::string at = fixed(x(tick.at), 1);
    svg += "<path d=\"M" + at + ' ' + fixed(y.from, 1) + "v5\"/>";
    texts += text_at(x(tick.at), y.from + 19, "middle", tick.text);
  }
  svg += "</g>" + texts;
  svg += text_at((x.from + x.to) / 2, kHeight - 8, "middle", chart.x_label);
  svg += "<text class=\"y\" text-anchor=\"middle\" transform=\"translate(14 " +
         fixed((y.from + y.to) / 2, 1) + ") rotate(-90)\">" + escaped(chart.y_label) + "</text>";
  return svg;
}

std::string stroke(const ChartLine& line, const Axis& x, const Axis& y) {
  std::string path, dots;
  for (const auto& [px, py] : line.points) {
    const std::string at = fixed(x(px), 1) + ' ' + fixed(y(py), 1);
    path += (path.empty() ? "M" : "L") + at;
    if (line.dots || line.points.size() == 1) dots += 'M' + at + "h0";
  }
  std::string svg = "<g class=\"line " + line_class(line.style) + (line.thin ? " thin" : "") +
                    "\"><title>" + escaped(line.name) + "</title><path d=\"" + path + "\"/>";
  if (!dots.empty()) svg += "<path class=\"dots\" d=\"" + dots + "\"/>";
  return svg + "</g>";
}

}  // namespace

std::string line_class(std::size_t style) {
  return 's' + std::to_string(style % 8) + " d" + std::to_string(style / 8 % 3);
}

std::string line_chart(const Chart& chart, const std::vector<ChartLine>& lines) {
  const std::vector<ChartLine> drawn = drawable(chart, lines);
  std::string html =
      "<figure class=\"chart\"><figcaption>" + escaped(chart.title) + "</figcaption>";
  if (drawn.empty()) return html + "<p class=\"absent\">No such curve was recorded.</p></figure>\n";
  const auto [x, y] = axes_of(chart, drawn);
  html += "<svg viewBox=\"0 0 " + fixed(kWidth, 0) + ' ' + fixed(kHeight, 0) +
          "\" role=\"img\" aria-label=\"" + escaped(chart.title) + ", " +
          counted(static_cast<std::int64_t>(drawn.size()), "line") + ", from " + fixed(y.low, 3) +
          " to " + fixed(y.high, 3) + "\">" + grid(chart, x, y);
  for (const ChartLine& line : drawn) html += stroke(line, x, y);
  return html + "</svg></figure>\n";
}

std::string legend(const std::vector<ChartLine>& lines) {
  std::set<std::size_t> named;
  std::string html = "<ul class=\"legend\">";
  for (const ChartLine& line : lines) {
    if (!named.insert(line.style).second) continue;
    html += "<li><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><g class=\"line " +
            line_class(line.style) + "\"><path d=\"M1 5H29\"/></g></svg>" + escaped(line.name) +
            "</li>";
  }
  return html + "</ul>\n";
}

}  // namespace pliant::page
