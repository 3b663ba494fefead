#include <pliant/apps/mnist/report.h>

#include <algorithm>

#include <pliant/apps/mnist/progress.h>
#include <pliant/apps/mnist/scaled56_net.h>
#include <pliant/core/text.h>

namespace pliant {
namespace {

using Cells = std::vector<std::string>;

// On a terminal: every character but the continuation bytes of UTF-8.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Columns as wide as their widest cell; the first two flush left, the others right. Lines of a
// single cell are sentences and count for no width.
std::string aligned(const std::vector<Cells>& lines) {
  std::vector<std::size_t> widths;
  for (const Cells& cells : lines)
    for (std::size_t i = 0; i < cells.size() && cells.size() > 1; ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], width_of(cells[i]));
    }
  std::string text;
  for (const Cells& cells : lines) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t width = cells.size() > 1 ? widths[i] : 0;
      const std::string gap(width - std::min(width, width_of(cells[i])), ' ');
      line += (i > 0 ? "  " : "") + (i < 2 ? cells[i] + gap : gap + cells[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string model_name(const RowSummary& row) {
  return row.model == "regular" ? "regular" : "deformable (" + row.deform + ")";
}

std::vector<Cells> scaled_mnist_lines(const Results& results) {
  const std::vector<RowSummary> rows = summaries_of(results.rows);
  const bool draws = std::any_of(rows.begin(), rows.end(),
                                 [](const RowSummary& row) { return row.draws.count > 1; });
  const bool seeds = std::any_of(rows.begin(), rows.end(),
                                 [](const RowSummary& row) { return row.mnist.count > 1; });
  Cells head = {"net", "fine-tuned", results.dataset == "mnist" ? "MNIST" : "not MNIST", "scaled"};
  if (draws) head.push_back("over draws");
  head.insert(head.end(), {"trained", "images", "time"});
  if (seeds) head.push_back("seeds");
  std::vector<Cells> lines = {head};
  for (const RowSummary& row : rows) {
    Cells cells = {model_name(row), row.finetune, percent(row.mnist), percent(row.scaled)};
    if (draws) cells.push_back(row.draws.count > 1 ? percent(row.draws) : "");
    cells.insert(cells.end(), {grouped(row.trained_parameters), grouped(row.images_seen),
                               clock_time(row.seconds)});
    if (seeds) cells.push_back(std::to_string(row.mnist.count));
    lines.push_back(cells);
  }
  return lines;
}

// The published accuracy of a row, "" if there is none.
std::string published_best(const RowSummary& row) {
  for (const PublishedZoomNet& published : published_zoom_nets())
    if (name_of(published.kind) == row.key) return percent(published.best_accuracy);
  return {};
}

std::vector<Cells> scaled56_lines(const Results& results) {
  std::vector<Cells> lines = {{"net", "", "last epoch", "best epoch", "published best", "trained",
                               "images", "time", "seeds"}};
  for (const RowSummary& row : summaries_of(results.rows))
    lines.push_back({row.model == "regular" ? "regular" : row.key, "", percent(row.last_epoch),
                     percent(row.best_epoch), published_best(row), grouped(row.trained_parameters),
                     grouped(row.images_seen), clock_time(row.seconds),
                     std::to_string(row.scaled.count)});
  lines.push_back({"56 x 56 scaled digits; published: the best of 10 epochs by the test set"});
  return lines;
}

std::vector<Cells> published_lines(const PublishedWeights& published) {
  std::vector<Cells> lines = {
      {""},
      {"published, as printed (its deformable net has zero offsets: only BatchNorm differs)"},
      {"regular", "none", "98.74 %", "57.01 %"},
      {"\"deformable\"", "bn", "97.27 %", "92.55 %"},
      {"published weights, measured here: " + published.source}};
  for (const auto& [name, accuracies] : published.nets)
    lines.push_back({name, "", percent(accuracies.mnist), percent(accuracies.scaled)});
  return lines;
}

}  // namespace

std::string percent(double fraction) { return fixed(fraction * 100, 2) + " %"; }

std::string percent(const Spread& spread) {
  if (spread.count <= 1) return percent(spread.mean);
  return fixed(spread.mean * 100, 2) + " ± " + fixed(spread.deviation * 100, 2) + " %";
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string table_of(const Results& results, const PublishedWeights& published) {
  if (results.protocol == "scaled56") return aligned(scaled56_lines(results));
  std::vector<Cells> lines = scaled_mnist_lines(results);
  for (Cells& line : published_lines(published)) lines.push_back(std::move(line));
  return aligned(lines);
}

std::vector<Results> merged(const std::vector<Results>& files) {
  std::vector<Results> all;
  for (const Results& file : files) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const Results& other) {
      return other.protocol == file.protocol && other.dataset == file.dataset &&
             other.recipe == file.recipe;
    });
    if (same == all.end()) {
      all.push_back(file);
      continue;
    }
    for (const RowResult& row : file.rows) same->put(row);
  }
  return all;
}

}  // namespace pliant
