#include <pliant/apps/mnist/results.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include <pliant/apps/mnist/json_text.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/error.h>

namespace pliant {
namespace {

using Json = nlohmann::ordered_json;

// json[key] as a T; `key` may be missing only if `otherwise` is given.
template <class T>
T take(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  try {
    return value.get<T>();
  } catch (const Json::exception&) {
    fail_type(key, value);
  }
}

template <class T>
T take_or(const Json& json, const char* key, T otherwise) {
  return json.is_object() && json.contains(key) ? take<T>(json, key) : std::move(otherwise);
}

std::string text_or_none(const Json& json, const char* key) {
  return json.contains(key) ? take_text(json, key) : std::string();
}

Confusion confusion_from(const Json& json, const char* key) {
  const Confusion table = take_or<Confusion>(json, key, {});
  for (const auto& counts : table)
    for (const std::int64_t count : counts) check_range(key, count, kMostCount);
  return table;
}

std::vector<double> draws_from(const Json& json, double first) {
  std::vector<double> draws = take_or<std::vector<double>>(json, "scaled_draws", {first});
  for (const double share : draws) check_range("scaled_draws", share, 0, 1);
  return draws;
}

Json json_of(const std::vector<CurvePoint>& curve) {
  Json list = Json::array();
  for (const CurvePoint& point : curve)
    list.push_back({point.epoch, point.lr, point.loss, point.accuracy});
  return list;
}

Json json_of(const std::vector<EpochPoint>& epochs) {
  Json list = Json::array();
  for (const EpochPoint& point : epochs)
    list.push_back({{"epoch", point.epoch}, {"scaled", point.scaled}});
  return list;
}

std::vector<CurvePoint> curve_from(const Json& json) {
  std::vector<CurvePoint> curve;
  for (const auto& p : take_or<std::vector<std::array<double, 4>>>(json, "curve", {})) {
    check_range("curve", p[3], 0, 1);
    for (const double number : p)
      check_range("curve", number, kLeastLoss, std::numeric_limits<double>::max());
    curve.push_back({p[0], p[1], p[2], p[3]});
  }
  return curve;
}

std::vector<EpochPoint> epochs_from(const Json& json) {
  std::vector<EpochPoint> epochs;
  for (const Json& point : take_or<std::vector<Json>>(json, "epochs", {}))
    epochs.push_back({take_count(point, "epoch"), take_share(point, "scaled")});
  return epochs;
}

Json object_at(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_object()) fail_type(key, value);
  return value;
}

// For messages of a row that is not right.
std::string name_in(const Json& row) {
  const auto part = [&](const char* key) {
    return row.is_object() && row.contains(key) ? printable(dump_json(row[key]), 80) : "?";
  };
  return part("key") + " of seed " + part("seed");
}

Results results_from(const Json& json) {
  Results results;
  results.protocol = take_text(json, "protocol");
  results.dataset = take_text(json, "dataset");
  results.preset = take_text(json, "preset");
  results.recipe = object_at(json, "recipe");
  const auto table = take<std::vector<Json>>(json, "table");
  constexpr std::size_t kMostRows = 10000;  // put() looks at all that are there
  require(table.size() <= kMostRows, "results: 'table' has ", table.size(),
          " rows, expected at most ", kMostRows);
  for (const Json& json_row : table) {
    try {
      RowResult row = row_from(json_row);
      require(row.mnist || results.protocol == "scaled56", "results: 'mnist' is missing");
      results.put(std::move(row));
    } catch (const Error& error) {
      fail("row ", name_in(json_row), ": ", error.what());
    }
  }
  return results;
}

RowSummary summary_of(const RowResult& first, const std::vector<RowResult>& rows) {
  RowSummary summary;
  summary.key = first.key;
  summary.model = first.model;
  summary.deform = first.deform;
  summary.finetune = first.finetune;
  summary.trained_parameters = first.trained_parameters;
  summary.images_seen = first.images_seen;
  std::vector<double> mnist, scaled, seconds, draw_means, draw_deviations, best, last;
  for (const RowResult& row : rows) {
    if (row.key != first.key) continue;
    if (row.mnist) mnist.push_back(*row.mnist);
    scaled.push_back(row.scaled);
    seconds.push_back(row.seconds);
    const Spread draws = spread_of(row.scaled_draws);
    draw_means.push_back(draws.mean);
    draw_deviations.push_back(draws.deviation);
    summary.draws.count = std::max(summary.draws.count, draws.count);
    if (row.epochs.empty()) continue;
    last.push_back(row.epochs.back().scaled);
    best.push_back(std::max_element(
                       row.epochs.begin(), row.epochs.end(),
                       [](const EpochPoint& a, const EpochPoint& b) { return a.scaled < b.scaled; })
                       ->scaled);
  }
  summary.mnist = spread_of(mnist);
  summary.scaled = spread_of(scaled);
  summary.best_epoch = spread_of(best);
  summary.last_epoch = spread_of(last);
  summary.seconds = spread_of(seconds).mean;
  summary.draws.mean = spread_of(draw_means).mean;
  summary.draws.deviation = spread_of(draw_deviations).mean;
  return summary;
}

}  // namespace

Json json_of(const Training& training) {
  Json json;
  json["images_seen"] = training.images_seen;
  json["seconds"] = training.seconds;
  json["wait_seconds"] = training.wait_seconds;
  json["curve"] = json_of(training.curve);
  json["epochs"] = json_of(training.epochs);
  return json;
}

Training training_from(const Json& json) {
  Training training;
  training.images_seen = take_count(json, "images_seen");
  training.seconds = take_number(json, "seconds", 0);
  training.wait_seconds = json.contains("wait_seconds") ? take_number(json, "wait_seconds", 0) : 0;
  training.curve = curve_from(json);
  training.epochs = epochs_from(json);
  return training;
}

Json json_of(const RowResult& row) {
  Json json;
  json["key"] = row.key;
  json["model"] = row.model;
  if (!row.deform.empty()) json["deform"] = row.deform;
  json["finetune"] = row.finetune;
  json["seed"] = row.seed;
  if (row.mnist) json["mnist"] = *row.mnist;
  json["scaled"] = row.scaled;
  json["scaled_draws"] = row.scaled_draws;
  json["trained_parameters"] = row.trained_parameters;
  json["frozen_tensors"] = row.frozen_tensors;
  json["images_per_second"] = row.images_per_second();
  json.update(json_of(static_cast<const Training&>(row)));
  if (row.mnist) json["plain_confusion"] = row.plain_confusion;
  json["scaled_confusion"] = row.scaled_confusion;
  if (!row.weights.empty()) json["weights"] = row.weights;
  return json;
}

RowResult row_from(const Json& json) {
  RowResult row;
  row.key = take_text(json, "key");
  row.model = take_text(json, "model");
  row.deform = text_or_none(json, "deform");
  row.finetune = take_text(json, "finetune");
  row.seed = take_seed(json, "seed");
  if (json.contains("mnist")) row.mnist = take_share(json, "mnist");
  row.scaled = take_share(json, "scaled");
  row.scaled_draws = draws_from(json, row.scaled);
  row.trained_parameters = take_count(json, "trained_parameters");
  row.frozen_tensors = json.contains("frozen_tensors") ? take_count(json, "frozen_tensors") : 0;
  static_cast<Training&>(row) = training_from(json);
  row.plain_confusion = confusion_from(json, "plain_confusion");
  row.scaled_confusion = confusion_from(json, "scaled_confusion");
  row.weights = text_or_none(json, "weights");
  return row;
}

const RowResult* Results::find(const std::string& key, std::uint64_t seed) const {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const RowResult& row) {
    return row.key == key && row.seed == seed;
  });
  return found == rows.end() ? nullptr : &*found;
}

void Results::put(RowResult row) {
  for (RowResult& old : rows)
    if (old.key == row.key && old.seed == row.seed) {
      old = std::move(row);
      return;
    }
  rows.push_back(std::move(row));
}

Spread spread_of(const std::vector<double>& numbers) {
  Spread spread;
  spread.count = static_cast<std::int64_t>(numbers.size());
  if (numbers.empty()) return spread;
  const auto count = static_cast<double>(numbers.size());
  spread.mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double squares = 0;
  for (const double number : numbers) squares += (number - spread.mean) * (number - spread.mean);
  if (numbers.size() > 1) spread.deviation = std::sqrt(squares / (count - 1));
  return spread;
}

std::vector<RowSummary> summaries_of(const std::vector<RowResult>& rows) {
  std::vector<RowSummary> summaries;
  for (const RowResult& first : rows) {
    const bool known = std::any_of(summaries.begin(), summaries.end(),
                                   [&](const RowSummary& s) { return s.key == first.key; });
    if (!known) summaries.push_back(summary_of(first, rows));
  }
  return summaries;
}

std::string difference(const Json& there, const Json& here) {
  const auto text = [](const Json& json, const std::string& key) {
    return json.contains(key) ? json[key].dump() : std::string("not given");
  };
  for (const auto& [key, value] : here.items())
    if (!there.contains(key) || there[key] != value)
      return key + " is " + text(there, key) + " there and " + text(here, key) + " here";
  for (const auto& [key, value] : there.items())
    if (!here.contains(key)) return key + " is " + text(there, key) + " there and not given here";
  return {};
}

Json json_of(const Results& results) {
  Json json;
  json["protocol"] = results.protocol;
  json["dataset"] = results.dataset;
  json["preset"] = results.preset;
  json["recipe"] = results.recipe;
  json["table"] = Json::array();
  for (const RowResult& row : results.rows) json["table"].push_back(json_of(row));
  return json;
}

Results read_results(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  require(in.good(), file.string(), ": cannot be opened; expected a results file");
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  std::string text;
  for (std::array<char, 1 << 16> piece; in && text.size() <= kMostBytes;) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  require(text.size() <= kMostBytes, file.string(), ": is larger than ", kMostBytes >> 20,
          " MiB; expected a results file");
  const Json json = parse_json(text, file.string() + ":");
  try {
    return results_from(json);
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

void write_results(const std::filesystem::path& file, const Results& results) {
  AtomicFile output("results", file);
  output.write(dump_json(json_of(results), 1) + "\n");
  output.commit();
}

}  // namespace pliant
