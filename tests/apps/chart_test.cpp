// Charts of figures that no axis of round numbers fits.
#include <limits>
#include <string>

#include <pliant/apps/page/chart.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

std::string drawn(const std::vector<std::pair<double, double>>& points,
                  page::Scale scale = page::Scale::linear) {
  return page::line_chart({.title = "t", .x_label = "x", .y_label = "y", .scale = scale},
                          {{.name = "a", .points = points}});
}

void check_drawn(const std::string& html) {
  CHECK(contains(html, "<svg"));
  CHECK(html.size() < 20000);
  for (const char* garbage : {"nan", "inf"}) CHECK_FALSE(contains(html, garbage));
}

}  // namespace

TEST_CASE("chart: values a rounding apart, constants and large ones have an end") {
  check_drawn(drawn({{0, 1.0}, {1, 1.0000000000000002}}));
  check_drawn(drawn({{0, 2.3}, {1, 2.3 + 1e-15}}));
  check_drawn(drawn({{0, 3e15}, {1, 3e15}}));
  check_drawn(drawn({{4e15, 0.5}}));
  check_drawn(drawn({{0, -1e300}, {1, 1e300}}));
  check_drawn(drawn({{0, 1e-300}, {1, 1e300}}, page::Scale::logarithmic));
  check_drawn(drawn({{0, 3e15}, {1, 3e15}}, page::Scale::logarithmic));
}

TEST_CASE("chart: what is too large to draw is left out, also among many points") {
  const double huge = std::numeric_limits<double>::max();
  check_drawn(drawn({{0, 1}, {1, huge}, {2, 2}}));
  check_drawn(drawn({{0, 1}, {1, huge}, {2, 2}}, page::Scale::logarithmic));
  std::vector<std::pair<double, double>> many;
  for (int i = 0; i < 1000; ++i) many.emplace_back(i, 1e300);
  check_drawn(drawn(many));
}
