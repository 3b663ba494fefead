// The experiment as one page to look at: index.html, which needs no other file and no network.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <pliant/apps/mnist/nets.h>
#include <pliant/apps/mnist/results.h>
#include <pliant/apps/mnist/training.h>

namespace pliant::mnist {

struct ReportInput {
  Results results;
  std::string source;  // one line: where the pictures came from (DigitSet::source)
  // The trained net of a row, if it can be had; asked once for each key and seed that is shown.
  std::function<std::optional<DigitNet>(const RowResult&)> net;
  TestSets test;       // float32 [N 28 28 1]; may be empty (undefined tensors)
  LabelledImages raw;  // the same pictures, uint8: what is shrunk in the sweep; may be empty
  Device device;       // where the nets compute
  // Keys of the rows whose confusions and mistakes are shown; empty: a few that tell the story.
  std::vector<std::string> chosen;
};

// Makes the folder and proves that FOLDER/index.html can be written.
void prepare_html_report(const std::filesystem::path& folder);

// Writes FOLDER/index.html: a temporary file that is then renamed. The folder is made. Rows without
// a net are left out of what needs one, and a sentence says so. A net that cannot be read is the
// caller's Error.
void write_html_report(const std::filesystem::path& folder, const ReportInput& input);

// The page itself.
std::string html_report(const ReportInput& input);

}  // namespace pliant::mnist
