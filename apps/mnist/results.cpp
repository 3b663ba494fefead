#include <pliant/apps/mnist/results.h>

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/core/error.h>
#include <pliant/core/file_name.h>

namespace pliant::mnist {
namespace {

using Json = nlohmann::ordered_json;

std::string text_or_none(const Json& json, const char* key) {
  return json.contains(key) ? kit::take_text(json, key) : std::string();
}

kit::Confusion confusion_from(const Json& json, const char* key) {
  if (!json.contains(key)) return {};
  kit::Confusion::Rows rows;
  std::int64_t left = kit::kMostCount;  // the counts are summed
  for (const Json& counts : kit::take_list(json, key)) {
    if (!counts.is_array()) kit::fail_type(key, counts, "a list of counts for each label");
    auto& row = rows.emplace_back();
    for (const Json& count : counts) left -= row.emplace_back(kit::count_of(key, count, left));
  }
  return kit::Confusion(std::move(rows));
}

std::vector<double> draws_from(const Json& json, double first) {
  if (!json.contains("scaled_draws")) return {first};
  std::vector<double> draws;
  for (const Json& share : kit::take_list(json, "scaled_draws"))
    draws.push_back(kit::number_of("scaled_draws", share, 0, 1));
  if (draws.empty() || draws.front() != first)
    kit::fail_type("scaled_draws", kit::take_list(json, "scaled_draws"),
                   text_from("a list that begins with 'scaled', ", Json(first).dump()).c_str());
  return draws;
}

// What the programs write, and of later ones' single values.
void check_recipe_part(const Json& recipe, const std::string& name) {
  const char* const key = name.c_str();
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (name.ends_with("_crc32"))
    kit::take_count(recipe, key, std::numeric_limits<std::uint32_t>::max());
  else if (is_one_of({"epochs", "finetune_epochs", "batch", "train_images"}))
    kit::take_count(recipe, key);
  else if (is_one_of({"lr", "finetune_lr", "deformable_lr_factor"}))
    kit::take_number(recipe, key, 0);
  else if (name == "validate")
    kit::take_flag(recipe, key);
  else if (name == "device")
    kit::take_choice(recipe, key, {"cpu", "cuda"});
  else if (name == "precision")
    kit::take_choice(recipe, key, {"float32", "tf32", "bfloat16"});
  else if (recipe[name].is_string())
    kit::take_text(recipe, key);
  else if (recipe[name].is_structured())
    kit::fail_type(printable(name, 40).c_str(), recipe[name], "a single value");
}

std::string recipe_from(const Json& json) {
  const Json& recipe = kit::take_object(json, "recipe");
  try {
    for (const auto& part : recipe.items()) check_recipe_part(recipe, part.key());
  } catch (const Error& error) {
    fail("recipe: ", error.what());
  }
  return kit::dump_json(recipe);
}

// For messages of a row that is not right.
std::string name_in(const Json& row) {
  const auto part = [&](const char* key) {
    return row.is_object() && row.contains(key) ? printable(kit::dump_json(row[key]), 80) : "?";
  };
  return part("key") + " of seed " + part("seed");
}

Results results_from(const Json& json) {
  Results results;
  results.protocol = kit::take_choice(json, "protocol", {"scaled-mnist", "scaled56"});
  results.dataset = kit::take_choice(json, "dataset", {"mnist", "synthetic-digits", "custom"});
  results.preset = kit::take_text(json, "preset");
  results.recipe = recipe_from(json);
  if (json.contains("threads")) kit::take_count(json, "threads", 1024, 1);
  const Json& table = kit::take_list(json, "table");
  constexpr std::size_t kMostRows = 10000;  // each is compared with those before it
  require(table.size() <= kMostRows, "'table' has ", table.size(), " rows, expected at most ",
          kMostRows);
  for (const Json& json_row : table) {
    try {
      RowResult row = row_from(json_row);
      require(row.mnist || results.protocol == "scaled56", "'mnist' is missing");
      const auto is_this = [&](const RowResult& other) {
        return other.key == row.key && other.seed == row.seed;
      };
      require(std::none_of(results.rows.begin(), results.rows.end(), is_this),
              "stands there twice with seed ", row.seed);
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
    const kit::Spread draws = kit::spread_of(row.scaled_draws);
    draw_means.push_back(draws.mean);
    draw_deviations.push_back(draws.deviation);
    summary.draws.count = std::max(summary.draws.count, draws.count);
    if (row.epochs.empty()) continue;
    last.push_back(row.epochs.back().measured);
    best.push_back(std::max_element(row.epochs.begin(), row.epochs.end(),
                                    [](const kit::EpochPoint& a, const kit::EpochPoint& b) {
                                      return a.measured < b.measured;
                                    })
                       ->measured);
  }
  summary.mnist = kit::spread_of(mnist);
  summary.scaled = kit::spread_of(scaled);
  summary.best_epoch = kit::spread_of(best);
  summary.last_epoch = kit::spread_of(last);
  summary.seconds = kit::spread_of(seconds).mean;
  summary.draws.mean = kit::spread_of(draw_means).mean;
  summary.draws.deviation = kit::spread_of(draw_deviations).mean;
  return summary;
}

}  // namespace

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
  json.update(kit::json_of(row, kMeasured));
  if (row.mnist) json["plain_confusion"] = row.plain_confusion;
  json["scaled_confusion"] = row.scaled_confusion;
  if (!row.weights.empty()) json["weights"] = row.weights;
  return json;
}

RowResult row_from(const Json& json) {
  RowResult row;
  row.key = kit::take_text(json, "key");
  row.model = kit::take_text(json, "model");
  row.deform = text_or_none(json, "deform");
  row.finetune = kit::take_text(json, "finetune");
  row.seed = kit::take_seed(json, "seed");
  if (json.contains("mnist")) row.mnist = kit::take_share(json, "mnist");
  row.scaled = kit::take_share(json, "scaled");
  row.scaled_draws = draws_from(json, row.scaled);
  row.trained_parameters = kit::take_count(json, "trained_parameters");
  if (json.contains("images_per_second"))
    kit::take_number(json, "images_per_second", 0, kit::kMostImagesPerSecond);
  row.frozen_tensors =
      json.contains("frozen_tensors") ? kit::take_count(json, "frozen_tensors") : 0;
  static_cast<kit::Training&>(row) = training_of_classifier(json);
  row.plain_confusion = confusion_from(json, "plain_confusion");
  row.scaled_confusion = confusion_from(json, "scaled_confusion");
  row.weights = text_or_none(json, "weights");
  return row;
}

kit::Training training_of_classifier(const Json& json) {
  kit::Training training = kit::training_from(json, kMeasured);
  for (const kit::CurvePoint& point : training.curve)
    kit::check_range("curve", point.loss, kit::kLeastLoss, kit::kLargestNumber);
  for (const kit::EpochPoint& point : training.epochs)
    kit::check_range(kMeasured, point.measured, 0, 1);
  return training;
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

std::vector<RowSummary> summaries_of(const std::vector<RowResult>& rows) {
  std::vector<RowSummary> summaries;
  for (const RowResult& first : rows) {
    const bool known = std::any_of(summaries.begin(), summaries.end(),
                                   [&](const RowSummary& s) { return s.key == first.key; });
    if (!known) summaries.push_back(summary_of(first, rows));
  }
  return summaries;
}

std::string difference(const std::string& there, const std::string& here) {
  return pliant::difference(kit::recipe_from(Json::parse(there)),
                            kit::recipe_from(Json::parse(here)));
}

Json json_of(const Results& results) {
  Json json;
  json["protocol"] = results.protocol;
  json["dataset"] = results.dataset;
  json["preset"] = results.preset;
  json["recipe"] = Json::parse(results.recipe);
  json["table"] = Json::array();
  for (const RowResult& row : results.rows) json["table"].push_back(json_of(row));
  return json;
}

Results read_results(const std::filesystem::path& file) {
  const Json json = kit::read_json(file, "a results file");
  try {
    return results_from(json);
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

void write_results(const std::filesystem::path& file, const Results& results) {
  kit::write_json("results", file, json_of(results));
}

}  // namespace pliant::mnist
