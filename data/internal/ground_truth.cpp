#include <pliant/data/internal/ground_truth.h>

#include <algorithm>
#include <cmath>

#include <pliant/data/internal/files.h>

namespace pliant {
namespace {

std::vector<double> numbers_in(std::string_view line, const std::string& where) {
  constexpr std::string_view between = ",; \t";
  std::vector<double> numbers;
  for (std::size_t at = line.find_first_not_of(between); at < line.size();
       at = line.find_first_not_of(between, at)) {
    const std::size_t end = std::min(line.find_first_of(between, at), line.size());
    const std::optional<double> value = number_in(line.substr(at, end - at));
    require(value && !(std::abs(*value) > kFarthest), where, "\"",
            printable(line.substr(at, end - at), 40), "\" is no number of pixels");
    numbers.push_back(*value);
    at = end;
  }
  return numbers;
}

double area_of(const Polygon& polygon) {
  double twice = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point& a = polygon[i];
    const Point& b = polygon[i + 1 == polygon.size() ? 0 : i + 1];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 2;
}

FrameTruth rectangle(const std::vector<double>& n, double origin) {
  if (!(n[2] > 0 && n[3] > 0)) return {};
  const double x = n[0] - origin, y = n[1] - origin;
  return {true, x, y, x + n[2], y + n[3], {}};
}

FrameTruth outline(const std::vector<double>& n, double origin) {
  FrameTruth truth;
  for (std::size_t i = 0; i < n.size(); i += 2)
    truth.polygon.push_back({n[i] - origin, n[i + 1] - origin});
  if (!(area_of(truth.polygon) > 0)) return {};
  const auto [left, right] =
      std::minmax_element(truth.polygon.begin(), truth.polygon.end(),
                          [](const Point& a, const Point& b) { return a.x < b.x; });
  const auto [top, bottom] =
      std::minmax_element(truth.polygon.begin(), truth.polygon.end(),
                          [](const Point& a, const Point& b) { return a.y < b.y; });
  truth.present = true;
  truth.x1 = left->x;
  truth.y1 = top->y;
  truth.x2 = right->x;
  truth.y2 = bottom->y;
  return truth;
}

}  // namespace

std::vector<FrameTruth> read_ground_truth(const std::filesystem::path& path, double origin) {
  std::vector<FrameTruth> truth;
  for (const std::string& line : read_lines(path)) {
    const std::string where = text_from(path.string(), ": line ", truth.size() + 1, ": ");
    const std::vector<double> numbers = numbers_in(line, where);
    const std::size_t count = numbers.size();
    require(count == 4 || (count >= 6 && count % 2 == 0), where, count,
            " numbers, expected x y width height, or x y of three corners or more");
    const bool known = std::none_of(numbers.begin(), numbers.end(),
                                    [](double number) { return std::isnan(number); });
    truth.push_back(!known       ? FrameTruth{}
                    : count == 4 ? rectangle(numbers, origin)
                                 : outline(numbers, origin));
  }
  return truth;
}

}  // namespace pliant
