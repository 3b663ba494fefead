#include <pliant/apps/detect/report.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <pliant/apps/detect/assets.h>
#include <pliant/apps/detect/overlays.h>
#include <pliant/apps/kit/training_record.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/page/text.h>

namespace pliant::detect {
namespace {

constexpr std::size_t kPictures = 6;

std::string figure(const std::string& name, const std::string& value) {
  return "<div><dt>" + page::escaped(name) + "</dt><dd>" + page::escaped(value) + "</dd></div>";
}

std::string header(const ReportInput& input) {
  const ReportNet& last = input.nets.back();
  std::string html =
      "<header>\n<p class=\"brand\">Pliant</p>\n<h1>" +
      page::escaped("Detection: " +
                    (input.nets.size() == 1
                         ? printable(last.name)
                         : page::counted(static_cast<std::int64_t>(input.nets.size()), "net"))) +
      "</h1>\n";
  if (input.sets.is_example)
    html +=
        "<p class=\"banner\" role=\"note\"><strong>This is the example.</strong> The pictures are "
        "scenes drawn by program; no figure on this page says anything of real pictures.</p>\n";
  return html + "<dl>" + figure("data", printable(input.sets.source)) +
         figure("to learn from", grouped(input.sets.train.size())) +
         figure("to choose by", grouped(input.sets.val.size())) +
         figure("judged", grouped(input.judged.size())) +
         figure("parameters", grouped(last.net.parameter_count())) +
         figure("best epoch", std::to_string(kit::best_of(last.training.epochs).epoch)) +
         figure("AP", fixed(last.judgement.ap(), 3)) +
         figure("AP50", fixed(std::max(0.0, last.judgement.coco.ap50), 3)) + "</dl>\n</header>\n";
}

std::string curves(const ReportInput& input) {
  std::vector<page::ChartLine> losses, scores;
  for (std::size_t i = 0; i < input.nets.size(); ++i) {
    page::ChartLine loss{.name = printable(input.nets[i].name), .style = i, .points = {}};
    page::ChartLine score = loss;
    score.dots = true;
    for (const kit::CurvePoint& point : input.nets[i].training.curve)
      loss.points.emplace_back(point.epoch, point.loss);
    for (const kit::EpochPoint& point : input.nets[i].training.epochs)
      score.points.emplace_back(static_cast<double>(point.epoch), point.measured);
    losses.push_back(std::move(loss));
    scores.push_back(std::move(score));
  }
  return "<div class=\"charts\">" +
         page::line_chart({.title = "Training loss",
                           .x_label = "epochs",
                           .y_label = "sum of the four losses, logarithmic",
                           .scale = page::Scale::logarithmic},
                          losses) +
         page::line_chart({.title = "AP on val", .x_label = "epochs", .y_label = "COCO's AP"},
                          scores) +
         "</div>\n" + page::legend(losses);
}

// Precision as VOC has it: the largest at that recall or a higher one.
page::ChartLine precision_line(const Judgement& judgement, std::int64_t label, double threshold) {
  const PrecisionRecall curve = precision_recall(judgement.truth, judgement.found, label,
                                                 {.iou_threshold = threshold, .inclusive = false});
  page::ChartLine line{.name = {}, .points = {}};
  std::vector<double> precision = curve.precision;
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  for (std::size_t i = 0; i < precision.size(); ++i)
    line.points.emplace_back(curve.recall[i], precision[i]);
  return line;
}

std::string precision_curves(const ReportInput& input) {
  constexpr std::size_t kMostClasses = 24;
  const std::vector<std::string>& classes = input.sets.classes;
  std::string html;
  std::vector<page::ChartLine> lines;
  for (std::size_t label = 0; label < std::min(classes.size(), kMostClasses); ++label) {
    lines.clear();
    const auto add = [&](const ReportNet& net, double threshold, const std::string& name) {
      page::ChartLine line =
          precision_line(net.judgement, static_cast<std::int64_t>(label), threshold);
      line.name = name;
      line.style = lines.size();
      lines.push_back(std::move(line));
    };
    if (input.nets.size() == 1)
      for (const double threshold : {0.5, 0.7})
        add(input.nets.front(), threshold, "IoU above " + fixed(threshold, 1));
    else
      for (const ReportNet& net : input.nets) add(net, 0.5, printable(net.name));
    html += page::line_chart({.title = printable(classes[label], 30),
                              .x_label = "recall",
                              .y_label = "precision at that recall or more"},
                             lines);
  }
  return "<div class=\"charts\">" + html + "</div>\n" + page::legend(lines) +
         (classes.size() > kMostClasses
              ? page::paragraph(
                    text_from("The first ", kMostClasses, " of ", classes.size(), " classes."))
              : "");
}

std::string cell(double value) {
  return "<td>" + (value >= 0 ? fixed(value, 3) : std::string("–")) + "</td>";
}

std::string figures(const ReportInput& input) {
  const Judgement& judgement = input.nets.back().judgement;
  std::string html =
      "<div class=\"scroll\"><table class=\"figures\"><thead><tr><th>class</th><th>VOC, IoU .5"
      "</th><th>11-point</th><th>VOC, IoU .7</th><th>11-point</th><th>COCO AP</th><th>AP50</th>"
      "</tr></thead><tbody>";
  const auto row = [&](const std::string& name, const VocFigures& voc, double ap, double ap50) {
    html += "<tr><th>" + page::escaped(name) + "</th>" + cell(voc.ap50) + cell(voc.ap50_11) +
            cell(voc.ap70) + cell(voc.ap70_11) + cell(ap) + cell(ap50) + "</tr>";
  };
  for (std::size_t label = 0; label < input.sets.classes.size(); ++label)
    row(printable(input.sets.classes[label], 30), judgement.voc[label],
        judgement.coco.ap_of_label[label], judgement.coco.ap50_of_label[label]);
  row("mean", judgement.voc_mean, judgement.coco.ap, judgement.coco.ap50);
  return html + "</tbody></table></div>\n";
}

const char* const kKey =
    "<p><span class=\"key right\"></span> right, in the colour of its class; <span class=\"key "
    "wrong\"></span> wrong; <span class=\"key missed\"></span> missed. Boxes surer than 0.5; right "
    "is an overlap of at least half.</p>\n";

std::string pictures(const ReportInput& input, const std::vector<PictureMatches>& matches,
                     const std::vector<std::size_t>& order) {
  std::string html;
  for (std::size_t i = 0; i < std::min(order.size(), kPictures); ++i)
    html += found_figure(input, static_cast<std::int64_t>(order[i]), matches[order[i]]);
  return std::string(kKey) + "<div class=\"seen\">" + html + "</div>\n";
}

// Evenly from the whole set.
std::vector<std::size_t> spread(std::size_t count) {
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < std::min(count, kPictures); ++i)
    some.push_back(i * count / std::min(count, kPictures));
  return some;
}

std::vector<std::size_t> worst(const std::vector<PictureMatches>& matches) {
  std::vector<std::size_t> order(matches.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return matches[a].mistakes() > matches[b].mistakes();
  });
  return order;
}

}  // namespace

void write_report(const std::filesystem::path& folder, const ReportInput& input) {
  const std::vector<PictureMatches> matches = matches_of(input.nets.back().judgement, kShownScore);
  std::string body =
      header(input) + "<main>\n" + input.table +
      page::section("curves", "How it went", curves(input)) +
      page::section("figures", "How well it finds", figures(input)) +
      page::section("precision", "Precision and recall", precision_curves(input)) +
      page::section("found", "What is found", pictures(input, matches, spread(matches.size())));
  if (const std::string bins = bin_figures(input, input.nets.back(), kPictures); !bins.empty())
    body += page::section(
        "bins", "Where the bins read",
        "<p>The middles of the 7 x 7 bins of some boxes: <span class=\"key reg\"></span> where "
        "they would be, <span class=\"key moved\"></span> where the pooling moves them.</p>\n"
        "<div class=\"seen\">" +
            bins + "</div>\n");
  body += page::section("worst", "The worst pictures", pictures(input, matches, worst(matches)));
  page::write_page(
      "--report", folder,
      page::html_of(
          {.title = "Detection: Pliant", .body = body + "</main>\n", .style = kDetectCss}));
}

}  // namespace pliant::detect
