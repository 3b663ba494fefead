// What a person and a program get to see of an experiment: the table and the JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/experiment.h>

namespace pliant {

// Accuracies of a net on the two test sets, as fractions.
struct Accuracies {
  double mnist = 0, scaled = 0;
};

// The released weights measured here; empty where they are not given.
struct PublishedWeights {
  std::string source;  // one line: where they came from, or that they are not given
  std::vector<std::pair<std::string, Accuracies>> nets;
};

// `digits` names the set that was used; its plain pictures head a column.
std::string table_of(const std::vector<RowResult>& rows, const PublishedWeights& published,
                     const std::string& digits);
nlohmann::ordered_json json_of(const RowResult& row);

// 0.9874 -> "98.74 %", 387072 -> "387,072".
std::string percent(double fraction);
std::string grouped(std::int64_t number);

}  // namespace pliant
