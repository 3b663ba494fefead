#include <pliant/apps/track/report.h>

#include <algorithm>
#include <cmath>

#include <pliant/apps/kit/training_record.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/page/svg.h>
#include <pliant/apps/page/text.h>
#include <pliant/apps/track/assets.h>
#include <pliant/apps/track/reading.h>
#include <pliant/apps/track/tracker.h>

namespace pliant::track {
namespace {

constexpr std::size_t kVideos = 6, kFrames = 4, kColours = 6;
using page::tenths;

std::string figure(const std::string& name, const std::string& value) {
  return "<div><dt>" + page::escaped(name) + "</dt><dd>" + page::escaped(value) + "</dd></div>";
}

std::string header(const ReportInput& input) {
  const ReportNet& last = input.nets.back();
  std::string html =
      "<header>\n<p class=\"brand\">Pliant</p>\n<h1>" +
      page::escaped("Tracking: " + (input.nets.size() == 1
                                        ? printable(last.name)
                                        : page::counted(std::ssize(input.nets), "net"))) +
      "</h1>\n";
  if (input.sets.is_example)
    html +=
        "<p class=\"banner\" role=\"note\"><strong>This is the example.</strong> The videos are "
        "shapes drawn by program; no figure on this page says anything of real videos.</p>\n";
  return html + "<dl>" + figure("data", printable(input.sets.source)) +
         figure("to learn from", grouped(std::ssize(input.sets.train))) +
         figure("to choose by", grouped(std::ssize(input.sets.val))) +
         figure("judged", grouped(std::ssize(input.judged))) +
         figure("parameters", grouped(last.net.parameter_count())) +
         figure("AUC", fixed(last.judgement.auc(), 3)) +
         figure("failures", std::to_string(last.judgement.failures())) + "</dl>\n</header>\n";
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
                           .y_label = "classes and 1.2 boxes, logarithmic",
                           .scale = page::Scale::logarithmic},
                          losses) +
         page::line_chart(
             {.title = "AUC on val", .x_label = "epochs", .y_label = "of the success curve"},
             scores) +
         "</div>\n" + page::legend(losses);
}

std::string box_of(const TrackedBox& box, const std::string& style) {
  return "<rect class=\"" + style + "\" x=\"" + tenths(box[0]) + "\" y=\"" + tenths(box[1]) +
         "\" width=\"" + tenths(box[2]) + "\" height=\"" + tenths(box[3]) + "\"/>";
}

std::string figure_of(const Tensor& frame, const std::string& over, const std::string& caption) {
  const std::string w = std::to_string(frame.dim(1)), h = std::to_string(frame.dim(0));
  return "<figure><svg role=\"img\" viewBox=\"0 0 " + w + ' ' + h + "\" aria-label=\"" +
         page::escaped(caption) + "\"><image width=\"" + w + "\" height=\"" + h + "\" href=\"" +
         page::png_address(frame.span<std::uint8_t>(), frame.dim(1), 3) + "\"/>" + over +
         "</svg><figcaption>" + page::escaped(caption) + "</figcaption></figure>";
}

std::int64_t shown_frame(const Video& video, std::size_t number) {
  return (video.size() - 1) * static_cast<std::int64_t>(number + 1) /
         static_cast<std::int64_t>(kFrames);
}

std::string frames(const ReportInput& input) {
  std::string html = "<p><span class=\"key truth\"></span> truth";
  for (std::size_t i = 0; i < input.nets.size(); ++i)
    html += text_from("; <span class=\"key c", i % kColours, "\"></span> ",
                      page::escaped(printable(input.nets[i].name)));
  html += "</p>\n<div class=\"seen\">";
  for (std::size_t v = 0; v < std::min(input.judged.size(), kVideos); ++v) {
    const Video& video = input.judged[v];
    for (std::size_t number = 0; number < kFrames; ++number) {
      const std::int64_t i = shown_frame(video, number);
      std::string boxes = video.outline(i).empty() ? std::string() : box_of(video.box(i), "truth");
      for (std::size_t n = 0; n < input.nets.size(); ++n)
        boxes += box_of(input.nets[n].judgement.videos[v].boxes[static_cast<std::size_t>(i)],
                        text_from('c', n % kColours));
      html +=
          figure_of(video.read(i), boxes, text_from(printable(video.name, 30), ", frame ", i + 1));
    }
  }
  return html + "</div>\n";
}

// The best score of every place, as the opacity of a square over it.
std::string response_over(const NetTracker& tracker, const SiamRPN& net) {
  const TrackedBox seen = tracker.seen();
  const auto places = static_cast<std::size_t>(net.places());
  const SiamRPNOptions& options = net.options();
  const double pixel = seen[2] / static_cast<double>(options.search),
               step = static_cast<double>(options.stride) * pixel,
               middle = static_cast<double>(places) / 2;
  std::string squares;
  for (std::size_t r = 0; r < places; ++r)
    for (std::size_t c = 0; c < places; ++c) {
      constexpr double kLeast = 0.05;  // what is less is not seen
      const double score = tracker.response()[r * places + c];
      if (score < kLeast) continue;
      squares += text_from(
          "<rect class=\"response\" fill-opacity=\"", fixed(0.75 * score, 2), "\" x=\"",
          tenths(seen[0] + seen[2] / 2 + (static_cast<double>(c) - middle) * step), "\" y=\"",
          tenths(seen[1] + seen[3] / 2 + (static_cast<double>(r) - middle) * step), "\" width=\"",
          tenths(step), "\" height=\"", tenths(step), "\" style=\"fill:#ff4dff\"/>");
    }
  return squares;
}

std::string responses(const ReportInput& input) {
  std::string html =
      "<p>The best score at every place of the search image, the more opaque the higher.</p>\n"
      "<div class=\"seen\">";
  constexpr std::size_t kShown = 2;  // videos
  for (std::size_t v = 0; v < std::min(input.judged.size(), kShown); ++v)
    for (const ReportNet& of : input.nets) {
      const Video& video = input.judged[v];
      NetTracker tracker(of.net, of.recipe, input.device);
      const std::int64_t first = video.present.front();
      const std::int64_t last = std::max(first + 1, shown_frame(video, 1));
      if (last >= video.size()) continue;
      tracker.start(video.read(first), video.box(first));
      TrackedBox box{};
      for (std::int64_t i = first + 1; i <= last; ++i) box = tracker.follow(video.read(i));
      html += figure_of(
          video.read(last), response_over(tracker, of.net) + box_of(box, "c0"),
          text_from(printable(of.name), ": ", printable(video.name, 30), ", frame ", last + 1));
    }
  return html + "</div>\n";
}

std::string figures(const ReportInput& input) {
  std::string html =
      "<div class=\"scroll\"><table class=\"figures\"><thead><tr><th>sequence</th><th>net</th>"
      "<th>AUC</th><th>precision</th><th>failures</th></tr></thead><tbody>";
  for (std::size_t v = 0; v < input.judged.size(); ++v)
    for (const ReportNet& of : input.nets) {
      const VideoScore& score = of.judgement.videos[v];
      html += "<tr><th>" + page::escaped(printable(score.name, 30)) + "</th><td>" +
              page::escaped(printable(of.name)) + "</td><td>" + fixed(score.auc, 3) + "</td><td>" +
              fixed(score.precision, 3) + "</td><td>" + std::to_string(score.resets.failures) +
              "</td></tr>";
    }
  return html + "</tbody></table></div>\n";
}

}  // namespace

void write_report(const std::filesystem::path& folder, const ReportInput& input) {
  std::string body = header(input) + "<main>\n" + input.table +
                     page::section("curves", "How it went", curves(input)) +
                     page::section("figures", "How well it follows", figures(input)) +
                     page::section("frames", "Where it looks for the target", frames(input)) +
                     page::section("responses", "What it answers", responses(input));
  for (std::size_t i = 0; i < input.nets.size(); ++i) {
    const ReportNet& of = input.nets[i];
    const std::string reading = where_it_reads(of.net, of.recipe, input.device);
    if (!reading.empty())
      body += page::section(text_from("reading-", i).c_str(),
                            ("Where it reads: " + printable(of.name)).c_str(), reading);
  }
  body += "</main>\n";
  page::write_page("--report", folder,
                   page::html_of({.title = "Tracking: Pliant", .body = body, .style = kTrackCss}));
}

}  // namespace pliant::track
