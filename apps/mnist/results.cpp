#include <pliant/apps/mnist/results.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include <pliant/apps/mnist/json_text.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/error.h>
#include <pliant/core/file_name.h>

namespace pliant {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMostSeconds = 1e9;  // thirty years
constexpr double kMostPerSecond = 1e12;

std::string text_or_none(const Json& json, const char* key) {
  return json.contains(key) ? take_text(json, key) : std::string();
}

// An empty list if it is not there.
const Json& list_or_none(const Json& json, const char* key) {
  static const Json none = Json::array();
  return json.contains(key) ? take_list(json, key) : none;
}

Confusion confusion_from(const Json& json, const char* key) {
  if (!json.contains(key)) return {};
  Confusion::Rows rows;
  std::int64_t left = kMostCount;  // the counts are summed
  for (const Json& counts : take_list(json, key)) {
    if (!counts.is_array()) fail_type(key, counts, "a list of counts for each label");
    auto& row = rows.emplace_back();
    for (const Json& count : counts) left -= row.emplace_back(count_of(key, count, left));
  }
  return Confusion(std::move(rows));
}

std::vector<double> draws_from(const Json& json, double first) {
  if (!json.contains("scaled_draws")) return {first};
  std::vector<double> draws;
  for (const Json& share : take_list(json, "scaled_draws"))
    draws.push_back(number_of("scaled_draws", share, 0, 1));
  if (draws.empty() || draws.front() != first)
    fail_type("scaled_draws", take_list(json, "scaled_draws"),
              text_from("a list that begins with 'scaled', ", Json(first).dump()).c_str());
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
  for (const Json& point : list_or_none(json, "curve")) {
    if (!point.is_array() || point.size() != 4)
      fail_type("curve", point, "epoch, rate, loss and accuracy");
    curve.push_back({number_of("curve", point[0], 0), number_of("curve", point[1], 0),
                     number_of("curve", point[2], kLeastLoss), number_of("curve", point[3], 0, 1)});
  }
  return curve;
}

std::vector<EpochPoint> epochs_from(const Json& json) {
  std::vector<EpochPoint> epochs;
  for (const Json& point : list_or_none(json, "epochs"))
    epochs.push_back({take_count(point, "epoch"), take_share(point, "scaled")});
  return epochs;
}

// What the programs write, and of later ones' single values.
void check_recipe_part(const Json& recipe, const std::string& name) {
  const char* const key = name.c_str();
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (name.ends_with("_crc32"))
    take_count(recipe, key, std::numeric_limits<std::uint32_t>::max());
  else if (is_one_of({"epochs", "finetune_epochs", "batch", "train_images"}))
    take_count(recipe, key);
  else if (is_one_of({"lr", "finetune_lr", "deformable_lr_factor"}))
    take_number(recipe, key, 0);
  else if (name == "validate")
    take_flag(recipe, key);
  else if (name == "device")
    take_choice(recipe, key, {"cpu", "cuda"});
  else if (name == "precision")
    take_choice(recipe, key, {"float32", "tf32", "bfloat16"});
  else if (recipe[name].is_string())
    take_text(recipe, key);
  else if (recipe[name].is_structured())
    fail_type(printable(name, 40).c_str(), recipe[name], "a single value");
}

Json recipe_from(const Json& json) {
  const Json& recipe = take_object(json, "recipe");
  try {
    for (const auto& part : recipe.items()) check_recipe_part(recipe, part.key());
  } catch (const Error& error) {
    fail("recipe: ", error.what());
  }
  return recipe;
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
  results.protocol = take_choice(json, "protocol", {"scaled-mnist", "scaled56"});
  results.dataset = take_choice(json, "dataset", {"mnist", "synthetic-digits", "custom"});
  results.preset = take_text(json, "preset");
  results.recipe = recipe_from(json);
  if (json.contains("threads")) take_count(json, "threads", 1024, 1);
  const Json& table = take_list(json, "table");
  constexpr std::size_t kMostRows = 10000;  // each is compared with those before it
  require(table.size() <= kMostRows, "results: 'table' has ", table.size(),
          " rows, expected at most ", kMostRows);
  for (const Json& json_row : table) {
    try {
      RowResult row = row_from(json_row);
      require(row.mnist || results.protocol == "scaled56", "results: 'mnist' is missing");
      const auto is_this = [&](const RowResult& other) {
        return other.key == row.key && other.seed == row.seed;
      };
      require(std::none_of(results.rows.begin(), results.rows.end(), is_this),
              "results: stands there twice with seed ", row.seed);
      results.rows.push_back(std::move(row));
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
  training.seconds = take_number(json, "seconds", 0, kMostSeconds);
  if (json.contains("wait_seconds"))
    training.wait_seconds = take_number(json, "wait_seconds", 0, kMostSeconds);
  check_range("images_per_second", training.images_per_second(), 0, kMostPerSecond);
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
  if (json.contains("images_per_second")) take_number(json, "images_per_second", 0, kMostPerSecond);
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
  require_file_name("results", file);
  std::error_code ignored;
  require(
      !std::filesystem::is_directory(file, ignored), file.string(),
      ": is a folder, expected a results file: what --json wrote, or results.json in the folder ",
      "of --checkpoint");
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
