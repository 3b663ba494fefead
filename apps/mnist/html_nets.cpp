#include <pliant/apps/mnist/html_nets.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace pliant {
namespace {

bool is_regular(const RowResult& row) { return row.deform.empty(); }

// The row of those that `fits` with the best scaled accuracy; nullptr if none does.
const RowResult* best_of(const std::vector<RowResult>& rows,
                         const std::function<bool(const RowResult&)>& fits) {
  const RowResult* best = nullptr;
  for (const RowResult& row : rows)
    if (fits(row) && (best == nullptr || row.scaled > best->scaled)) best = &row;
  return best;
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

ReportNets find_nets(const ReportInput& input) {
  ReportNets found;
  std::set<std::string> asked, known;
  for (const RowResult& row : input.results.rows) {
    if (known.contains(row.key)) continue;
    std::optional<DigitNet> net = input.net ? input.net(row) : std::nullopt;
    if (net) {
      net->to(input.device);
      found.nets.push_back({&row, name_of_row(row), std::move(*net)});
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
  const auto add = [&](const RowResult* row) {
    if (row != nullptr && std::find(chosen.begin(), chosen.end(), row) == chosen.end())
      chosen.push_back(row);
  };
  for (const std::string& key : input.chosen)
    add(best_of(rows, [&](const RowResult& row) { return row.key == key; }));
  if (!input.chosen.empty()) return chosen;
  add(best_of(rows, [](const RowResult& r) { return is_regular(r) && r.finetune == "none"; }));
  add(best_of(rows, [](const RowResult& r) { return is_regular(r) && r.finetune != "none"; }));
  add(best_of(rows, [](const RowResult& r) { return !is_regular(r) && r.finetune == "offsets"; }));
  add(best_of(rows, [](const RowResult& r) { return !is_regular(r); }));
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

}  // namespace pliant
