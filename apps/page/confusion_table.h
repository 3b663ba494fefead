// A table of how often each label was taken for each class.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pliant::page {

// counts[label][guess] of the classes `names`, with the share of mistakes in the caption; of no
// counts it says that nothing was measured.
std::string confusion_table(const std::vector<std::vector<std::int64_t>>& counts,
                            const std::vector<std::string>& names, const std::string& caption);

}  // namespace pliant::page
