#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <pliant/apps/mnist/report/mistakes.h>
#include <pliant/apps/mnist/report/report.h>
#include <pliant/apps/mnist/report/sweep.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/text.h>
#include <pliant/data/digits.h>
#include <pliant/layers/sampling.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::page;
using namespace pliant::test;

namespace {

constexpr std::size_t kConv12 = 0, kConv22 = 2;

LabelledImages few_digits() { return make_digits(60, Rng(3)); }

// Digit nets learn nothing here; heads start as zeros, so offsets come from their biases alone.
DigitNet net_of(Deform deform) {
  DigitNet net(deform);
  net.initialise(Rng(1));
  return net;
}

void set_bias(DigitNet& net, const std::string& name, const std::function<float(std::size_t)>& at) {
  for (Parameter parameter : net.parameters()) {
    if (parameter.name() != name) continue;
    Tensor value = parameter.value().clone();
    const auto span = value.mutable_span<float>();
    for (std::size_t i = 0; i < span.size(); ++i) span[i] = at(i);
    parameter.set(value);
  }
}

Tensor two_pictures() { return random({2, 28, 28, 1}, 5, 0.0, 1.0, DType::float32); }

RowResult row_of(const std::string& key, const std::string& deform, const std::string& finetune) {
  RowResult row;
  row.key = key;
  row.model = deform.empty() ? "regular" : "deformable";
  row.deform = deform;
  row.finetune = finetune;
  row.mnist = 0.9;
  row.scaled = 0.5;
  row.plain_confusion[3][5] = 7;
  row.plain_confusion[3][3] = 93;
  row.curve = {{0.5, 1e-3, 0.9, 0.6}, {1.0, 1e-4, 0.3, 0.9}};
  return row;
}

ReportInput input_of(std::vector<RowResult> rows) {
  ReportInput input;
  input.results.dataset = "mnist";
  input.results.rows = std::move(rows);
  input.raw = few_digits();
  input.test = make_test_sets(input.raw);
  input.net = [](const RowResult& row) -> std::optional<DigitNet> {
    return net_of(row.deform.empty() ? Deform::none : deform_from(row.deform));
  };
  return input;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++count;
  return count;
}

bool has(const std::string& text, const std::string& part) { return occurrences(text, part) > 0; }

// Every element that is opened is closed, in order. Empty if so. What stands in scripts and style
// sheets is not looked at; attributes hold no '>'.
std::string unbalanced(const std::string& html) {
  static const std::set<std::string> empty = {"!DOCTYPE", "meta",  "link", "br",
                                              "img",      "input", "path", "image"};
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string::npos;) {
    const std::size_t end = html.find_first_of(" >/\n", at + 2);
    const std::string name = html.substr(at + 1, end - at - 1);
    at = html.find('>', at);
    if (at == std::string::npos) return "<" + name + " is not finished";
    if (empty.contains(name)) continue;
    if (name == "script" || name == "style") {
      at = html.find("</" + name + ">", at) + 1;
    } else if (name[0] != '/') {
      open.push_back(name);
    } else if (open.empty() || "/" + open.back() != name) {
      return "<" + name + "> closes " + (open.empty() ? "nothing" : open.back());
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

}  // namespace

TEST_CASE("html: what is not balanced is found") {
  CHECK(unbalanced("<p a=\"b\">x<br><b>y</b></p><script>a < b</script>") == "");
  CHECK(unbalanced("<p><b>y</p></b>") == "</p> closes b");
  CHECK(unbalanced("<p>") == "<p> stays open");
  CHECK(unbalanced("</p>") == "</p> closes nothing");
}

TEST_CASE("html: text is escaped, bytes become base64") {
  CHECK(escaped("<a href=\"x\">'&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  const auto encoded = [](const std::string& text) {
    return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  CHECK(encoded("") == "");
  CHECK(encoded("M") == "TQ==");
  CHECK(encoded("Ma") == "TWE=");
  CHECK(encoded("Man") == "TWFu");
}

TEST_CASE("html: a picture is a PNG as libpng writes it") {
  // 2 x 1 pixels, 0 and 255; checksums by another implementation (Python's zlib).
  const std::vector<std::uint8_t> grey = {0, 255};
  CHECK(png_address(std::span<const std::uint8_t>(grey), 2) ==
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAADklEQVR4AQEDAPz/AAD/"
        "AQIBALcBLvcAAAAASUVORK5CYII=");
  CHECK_THROWS_WITH_AS(png_address(std::span<const std::uint8_t>(grey), 3),
                       "png: 2 bytes do not make rows of 3 pixels of 1", Error);
}

TEST_CASE("samplings: the forward pass gives them, with the geometry of convs 2 to 4") {
  const DigitNet net = net_of(Deform::dcn2);
  const std::vector<LayerSampling> layers = net.samplings(two_pictures());
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].name == "conv12");
  CHECK(layers[0].input == Size2(28));
  CHECK(layers[0].output == Size2(14));
  CHECK(layers[2].output == Size2(7));
  CHECK(layers[2].offsets.shape() == Shape{2, 7, 7, 18});
  CHECK(layers[2].mask.shape() == Shape{2, 7, 7, 9});
  CHECK_FALSE(layers[2].field.defined());
  const auto fields = net_of(Deform::offset_field).samplings(two_pictures());
  CHECK(fields[1].field.shape() == Shape{2, 14, 14, 128});
  CHECK_FALSE(fields[1].offsets.defined());
  CHECK_FALSE(net_of(Deform::none).samplings(two_pictures())[0].offsets.defined());
}

TEST_CASE("tracing: without offsets every kind reads the regular grid") {
  const auto regular = net_of(Deform::none).samplings(two_pictures());
  const Points grid = trace(regular, 0, 3, 3);
  REQUIRE(grid.size() == 729);
  // conv22 reads rows 6..8, conv21 5..9, conv12 10..20.
  double low = 100, high = -100;
  std::set<std::pair<double, double>> places;
  for (const SamplingPoint& point : grid) {
    low = std::min({low, point.y, point.x});
    high = std::max({high, point.y, point.x});
    places.insert({point.y, point.x});
  }
  CHECK(low == 10);
  CHECK(high == 20);
  CHECK(places.size() == 121);
  for (const Deform deform : {Deform::dcn1, Deform::dcn2, Deform::offset_field}) {
    const auto layers = net_of(deform).samplings(two_pictures());
    for (const auto& [y, x] : {std::pair{3, 3}, std::pair{0, 6}}) {
      const Points expected = trace(regular, 1, y, x), points = trace(layers, 1, y, x, {0, 5, 9});
      REQUIRE(points.size() == expected.size());
      for (std::size_t i = 0; i < points.size(); ++i) {
        CHECK(points[i].y == expected[i].y);
        CHECK(points[i].x == expected[i].x);
        CHECK(points[i].weight == expected[i].weight);
      }
    }
  }
}

TEST_CASE("tracing: padding's samples are dropped") {
  const auto layers = net_of(Deform::none).samplings(two_pictures());
  // The last output's taps 12, 13, 14 of a map of 14: the last one reads zeros.
  CHECK(trace(std::span(layers).subspan(2), 0, 6, 6).size() == 4);
  // conv21 at (0, 0) loses its upper and left taps.
  CHECK(trace(std::span(layers).subspan(1, 1), 0, 0, 0).size() == 4);
}

TEST_CASE("tracing: a constant offset in one layer moves the points by its stride below") {
  DigitNet net = net_of(Deform::dcn2);
  const Points before = trace(net.samplings(two_pictures()), 0, 3, 3);
  // conv22 by (0.5, -0.25) of its map; two strides of 1 and 2 lie below it.
  set_bias(net, "conv22.offset.bias", [](std::size_t i) { return i % 2 == 0 ? 0.5f : -0.25f; });
  const Points after = trace(net.samplings(two_pictures()), 0, 3, 3);
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].y == doctest::Approx(before[i].y + 1.0));
    CHECK(after[i].x == doctest::Approx(before[i].x - 0.5));
  }
  // conv12's own: at the picture, one to one; the last tap alone.
  set_bias(net, "conv22.offset.bias", [](std::size_t) { return 0.0f; });
  set_bias(net, "conv12.offset.bias", [](std::size_t i) { return i == 17 ? 3.0f : 0.0f; });
  const Points lowest = trace(net.samplings(two_pictures()), 0, 3, 3);
  for (std::size_t i = 0; i < lowest.size(); ++i)
    CHECK(lowest[i].x - before[i].x == doctest::Approx(i % 9 == 8 ? 3.0 : 0.0));
  CHECK(radius_of(lowest) > radius_of(before));
}

TEST_CASE("tracing: masks multiply; what is read half outside counts half") {
  DigitNet net = net_of(Deform::dcn2);
  const float quarter = -std::log(7.0f);  // 2 * sigmoid of it is 1/4
  set_bias(net, "conv12.mask.bias", [&](std::size_t) { return quarter; });
  set_bias(net, "conv21.mask.bias", [&](std::size_t) { return quarter; });
  for (const SamplingPoint& point : trace(net.samplings(two_pictures()), 0, 3, 3))
    CHECK(point.weight == doctest::Approx(1.0 / 16));
  DigitNet moved = net_of(Deform::dcn1);
  set_bias(moved, "conv22.offset.bias", [](std::size_t i) { return i % 2 == 0 ? -0.5f : 0.0f; });
  const auto layers = moved.samplings(two_pictures());
  const Points points = trace(std::span(layers).subspan(kConv22), 0, 0, 0);
  REQUIRE(points.size() == 9);
  CHECK(points[0].weight == doctest::Approx(0.5));
  CHECK(points[0].y == 0.0);
  CHECK(points[8].weight == 1.0);
}

TEST_CASE("tracing: a warp moves by its channel's field; the strongest channels come first") {
  auto layers = net_of(Deform::offset_field).samplings(two_pictures());
  const Points before = trace(layers, 0, 3, 3, {0, 0, 0});
  const auto field = layers[kConv12].field.mutable_span<float>();
  for (std::size_t i = 0; i < field.size(); ++i) field[i] = i % 64 == 14 ? 2.0f : 0.0f;
  CHECK(strongest_strands(layers, 2)[0] == Strand{7, 0, 0});
  const Points after = trace(layers, 0, 3, 3, {7, 0, 0});
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].y == before[i].y + 2);
    CHECK(after[i].x == before[i].x);
  }
  CHECK(movement_of(layers[kConv12]).mean == doctest::Approx(2.0 / 32));
  CHECK(movement_of(layers[kConv12]).largest == 2.0);
  CHECK_THROWS_AS(trace(layers, 0, 3, 3, {32, 0, 0}), Error);
  CHECK_THROWS_AS(trace(layers, 0, 3, 3), Error);
}

TEST_CASE("sweep: the first digit of each class, shrunk by the rule of the scaled digits") {
  const LabelledImages raw = few_digits();
  const Sweep sweep = make_sweep(raw);
  CHECK(sweep.zooms.front() == 1.0);
  CHECK(sweep.zooms.back() == 2.5);
  CHECK(sweep.frames() >= 24);
  for (std::size_t digit = 0; digit < sweep.digits(); ++digit) {
    const auto index = static_cast<std::size_t>(sweep.indices[digit]);
    CHECK(raw.labels.span<std::int64_t>()[index] == sweep.labels[digit]);
    const auto shown = sweep.picture(digit, 0);
    const auto pixels = raw.images.span<std::uint8_t>().subspan(index * 784, 784);
    CHECK(std::equal(shown.begin(), shown.end(), pixels.begin(),
                     [](float a, std::uint8_t b) { return a == static_cast<float>(b) / 255.0f; }));
    const auto small = sweep.picture(digit, sweep.frames() - 1);
    const auto ink = [](std::span<const float> picture) {
      return std::count_if(picture.begin(), picture.end(), [](float v) { return v > 0; });
    };
    CHECK(ink(small) < ink(shown));
  }
}

TEST_CASE("mistakes: the surest first, right guesses left out") {
  const Tensor labels = Tensor::from<std::int64_t>({1, 2, 3, 4}, {4});
  const auto wrong = surest_mistakes({{1, 0.99}, {7, 0.6}, {5, 0.9}, {0, 0.7}}, labels, 2);
  REQUIRE(wrong.size() == 2);
  CHECK(wrong[0].index == 2);
  CHECK(wrong[0].guess.label == 5);
  CHECK(wrong[1].index == 3);
}

TEST_CASE("charts: values that cannot be drawn are left out, none at all is said") {
  const Chart loss{.title = "loss", .x_label = "x", .y_label = "y", .scale = Scale::logarithmic};
  CHECK(has(line_chart(loss, {}), "No such curve"));
  CHECK(has(line_chart(loss, {{.name = "a", .points = {{0, 0.0}, {1, -1.0}}}}), "No such curve"));
  const double nan = std::nan("");
  const std::string html =
      line_chart(loss, {{.name = "<a>", .points = {{0, 1.0}, {1, nan}, {2, 0.1}}}});
  CHECK(has(html, "<title>&lt;a&gt;</title>"));
  CHECK_FALSE(has(html, "nan"));
  CHECK_FALSE(has(html, "inf"));
}

TEST_CASE("report: a whole page of every kind of net, well-formed, that asks for nothing") {
  ReportInput input =
      input_of({row_of("none", "", "none"), row_of("dcn2/offsets", "dcn2", "offsets"),
                row_of("offset-field/offsets", "offset-field", "offsets")});
  input.source = "<script>alert(1)</script>\x1B\xFF";
  input.results.preset = "a&b";
  const std::string html = html_report(input);
  CHECK(unbalanced(html) == "");
  CHECK(html.starts_with("<!DOCTYPE html>"));
  CHECK_FALSE(has(html, "<script>alert"));
  CHECK(has(html,
            "&lt;script&gt;alert(1)&lt;/script&gt;?"
            "?</small>"));  // whatever a name holds
  CHECK(has(html, "a&amp;b"));
  CHECK_FALSE(has(html, "http://"));
  CHECK_FALSE(has(html, "https://"));
  CHECK_FALSE(has(html, "NOT MNIST"));
  CHECK_FALSE(has(html, "class=\"banner\""));
  CHECK(has(html, "98.74"));
  CHECK(has(html, "92.55"));
  CHECK(has(html, "only BatchNorm differs"));
  // Chosen by default: none and the best deformable, plain and scaled.
  CHECK(occurrences(html, "class=\"confusion\"") == 4);
  CHECK(has(html, "id=\"sweep-data\""));
  CHECK(has(html, "channels "));
  CHECK(html.size() < 8u << 20);
  input.chosen = {"offset-field/offsets"};
  CHECK(occurrences(html_report(input), "class=\"confusion\"") == 2);
}

TEST_CASE("report: what is missing is said, and the rest is there") {
  SUBCASE("no rows, no pictures") {
    const std::string html = html_report({});
    CHECK(unbalanced(html) == "");
    CHECK(has(html, "No row is finished yet."));
    CHECK(has(html, "test pictures are not at hand"));
    CHECK_FALSE(has(html, "id=\"sweep-data\""));
  }
  SUBCASE("no nets") {
    ReportInput input = input_of({row_of("none", "", "none"), row_of("x", "dcn1", "offsets")});
    input.net = [](const RowResult&) { return std::nullopt; };
    const std::string html = html_report(input);
    CHECK(unbalanced(html) == "");
    CHECK(has(html, "were not kept: regular, none; dcn1, offsets."));
    CHECK(has(html, "no trained deformable net"));
    CHECK(has(html, "7 of 100 wrong"));
  }
  SUBCASE("one net of two, and no curves") {
    ReportInput input = input_of({row_of("none", "", "none"), row_of("x", "dcn1", "offsets")});
    for (RowResult& row : input.results.rows) row.curve.clear();
    input.net = [](const RowResult& row) -> std::optional<DigitNet> {
      if (row.deform.empty()) return std::nullopt;
      return net_of(Deform::dcn1);
    };
    const std::string html = html_report(input);
    CHECK(unbalanced(html) == "");
    CHECK(has(html, "were not kept: regular, none."));
    CHECK(has(html, "id=\"sweep-data\""));
    CHECK(has(html, "No such curve was recorded."));
  }
  SUBCASE("stand-in digits") {
    ReportInput input = input_of({});
    input.results.dataset = "synthetic-digits";
    CHECK(has(html_report(input), "<strong>These are not MNIST.</strong>"));
  }
}

TEST_CASE("charts: ticks begin at 0, long curves end where they did") {
  ChartLine line{.name = "a", .points = {}};
  for (int i = 1; i <= 1000; ++i) line.points.emplace_back(i / 250.0, 1.0 + i);
  const std::string html = line_chart({.title = "t", .x_label = "epochs", .y_label = "y"}, {line});
  CHECK(has(html, ">0</text>"));
  CHECK_FALSE(has(html, ">-0</text>"));
  CHECK(has(html, ">4</text>"));
  CHECK(occurrences(html, "L") < 300);
}

TEST_CASE("report: several seeds give mean and deviation, and thin lines") {
  RowResult first = row_of("none", "", "none"), second = first;
  second.seed = 2;
  second.scaled = 0.6;
  ReportInput input = input_of({first, second});
  input.net = {};
  const std::string html = html_report(input);
  CHECK(has(html, "55.00 <small>± 7.07</small>"));
  CHECK(has(html, "class=\"line s0 d0 thin\""));
}

TEST_CASE("report: the folder is made and index.html replaced, nothing else is left") {
  const TemporaryFolder folder;
  const std::filesystem::path inner = folder.path() / "a" / "b";
  for (int i = 0; i < 2; ++i) write_html_report(inner, {});
  std::ostringstream page;
  page << std::ifstream(inner / "index.html").rdbuf();
  CHECK(page.str() == html_report({}));
  CHECK(std::distance(std::filesystem::directory_iterator(inner), {}) == 1);
  std::ofstream(folder.path() / "file") << "x";
  CHECK_THROWS_AS(write_html_report(folder.path() / "file", {}), Error);
}
