// The second published benchmark: nets trained end to end on scaled digits of 56 x 56.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/apps/mnist/experiment.h>
#include <pliant/apps/mnist/scaled56_net.h>

namespace pliant::mnist {

// "none,dcn2@conv3-4" -> the kinds; "every" is all published ones. An Error that lists the names
// for any other.
std::vector<ZoomNetKind> zoom_nets_from(const std::string& comma_separated);

// Trains every kind for every seed: options.epochs epochs with options.lr as the peak, measured on
// the scaled test set after each. Of the options, rows, deforms, fine-tuning and draws are not
// used. A row's `scaled` is the last epoch's accuracy, its key the kind's name.
Results run_scaled56(const DigitSet& digits, const std::vector<ZoomNetKind>& kinds,
                     const ExperimentOptions& options, const ExperimentEvents& events = {});

}  // namespace pliant::mnist
