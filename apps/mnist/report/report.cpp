#include <pliant/apps/mnist/report/report.h>

#include <algorithm>

#include <pliant/apps/mnist/report/animation.h>
#include <pliant/apps/mnist/report/assets.h>
#include <pliant/apps/mnist/report/deformation.h>
#include <pliant/apps/mnist/report/mistakes.h>
#include <pliant/apps/mnist/report/row_nets.h>
#include <pliant/apps/mnist/report/tables.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/page/text.h>

namespace pliant::mnist {
namespace {

constexpr const char* kAnimationText =
    "<p>A digit shrinks and grows by the rule that makes the scaled digits (nearest pixel, no "
    "shift). The dots are where the middle output of the last convolution reads the picture, "
    "traced down through its 9 taps, their 81 and those’ 729, as in the figures of Dai et al. "
    "2017. "
    "<span class=\"key reg\"></span> The regular net reads the same square whatever it sees; "
    "<span class=\"key p0\"></span> the deformable net moves every point by its offsets for this "
    "picture. With masks, fainter dots count less. conv11, which no net deforms, adds the pixels "
    "around each dot.</p>\n";

bool present(const LabelledImages& set) {
  return set.images.defined() && set.labels.defined() && set.size() > 0;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "; ") + name;
  return text;
}

std::string banner(const Results& results) {
  if (results.dataset == "mnist") return "";
  const bool synthetic = results.dataset == "synthetic-digits";
  return std::string("<p class=\"banner\" role=\"note\"><strong>") +
         (synthetic ? "These are not MNIST." : "This is not checked to be MNIST.") + "</strong> " +
         (synthetic
              ? "The pictures are procedural stand-in digits; no figure on this page compares "
                "with published ones."
              : "The figures compare with published ones only if the pictures do.") +
         "</p>\n";
}

std::string header(const ReportInput& input) {
  const Results& results = input.results;
  const bool padded = results.protocol == "scaled56";
  std::string html =
      "<header>\n<p class=\"brand\">Pliant</p>\n<h1>What deformation adds on scaled digits</h1>\n" +
      banner(results);
  if (const std::string text = findings(results); !text.empty())
    html += page::paragraph(text, "lead");
  html += "<dl><div><dt>data</dt><dd>" + page::escaped(title_of_dataset(results.dataset));
  if (!input.source.empty())
    html += " <small>" + page::escaped(printable(input.source)) + "</small>";
  html += "</dd></div><div><dt>preset</dt><dd>" +
          page::escaped(results.preset.empty() ? "–" : results.preset) +
          "</dd></div><div><dt>protocol</dt><dd>" +
          (padded ? "56×56, isotropic zoom ½ to 1½, end to end"
                  : "28×28, zoom 1 to 2½ per axis, fine-tuned") +
          "</dd></div></dl>\n</header>\n";
  return html;
}

// The curves of every row, one style for each key, thin where it has several seeds.
std::string curves(const Results& results) {
  std::vector<page::ChartLine> loss, accuracy, test;
  for (const RowResult& row : results.rows) {
    const auto same = [&](const RowResult& other) { return other.key == row.key; };
    const bool thin = std::count_if(results.rows.begin(), results.rows.end(), same) > 1;
    page::ChartLine line{
        .name = name_of_row(row), .style = style_of(results, row.key), .thin = thin, .points = {}};
    loss.push_back(line);
    accuracy.push_back(line);
    line.dots = true;
    test.push_back(line);
    for (const kit::CurvePoint& point : row.curve) {
      loss.back().points.emplace_back(point.epoch, point.loss);
      accuracy.back().points.emplace_back(point.epoch, point.accuracy);
    }
    for (const kit::EpochPoint& point : row.epochs)
      test.back().points.emplace_back(static_cast<double>(point.epoch), point.measured);
  }
  const bool tested = std::any_of(test.begin(), test.end(),
                                  [](const page::ChartLine& line) { return !line.points.empty(); });
  std::string html = page::legend(loss) + "<div class=\"charts\">";
  html += page::line_chart({.title = "Training loss",
                            .x_label = "epochs",
                            .y_label = "cross-entropy, logarithmic",
                            .scale = page::Scale::logarithmic},
                           loss);
  html += page::line_chart(
      {.title = "Training accuracy", .x_label = "epochs", .y_label = "per cent", .unit = 0.01},
      accuracy);
  if (tested)
    html += page::line_chart({.title = "Scaled test accuracy after each epoch",
                              .x_label = "epochs",
                              .y_label = "per cent",
                              .unit = 0.01},
                             test);
  html += "</div>\n";
  if (results.protocol == "scaled56") return html;
  return html + page::paragraph(
                    "The regular net named none is trained on plain digits; every other row "
                    "goes on from it, on digits scaled anew in each epoch.");
}

std::string deformation(const ReportInput& input, const ReportNets& nets) {
  if (!present(input.raw) || !present(input.test.plain) || !present(input.test.scaled))
    return page::paragraph("The test pictures are not at hand, so there is nothing to draw.",
                           "absent");
  const auto deformable = [](const RowNet& net) { return !net.row->deform.empty(); };
  std::string html;
  if (!nets.absent.empty())
    html += page::paragraph(
        "Left out, because their trained nets were not kept: " + listed(nets.absent) + ".",
        "absent");
  if (std::none_of(nets.nets.begin(), nets.nets.end(), deformable))
    return html + page::paragraph("There is no trained deformable net to show.", "absent");
  const Sweep sweep = make_sweep(input.raw);
  std::vector<SweptNet> swept_nets;
  for (const RowNet& net : nets.nets) swept_nets.push_back(swept(net, sweep, input.device));
  html += kAnimationText + animation(swept_nets, sweep) + spread_chart(swept_nets, sweep);
  bool open = true;
  for (const SweptNet& net : swept_nets) {
    if (!deformable(*net.net)) continue;
    html += std::string("<details") + (open ? " open" : "") + "><summary><h3>" +
            page::escaped(net.net->name) + "</h3></summary>\n" +
            deformation_of(net, sweep, input.test, input.device) + "</details>\n";
    open = false;
  }
  return html;
}

std::string mistakes_of_chosen(const ReportInput& input, const ReportNets& nets,
                               const std::vector<const RowResult*>& chosen) {
  if (!present(input.test.plain) || !present(input.test.scaled))
    return page::paragraph("The test pictures are not at hand.", "absent");
  std::vector<const RowNet*> shown;
  std::vector<std::string> absent;
  for (const RowResult* const row : chosen) {
    const auto net = std::find_if(nets.nets.begin(), nets.nets.end(),
                                  [&](const RowNet& entry) { return entry.row->key == row->key; });
    if (net != nets.nets.end())
      shown.push_back(&*net);
    else
      absent.push_back(name_of_row(*row));
  }
  std::string html = page::paragraph(
      "The pictures that each net labels wrong and is surest about: the label, the net’s guess, "
      "and "
      "the probability that it gives it.");
  if (!absent.empty())
    html += page::paragraph(
        "Left out, because their trained nets were not kept: " + listed(absent) + ".", "absent");
  return html + mistakes(shown, input.test, input.device);
}

std::string body(const ReportInput& input) {
  const ReportNets nets = find_nets(input);
  const std::vector<const RowResult*> chosen = chosen_rows(input);
  std::string html = header(input) +
                     "<nav aria-label=\"Contents\"><a href=\"#table\">Table</a><a "
                     "href=\"#deformed\">What deformed</a><a href=\"#curves\">Curves</a><a "
                     "href=\"#confusions\">Confusions</a><a href=\"#mistakes\">Mistakes</a></nav>\n"
                     "<main>\n";
  html += page::section("table", "The table", results_table(input.results));
  html += page::section("deformed", "What deformed", deformation(input, nets));
  html += page::section("curves", "Curves", curves(input.results));
  html += page::section("confusions", "Confusions",
                        chosen.empty() ? page::paragraph("No row is finished yet.", "absent")
                                       : page::paragraph("Rows are labels, columns are guesses.") +
                                             confusion_tables(chosen));
  html +=
      page::section("mistakes", "Most confident mistakes", mistakes_of_chosen(input, nets, chosen));
  return html + "</main>\n";
}

}  // namespace

std::string html_report(const ReportInput& input) {
  return page::html_of({.title = "Pliant: what deformation adds on scaled digits",
                        .body = body(input) +
                                "<footer><p>Written by pliant-mnist --report. This page needs no "
                                "network.</p></footer>\n",
                        .style = kReportCss,
                        .script = kReportJs});
}

void prepare_html_report(const std::filesystem::path& folder) {
  page::prepare_page("--report", folder);
}

void write_html_report(const std::filesystem::path& folder, const ReportInput& input) {
  prepare_html_report(folder);  // before what takes its time
  page::write_page("--report", folder, html_report(input));
}

}  // namespace pliant::mnist
