#include <pliant/apps/mnist/table.h>

#include <algorithm>

#include <pliant/apps/kit/progress.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/mnist/scaled56_net.h>

namespace pliant::mnist {
namespace {

std::string model_name(const RowSummary& row) {
  return row.model == "regular" ? "regular" : "deformable (" + row.deform + ")";
}

std::vector<kit::Cells> scaled_mnist_lines(const Results& results) {
  const std::vector<RowSummary> rows = summaries_of(results.rows);
  const bool draws = std::any_of(rows.begin(), rows.end(),
                                 [](const RowSummary& row) { return row.draws.count > 1; });
  const bool seeds = std::any_of(rows.begin(), rows.end(),
                                 [](const RowSummary& row) { return row.mnist.count > 1; });
  kit::Cells head = {"net", "fine-tuned", results.dataset == "mnist" ? "MNIST" : "not MNIST",
                     "scaled"};
  if (draws) head.push_back("over draws");
  head.insert(head.end(), {"trained", "images", "time"});
  if (seeds) head.push_back("seeds");
  std::vector<kit::Cells> lines = {head};
  for (const RowSummary& row : rows) {
    kit::Cells cells = {model_name(row), row.finetune, kit::percent(row.mnist),
                        kit::percent(row.scaled)};
    if (draws) cells.push_back(row.draws.count > 1 ? kit::percent(row.draws) : "");
    cells.insert(cells.end(), {grouped(row.trained_parameters), grouped(row.images_seen),
                               kit::clock_time(row.seconds)});
    if (seeds) cells.push_back(std::to_string(row.mnist.count));
    lines.push_back(cells);
  }
  return lines;
}

// The published accuracy of a row, "" if there is none.
std::string published_best(const RowSummary& row) {
  for (const PublishedZoomNet& published : published_zoom_nets())
    if (name_of(published.kind) == row.key) return kit::percent(published.best_accuracy);
  return {};
}

std::vector<kit::Cells> scaled56_lines(const Results& results) {
  std::vector<kit::Cells> lines = {{"net", "", "last epoch", "best epoch", "published best",
                                    "trained", "images", "time", "seeds"}};
  for (const RowSummary& row : summaries_of(results.rows))
    lines.push_back({row.model == "regular" ? "regular" : row.key, "", kit::percent(row.last_epoch),
                     kit::percent(row.best_epoch), published_best(row),
                     grouped(row.trained_parameters), grouped(row.images_seen),
                     kit::clock_time(row.seconds), std::to_string(row.scaled.count)});
  lines.push_back({"56 x 56 scaled digits; published: the best of 10 epochs by the test set"});
  return lines;
}

std::vector<kit::Cells> published_lines(const PublishedWeights& published) {
  std::vector<kit::Cells> lines = {
      {""},
      {"published, as printed (its deformable net has zero offsets: only BatchNorm differs)"},
      {"regular", "none", "98.74 %", "57.01 %"},
      {"\"deformable\"", "bn", "97.27 %", "92.55 %"},
      {"published weights, measured here: " + published.source}};
  for (const auto& [name, accuracies] : published.nets)
    lines.push_back({name, "", kit::percent(accuracies.mnist), kit::percent(accuracies.scaled)});
  return lines;
}

}  // namespace

std::string table_of(const Results& results, const PublishedWeights& published) {
  if (results.protocol == "scaled56") return kit::aligned(scaled56_lines(results));
  std::vector<kit::Cells> lines = scaled_mnist_lines(results);
  for (kit::Cells& line : published_lines(published)) lines.push_back(std::move(line));
  return kit::aligned(lines);
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

}  // namespace pliant::mnist
