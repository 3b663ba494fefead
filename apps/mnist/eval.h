// Measuring saved nets.
#pragma once

#include <filesystem>
#include <string>

#include <pliant/apps/mnist/nets.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/apps/mnist/training.h>
#include <pliant/layers/safetensors.h>

namespace pliant::mnist {

// read_safetensors(), which says on standard error what it skipped.
SafetensorsFile read_weights(const std::filesystem::path& file);

// The net that a safetensors file holds, whichever kind it is: one of ours, or one of the released
// ones, whose offset fields are named offset12.weight and so on. The file's metadata "deform" names
// the kind, and must fit the tensors; where it has none they tell, a field being taken for
// Deform::offset_field.
DigitNet load_digit_net(const std::filesystem::path& file);
// The same from what was read of `file`.
DigitNet digit_net_from(const SafetensorsFile& contents, const std::filesystem::path& file);

Accuracies evaluate(const Classifier& net, const TestSets& test, Device device);

// An Error if one of the files of evaluate_published is missing, before anything is trained.
void require_published_files();

// cnn.safetensors and deform_cnn.safetensors of the folder PLIANT_PUBLISHED, measured.
PublishedWeights evaluate_published(const TestSets& test, Device device);

}  // namespace pliant::mnist
