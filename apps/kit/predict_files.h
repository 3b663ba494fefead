// predict_files: one file after the other, none of which stops the others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/files.h>

namespace pliant::kit {

// Writes an entry for each file: its name and what `predict` says of it, or the "error", which is
// told on standard error as well. Gives the exit status: 1 if there was one.
int predict_files(const std::vector<std::string>& files, JsonFile& json,
                  const std::function<nlohmann::ordered_json(const std::string& file)>& predict);

}  // namespace pliant::kit
