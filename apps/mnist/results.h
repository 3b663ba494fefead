// What came out of a row of the table, how it is kept in JSON and how several are put together.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/confusion.h>

namespace pliant {

// Of so many training steps on the way: their mean loss and the share of pictures labelled right.
struct CurvePoint {
  double epoch = 0;  // at the end of these steps, in epochs; fractions count
  double lr = 0;     // of the last of them
  double loss = 0;
  double accuracy = 0;
};

// Accuracy on the scaled test set after a whole epoch, where a protocol asks for it.
struct EpochPoint {
  std::int64_t epoch = 0;
  double scaled = 0;
};

// What a training took and how it went.
struct Training {
  std::int64_t images_seen = 0;
  double seconds = 0, wait_seconds = 0;  // of the seconds, waiting for the loader
  std::vector<CurvePoint> curve;
  std::vector<EpochPoint> epochs;

  double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images_seen) / seconds : 0;
  }
};

nlohmann::ordered_json json_of(const Training& training);
Training training_from(const nlohmann::ordered_json& json);

// A row of the table for one seed.
struct RowResult : Training {
  std::string key;  // "none", "bn", "dcn2/offsets"; names the row among a seed's
  std::string model, deform, finetune;  // deform is empty for the regular net
  std::uint64_t seed = 1;
  std::optional<double> mnist;       // accuracy on plain digits, unless the protocol has none
  double scaled = 0;                 // of the first draw of the scaled test set
  std::vector<double> scaled_draws;  // of every draw, the first included
  std::int64_t trained_parameters = 0;
  std::int64_t frozen_tensors = 0;  // found unchanged, byte for byte
  Confusion plain_confusion, scaled_confusion;
  std::string weights;  // file name of the trained net beside the results; may be empty
};

nlohmann::ordered_json json_of(const RowResult& row);
// An Error that names what is missing or of another type.
RowResult row_from(const nlohmann::ordered_json& json);

// A results file: rows of one or more seeds, all made by one recipe.
struct Results {
  std::string protocol = "scaled-mnist";  // or "scaled56"
  std::string dataset;                    // "mnist", "synthetic-digits", "custom"
  std::string preset;
  nlohmann::ordered_json recipe;  // what decides the rows' bits, besides their keys and seeds
  std::vector<RowResult> rows;

  // The finished row, or nullptr.
  const RowResult* find(const std::string& key, std::uint64_t seed) const;
  // Adds a row, or replaces the one of the same key and seed.
  void put(RowResult row);
};

// Mean of some numbers and their sample standard deviation, 0 for a single one.
struct Spread {
  double mean = 0, deviation = 0;
  std::int64_t count = 0;
};
Spread spread_of(const std::vector<double>& numbers);

// A row over all its seeds.
struct RowSummary {
  std::string key, model, deform, finetune;
  Spread mnist, scaled;           // over seeds; scaled: of the first draw
  Spread draws;                   // over draws: means over seeds of mean and deviation
  Spread best_epoch, last_epoch;  // scaled accuracies over seeds; where epochs were measured
  std::int64_t trained_parameters = 0, images_seen = 0;
  double seconds = 0;  // mean
};
// In the order in which the keys come first.
std::vector<RowSummary> summaries_of(const std::vector<RowResult>& rows);

// "finetune_epochs is 2 there and 20 here" for the first difference, empty if there is none.
std::string difference(const nlohmann::ordered_json& there, const nlohmann::ordered_json& here);

nlohmann::ordered_json json_of(const Results& results);
// Errors name the file and what is wrong with it.
Results read_results(const std::filesystem::path& file);
// Writes a temporary file, syncs it and renames it.
void write_results(const std::filesystem::path& file, const Results& results);

}  // namespace pliant
