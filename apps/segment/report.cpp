#include <pliant/apps/segment/report.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training_record.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/confusion_table.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/page/text.h>
#include <pliant/apps/segment/assets.h>
#include <pliant/apps/segment/inputs.h>
#include <pliant/apps/segment/overlay.h>
#include <pliant/apps/segment/reading.h>

namespace pliant::segment {
namespace {

constexpr std::int64_t kPictures = 6, kWorst = 4;
constexpr std::int64_t kLongest = 256;        // side of a picture on the page, in pixels
constexpr std::int64_t kThousands = 1000000;  // pixels from which a table counts thousands
constexpr std::size_t kMostClasses = 30;      // of a confusion table that can be read

std::string figure(const std::string& name, const std::string& value) {
  return "<div><dt>" + page::escaped(name) + "</dt><dd>" + page::escaped(value) + "</dd></div>";
}

std::string header(const ReportInput& input) {
  const ReportNet& first = input.nets.front();
  std::string html = "<header>\n<p class=\"brand\">Pliant</p>\n<h1>" +
                     page::escaped(input.nets.size() == 1 ? "DeepLabv3+: " + first.name
                                                          : "DeepLabv3+, plain and deformable") +
                     "</h1>\n";
  if (input.sets.is_example)
    html +=
        "<p class=\"banner\" role=\"note\"><strong>This is the example.</strong> The pictures are "
        "scenes drawn by program; no figure on this page says anything of real pictures.</p>\n";
  html += "<dl>" + figure("data", printable(input.sets.source)) +
          figure("to learn from", grouped(input.sets.train.size())) +
          figure("to choose by", grouped(input.sets.val.size())) +
          figure("judged on", grouped(input.judged.size()));
  for (const ReportNet& net : input.nets) {
    const ClassCounts total(net.confusion);
    html += figure("mIoU of " + net.name, kit::percent(total.mean_iou()));
  }
  if (input.nets.size() == 1)
    html += figure("parameters", grouped(first.net.trainable_count())) +
            figure("best epoch", std::to_string(kit::best_of(first.training.epochs).epoch));
  return html + "</dl>\n</header>\n";
}

std::string curves(const ReportInput& input) {
  std::vector<page::ChartLine> losses, scores;
  for (std::size_t i = 0; i < input.nets.size(); ++i) {
    const ReportNet& net = input.nets[i];
    page::ChartLine loss{.name = net.name, .style = i, .points = {}},
        score{.name = net.name, .style = i, .dots = true, .points = {}};
    for (const kit::CurvePoint& point : net.training.curve)
      loss.points.emplace_back(point.epoch, point.loss);
    for (const kit::EpochPoint& point : net.training.epochs)
      score.points.emplace_back(static_cast<double>(point.epoch), point.measured);
    losses.push_back(std::move(loss));
    scores.push_back(std::move(score));
  }
  return "<div class=\"charts\">" +
         page::line_chart({.title = "Training loss",
                           .x_label = "epochs",
                           .y_label = "cross-entropy, logarithmic",
                           .scale = page::Scale::logarithmic},
                          losses) +
         page::line_chart(
             {.title = "mIoU on val", .x_label = "epochs", .y_label = "per cent", .unit = 0.01},
             scores) +
         "</div>\n" + page::legend(losses);
}

std::string colours(const ReportInput& input) {
  std::string html = "<ul class=\"colours\">";
  for (std::size_t label = 0; label < input.sets.classes.size(); ++label) {
    const auto& [red, green, blue] = input.sets.colours[label];
    html += text_from("<li><i style=\"background:rgb(", int{red}, ',', int{green}, ',', int{blue},
                      ")\"></i>") +
            page::escaped(printable(input.sets.classes[label], 40)) + "</li>";
  }
  return html + "<li><i style=\"background:#fff\"></i>none</li></ul>\n";
}

std::string image_of(const Tensor& picture, const std::string& what) {
  return "<img alt=\"" + page::escaped(what) + "\" src=\"" +
         page::png_address(picture.span<std::uint8_t>(), picture.dim(1), picture.dim(2)) + "\">";
}

// A picture, its truth, and what each net says of it: a row of the grid.
std::string row_of(const ReportInput& input, std::int64_t number) {
  SegmentationSample sample = input.judged.at(number);
  const std::string name = printable(sample.id, 60);
  const std::int64_t longest = std::max(sample.image.dim(0), sample.image.dim(1));
  const auto shown = [&](const Tensor& labels) { return coloured(labels, input.sets.colours); };
  std::string nets;
  for (const ReportNet& net : input.nets) {
    const Tensor guesses =
        guesses_of(probabilities_of(net.net, net.recipe, sample.image, {.device = input.device}));
    Tensor picture = shown(guesses);
    if (longest > kLongest) {  // labels are thinned, not mixed
      Warp warp(picture.dim(0), picture.dim(1));
      warp.resize(picture.dim(0) * kLongest / longest, picture.dim(1) * kLongest / longest);
      picture = shown(warp_mask(guesses, warp));
    }
    const ClassCounts& counts = net.pictures[static_cast<std::size_t>(number)];
    nets += "<figure>" + image_of(picture, name + ": " + net.name) + "<figcaption>" +
            page::escaped(kit::percent(counts.accuracy())) + " right</figcaption></figure>";
  }
  if (longest > kLongest)
    sample = warped(sample, Warp(sample.image.dim(0), sample.image.dim(1))
                                .resize(sample.image.dim(0) * kLongest / longest,
                                        sample.image.dim(1) * kLongest / longest));
  return "<figure>" + image_of(sample.image, name) + "<figcaption>" + page::escaped(name) +
         "</figcaption></figure><figure>" + image_of(shown(sample.mask), name + ": truth") +
         "</figure>" + nets;
}

std::string sides(const ReportInput& input, const std::vector<std::int64_t>& pictures) {
  std::string html =
      "<div class=\"scroll\"><div class=\"sides\" style=\"grid-template-columns:"
      "repeat(" +
      std::to_string(2 + input.nets.size()) +
      ",minmax(7rem,1fr))\"><div class=\"head\">picture</div><div class=\"head\">"
      "truth</div>";
  for (const ReportNet& net : input.nets)
    html += "<div class=\"head\">" + page::escaped(net.name) + "</div>";
  for (const std::int64_t picture : pictures) html += row_of(input, picture);
  return html + "</div></div>\n";
}

std::vector<std::int64_t> spread_pictures(const ReportInput& input) {
  const std::int64_t count = std::min(kPictures, input.judged.size());
  std::vector<std::int64_t> pictures;
  for (std::int64_t i = 0; i < count; ++i) pictures.push_back(i * input.judged.size() / count);
  return pictures;
}

// By the share of their pixels that the nets have right on average.
std::vector<std::int64_t> worst_pictures(const ReportInput& input) {
  const auto score = [&](std::int64_t picture) {
    double sum = 0;
    for (const ReportNet& net : input.nets) {
      const double one = net.pictures[static_cast<std::size_t>(picture)].accuracy();
      sum += std::isnan(one) ? 1 : one;  // a picture without a labelled pixel has nothing wrong
    }
    return sum;
  };
  std::vector<std::int64_t> order(static_cast<std::size_t>(input.judged.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return score(a) < score(b); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(kWorst)));
  return order;
}

std::string confusion(const ReportInput& input) {
  if (input.sets.classes.size() > kMostClasses)
    return page::paragraph(text_from(input.sets.classes.size(),
                                     " classes are too many for a table here; the file of --json "
                                     "has all counts."));
  std::vector<std::string> names;
  for (const std::string& name : input.sets.classes) names.push_back(printable(name, 12));
  std::string html;
  for (const ReportNet& net : input.nets) {
    auto rows = net.confusion.rows();
    std::int64_t total = 0;
    for (const auto& row : rows) total = std::accumulate(row.begin(), row.end(), total);
    const bool thousands = total >= kThousands;
    if (thousands)
      for (auto& row : rows)
        for (std::int64_t& count : row) count = (count + 500) / 1000;
    html += page::confusion_table(rows, names,
                                  net.name + (thousands ? ", thousands of pixels" : ", pixels"));
  }
  return html;
}

}  // namespace

void write_report(const std::filesystem::path& folder, const ReportInput& input) {
  std::string body = header(input) + "<main>\n";
  if (!input.tables.empty()) body += page::section("table", "The table", input.tables);
  body +=
      page::section("sides", "Side by side", colours(input) + sides(input, spread_pictures(input)));
  for (std::size_t i = 0; i < input.nets.size(); ++i) {
    const ReportNet& net = input.nets[i];
    if (const std::string reading = where_it_reads(net.net, net.recipe, input.judged, input.device);
        !reading.empty())
      body += page::section(text_from("reading-", i).c_str(),
                            ("Where it reads: " + net.name).c_str(), reading);
  }
  body += page::section("curves", "How it went", curves(input)) +
          page::section("confusion", "What is taken for what", confusion(input)) +
          page::section("worst", "The worst pictures",
                        colours(input) + sides(input, worst_pictures(input)));
  page::write_page(
      "--report", folder,
      page::html_of(
          {.title = "Pliant: segmentation", .body = body + "</main>\n", .style = kSegmentCss}));
}

}  // namespace pliant::segment
