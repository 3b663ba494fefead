#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::page;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

// The names that the document refers to as figures/NAME.svg.
std::set<std::string> names_in(const std::string& text) {
  const std::regex figure("figures/([a-z0-9-]+)\\.svg");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), figure), end; at != end; ++at)
    names.insert((*at)[1]);
  return names;
}

// How many elements of each kind there are, but for the squares of grey, of which a difference in
// the last bit of a picture can make one more or less.
std::map<std::string, int> elements_of(const std::string& svg) {
  std::map<std::string, int> counts;
  const std::regex element("<([a-z]+)[ >]");
  for (std::sregex_iterator at(svg.begin(), svg.end(), element), end; at != end; ++at)
    if ((*at)[1] != "path") ++counts[(*at)[1]];
  return counts;
}

// Values of an attribute, in the order of the file.
std::vector<double> values_of(const std::string& svg, const std::string& attribute) {
  std::vector<double> values;
  const std::regex pattern(" " + attribute + "=\"([^\"]*)\"");
  for (std::sregex_iterator at(svg.begin(), svg.end(), pattern), end; at != end; ++at)
    values.push_back(std::stod((*at)[1]));
  return values;
}

void check_inside(const std::string& svg) {
  const double width = values_of(svg, "width").at(0), height = values_of(svg, "height").at(0);
  for (const char* const attribute : {"cx", "x1", "x2", "x"})
    for (const double x : values_of(svg, attribute)) CHECK((x >= 0 && x <= width));
  for (const char* const attribute : {"cy", "y1", "y2", "y"})
    for (const double y : values_of(svg, attribute)) CHECK((y >= 0 && y <= height));
  // No line of text is longer than the drawing, taken widely.
  const std::regex text("<text x=\"([0-9.]+)\"[^>]*>([^<]*)<");
  for (std::sregex_iterator at(svg.begin(), svg.end(), text), end; at != end; ++at) {
    CAPTURE(std::string((*at)[2]));
    CHECK(std::stod((*at)[1]) + 5.9 * static_cast<double>((*at)[2].length()) <= width);
  }
}

}  // namespace

TEST_CASE("figures: the document's figures, as they are committed") {
  const std::string document = std::regex_replace(
      text_of(fs::path(PLIANT_SOURCE_DIR) / "docs/operators.md"), std::regex("\\s+"), " ");
  std::set<std::string> drawn;
  std::ostringstream out;
  const TemporaryFolder folder;
  figures::write_figures(folder.path() / "new" / "figures", out);
  for (const auto& entry : fs::directory_iterator(folder.path() / "new" / "figures")) {
    CHECK(entry.path().extension() == ".svg");
    const std::string name = entry.path().stem();
    drawn.insert(name);
    CAPTURE(name);
    CHECK(contains(out.str(), name + ": "));
    const std::string svg = text_of(entry.path());
    const std::string committed =
        text_of(fs::path(PLIANT_SOURCE_DIR) / "docs/figures" / (name + ".svg"));
    CHECK(svg.size() < 60000);
    CHECK(svg.starts_with("<svg xmlns="));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK_FALSE(contains(svg, "nan"));
    CHECK_FALSE(contains(svg, "inf\""));
    check_inside(svg);
    // What was learned, in the words of the figure.
    std::smatch learned;
    if (std::regex_search(committed, learned,
                          std::regex("([^ ]+) -&gt; ([^ ]+ in [0-9]+ Adam steps)")))
      CHECK(contains(document, std::string(learned[1]) + " -> " + std::string(learned[2])));
    // Offsets that were learned may differ in their last bits on another processor, so the places
    // are compared and not the bytes.
    CHECK(elements_of(svg) == elements_of(committed));
    for (const char* const attribute : {"cx", "cy", "r"}) {
      const std::vector<double> now = values_of(svg, attribute),
                                then = values_of(committed, attribute);
      REQUIRE(now.size() == then.size());
      for (std::size_t i = 0; i < now.size(); ++i) CHECK(std::abs(now[i] - then[i]) <= 1.0);
    }
  }
  CHECK(drawn == names_in(document));
}

TEST_CASE("figures: the same bytes on any number of threads") {
  const int before = thread_count();
  std::vector<std::string> files;
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    files.push_back(figures::deform_roi_pool_v2().svg + figures::map_offsets_field().svg);
  }
  set_thread_count(before);
  CHECK(files[0] == files[1]);
}

TEST_CASE("figures: numbers are rounded to a tenth, text is escaped") {
  CHECK(page::tenths(-0.04) == "0");
  CHECK(page::tenths(-1.25) == "-1.3");
  CHECK(page::tenths(12.04) == "12");
  CHECK(page::three_digits(0.00123456) == "0.00123");
  page::Svg svg(10, 10, "a < b", "c & d");
  svg.text(1, 2, "x > y");
  for (const char* const part : {"a &lt; b", "c &amp; d", "x &gt; y"})
    CHECK(contains(svg.file(), part));
}

TEST_CASE("figures: a folder that cannot be made or written is one clear Error") {
  const TemporaryFolder folder;
  const fs::path file = folder.write("file", {1});
  std::ostringstream out;
  const std::string error = error_of([&] { figures::write_figures(file / "inside", out); });
  CHECK(contains(error, "--out: "));
  CHECK(contains(error, (file / "inside").string()));
  CHECK_FALSE(contains(error, "\n"));
}
