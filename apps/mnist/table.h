// What a person gets to see of an experiment on a terminal: the table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/apps/mnist/results.h>

namespace pliant::mnist {

// Accuracies of a net on the two test sets, as fractions.
struct Accuracies {
  double mnist = 0, scaled = 0;
};

// The released weights measured here; empty where they are not given.
struct PublishedWeights {
  std::string source;  // one line: where they came from, or that they are not given
  std::vector<std::pair<std::string, Accuracies>> nets;
};

// Rows of several seeds as one with mean and deviation; published figures below. The dataset heads
// a column.
std::string table_of(const Results& results, const PublishedWeights& published);

// Results of several files, those of one recipe put together, in the order of their first.
std::vector<Results> merged(const std::vector<Results>& files);

}  // namespace pliant::mnist
