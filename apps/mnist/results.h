// What came out of a row of the table, how it is kept in JSON and how several are put together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/confusion.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training.h>

namespace pliant::mnist {

// What EpochPoint::measured is here, as files name it: accuracy on the scaled test set.
inline constexpr const char* kMeasured = "scaled";

// A row of the table for one seed.
struct RowResult : kit::Training {
  std::string key;  // "none", "bn", "dcn2/offsets"; names the row among a seed's
  std::string model, deform, finetune;  // deform is empty for the regular net
  std::uint64_t seed = 1;
  std::optional<double> mnist;       // accuracy on plain digits, unless the protocol has none
  double scaled = 0;                 // of the first draw of the scaled test set
  std::vector<double> scaled_draws;  // of every draw, the first included
  std::int64_t trained_parameters = 0;
  std::int64_t frozen_tensors = 0;  // found unchanged, byte for byte
  kit::Confusion plain_confusion, scaled_confusion;
  std::string weights;  // file name of the trained net beside the results; may be empty
};

nlohmann::ordered_json json_of(const RowResult& row);
// An Error that names what is missing or of another type.
RowResult row_from(const nlohmann::ordered_json& json);

// What a file says of a classifier's training: losses and shares in their ranges.
kit::Training training_of_classifier(const nlohmann::ordered_json& json);

// A results file: rows of one or more seeds, all made by one recipe.
struct Results {
  std::string protocol = "scaled-mnist";  // or "scaled56"
  std::string dataset;                    // "mnist", "synthetic-digits", "custom"
  std::string preset;
  // What decides the rows' bits, besides their keys and seeds: the text of a JSON object.
  std::string recipe = "{}";
  std::vector<RowResult> rows;

  // The finished row, or nullptr.
  const RowResult* find(const std::string& key, std::uint64_t seed) const;
  // Adds a row, or replaces the one of the same key and seed.
  void put(RowResult row);
};

// A row over all its seeds.
struct RowSummary {
  std::string key, model, deform, finetune;
  kit::Spread mnist, scaled;           // over seeds; scaled: of the first draw
  kit::Spread draws;                   // over draws: means over seeds of mean and deviation
  kit::Spread best_epoch, last_epoch;  // scaled accuracies over seeds; where epochs were measured
  std::int64_t trained_parameters = 0, images_seen = 0;
  double seconds = 0;  // mean
};
// In the order in which the keys come first.
std::vector<RowSummary> summaries_of(const std::vector<RowResult>& rows);

// "finetune_epochs is 2 there and 20 here" for a difference of two recipes, empty if there is none.
std::string difference(const std::string& there, const std::string& here);

nlohmann::ordered_json json_of(const Results& results);
// Errors name the file and what is wrong with it.
Results read_results(const std::filesystem::path& file);
// Writes a temporary file, syncs it and renames it.
void write_results(const std::filesystem::path& file, const Results& results);

}  // namespace pliant::mnist
