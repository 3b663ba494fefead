// The tables of a report: the rows' accuracies beside the published ones, and confusions.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/results.h>

namespace pliant::mnist {

// "MNIST", "procedural stand-in digits", "the user's own pictures".
std::string title_of_dataset(const std::string& dataset);

// A sentence or two on what the rows say, from those that there are; may be empty.
std::string findings(const Results& results);

// Mean over seeds, with the sample standard deviation where there are several.
std::string results_table(const Results& results);

// Plain and scaled, of each of the rows.
std::string confusion_tables(const std::vector<const RowResult*>& rows);

}  // namespace pliant::mnist
