#include <pliant/apps/train/report.h>

#include <algorithm>
#include <cmath>

#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training_record.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/confusion_table.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/page/text.h>
#include <pliant/apps/train/assets.h>
#include <pliant/apps/train/reading.h>
#include <pliant/data/warp.h>

namespace pliant::train {
namespace {

constexpr std::size_t kMostClasses = 30;  // of a confusion table that can be read
constexpr std::int64_t kThumbnail = 96;   // longest side, in pixels

std::string figure(const std::string& name, const std::string& value) {
  return "<div><dt>" + page::escaped(name) + "</dt><dd>" + page::escaped(value) + "</dd></div>";
}

std::string header(const ReportInput& input) {
  std::string html = "<header>\n<p class=\"brand\">Pliant</p>\n<h1>" +
                     page::escaped(printable(input.recipe.title())) + "</h1>\n";
  if (input.is_example)
    html +=
        "<p class=\"banner\" role=\"note\"><strong>This is the example.</strong> The pictures are "
        "shapes drawn by program; no figure on this page says anything of real pictures.</p>\n";
  return html + "<dl>" + figure("data", input.sets.source) +
         figure("to learn from", grouped(input.sets.train.size())) +
         figure("to choose by", grouped(input.sets.val.size())) +
         figure("parameters", grouped(input.net.parameter_count())) +
         figure("best epoch", std::to_string(kit::best_of(input.training.epochs).epoch)) +
         figure(input.sets.test.size() > 0 ? "right of test" : "right of val",
                kit::percent(input.judgement.accuracy())) +
         figure("pictures a second", fixed(input.training.images_per_second(), 0)) +
         "</dl>\n</header>\n";
}

std::string curves(const kit::Training& training) {
  page::ChartLine loss{.name = "loss", .points = {}}, learned{.name = "training", .points = {}};
  page::ChartLine chosen{.name = "val", .style = 1, .dots = true, .points = {}};
  for (const kit::CurvePoint& point : training.curve) {
    loss.points.emplace_back(point.epoch, point.loss);
    learned.points.emplace_back(point.epoch, point.accuracy);
  }
  for (const kit::EpochPoint& point : training.epochs)
    chosen.points.emplace_back(static_cast<double>(point.epoch), point.measured);
  return "<div class=\"charts\">" +
         page::line_chart({.title = "Training loss",
                           .x_label = "epochs",
                           .y_label = "cross-entropy, logarithmic",
                           .scale = page::Scale::logarithmic},
                          {loss}) +
         page::line_chart({.title = "Share that is right",
                           .x_label = "epochs",
                           .y_label = "per cent",
                           .unit = 0.01},
                          {learned, chosen}) +
         "</div>\n" + page::legend({learned, chosen});
}

// As a data: address, no larger than it is shown.
std::string address_of(const Tensor& picture) {
  const double shrink =
      std::max(1.0, static_cast<double>(std::max(picture.dim(0), picture.dim(1))) / kThumbnail);
  const auto side = [shrink](std::int64_t extent) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(extent) / shrink));
  };
  const Tensor small =
      shrink > 1 ? resize_image(picture, side(picture.dim(0)), side(picture.dim(1))) : picture;
  return page::png_address(small.span<std::uint8_t>(), small.dim(1), small.dim(2));
}

std::string mistakes(const ReportInput& input) {
  if (input.judgement.mistakes.empty()) return page::paragraph("No mistake at all.");
  std::string html = "<ul class=\"mistakes\">";
  for (const Mistake& mistake : input.judgement.mistakes) {
    const std::string &label = input.recipe.classes[static_cast<std::size_t>(mistake.label)],
                      &guess = input.recipe.classes[static_cast<std::size_t>(mistake.guess.label)];
    html += "<li><img width=\"64\" alt=\"" +
            page::escaped(printable(input.judged.name(mistake.picture)) + ": a " +
                          printable(label) + " taken for a " + printable(guess)) +
            "\" src=\"" + address_of(input.judged.read(mistake.picture)) + "\"><span><b>" +
            page::escaped(printable(label, 30)) + "</b> → <b>" +
            page::escaped(printable(guess, 30)) + "</b><br><small>" +
            page::escaped(kit::percent(mistake.guess.probability)) + "</small></span></li>";
  }
  return html + "</ul>\n";
}

std::string confusion(const ReportInput& input) {
  if (input.recipe.classes.size() > kMostClasses)
    return page::paragraph(text_from(input.recipe.classes.size(),
                                     " classes are too many for a table here; the file of --json "
                                     "has all counts."));
  std::vector<std::string> names;
  for (const std::string& name : input.recipe.classes) names.push_back(printable(name, 16));
  return page::confusion_table(input.judgement.confusion.rows(), names,
                               input.sets.test.size() > 0 ? "Test pictures" : "Val pictures");
}

}  // namespace

void write_report(const std::filesystem::path& folder, const ReportInput& input) {
  std::string body = header(input) + "<main>\n" +
                     page::section("curves", "How it went", curves(input.training)) +
                     page::section("confusion", "What is taken for what", confusion(input)) +
                     page::section("mistakes", "The surest mistakes", mistakes(input));
  if (const std::string reading =
          where_it_reads(input.net, input.judged, input.recipe, input.device);
      !reading.empty())
    body += page::section("reading", "Where the net reads", reading);
  page::write_page("--report", folder,
                   page::html_of({.title = printable(input.recipe.title()) + ": Pliant",
                                  .body = body + "</main>\n",
                                  .style = kTrainCss}));
}

}  // namespace pliant::train
