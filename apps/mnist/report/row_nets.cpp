#include <pliant/apps/mnist/report/row_nets.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace pliant::mnist {
namespace {

// The key of those that `fits` with the best scaled accuracy over its seeds; empty if none does.
std::string best_key(const std::vector<RowSummary>& rows,
                     const std::function<bool(const RowSummary&)>& fits) {
  const RowSummary* best = nullptr;
  for (const RowSummary& row : rows)
    if (fits(row) && (best == nullptr || row.scaled.mean > best->scaled.mean)) best = &row;
  return best == nullptr ? "" : best->key;
}

// The keys of a few rows that tell the story; some may be empty or come twice.
std::vector<std::string> telling_keys(const std::vector<RowResult>& results) {
  using Row = RowSummary;
  const std::vector<Row> rows = summaries_of(results);
  const auto regular = [](const Row& row) { return row.deform.empty(); };
  return {
      best_key(rows, [&](const Row& row) { return regular(row) && row.finetune == "none"; }),
      best_key(rows, [&](const Row& row) { return regular(row) && row.finetune != "none"; }),
      best_key(rows, [&](const Row& row) { return !regular(row) && row.finetune == "offsets"; }),
      best_key(rows, [&](const Row& row) { return !regular(row); }),
  };
}

Guess guess_of(std::span<const float> logits) {
  const auto best = std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - *best);
  return {best - logits.begin(), 1 / sum};
}

}  // namespace

std::string name_of_row(const std::string& model, const std::string& deform,
                        const std::string& finetune) {
  return (deform.empty() ? model : deform) + ", " + finetune;
}

std::size_t style_of(const Results& results, const std::string& key) {
  std::vector<std::string> keys;
  for (const RowResult& row : results.rows) {
    if (row.key == key) break;
    if (std::find(keys.begin(), keys.end(), row.key) == keys.end()) keys.push_back(row.key);
  }
  return keys.size();
}

ReportNets find_nets(const ReportInput& input) {
  ReportNets found;
  std::set<std::string> asked, known;
  for (const RowResult& row : input.results.rows) {
    if (known.contains(row.key)) continue;
    std::optional<DigitNet> net = input.net ? input.net(row) : std::nullopt;
    if (net) {
      net->to(input.device);
      found.nets.push_back(
          {&row, name_of_row(row), style_of(input.results, row.key), std::move(*net)});
      known.insert(row.key);
    }
  }
  for (const RowResult& row : input.results.rows)
    if (!known.contains(row.key) && asked.insert(row.key).second)
      found.absent.push_back(name_of_row(row));
  return found;
}

std::vector<const RowResult*> chosen_rows(const ReportInput& input) {
  const std::vector<RowResult>& rows = input.results.rows;
  std::vector<const RowResult*> chosen;
  for (const std::string& key : input.chosen.empty() ? telling_keys(rows) : input.chosen) {
    const auto first = std::find_if(rows.begin(), rows.end(),
                                    [&](const RowResult& row) { return row.key == key; });
    if (first != rows.end() && std::find(chosen.begin(), chosen.end(), &*first) == chosen.end())
      chosen.push_back(&*first);
  }
  return chosen;
}

std::vector<Guess> guesses_of(const DigitNet& net, const Tensor& images, Device device) {
  constexpr std::int64_t kBatch = 250;
  std::vector<Guess> guesses;
  guesses.reserve(static_cast<std::size_t>(images.dim(0)));
  for (std::int64_t at = 0; at < images.dim(0); at += kBatch) {
    const std::int64_t end = std::min(images.dim(0), at + kBatch);
    const Tensor logits = net(images.slice(at, end).to(device)).value().to(Device::cpu());
    const auto classes = static_cast<std::size_t>(logits.dim(1));
    for (std::size_t i = 0; i < static_cast<std::size_t>(end - at); ++i)
      guesses.push_back(guess_of(logits.span<float>().subspan(i * classes, classes)));
  }
  return guesses;
}

}  // namespace pliant::mnist
