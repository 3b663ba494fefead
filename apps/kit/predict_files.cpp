#include <pliant/apps/kit/predict_files.h>

#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>

namespace pliant::kit {

int predict_files(const std::vector<std::string>& files, JsonFile& json,
                  const std::function<nlohmann::ordered_json(const std::string& file)>& predict) {
  auto all = nlohmann::ordered_json::array();
  int status = 0;
  for (const std::string& file : files) {
    nlohmann::ordered_json entry = {{"file", as_written(file)}};
    try {
      entry.update(predict(file));
    } catch (const Error& error) {
      std::cerr << error.what() << std::endl;
      entry["error"] = as_written(error.what());
      status = 1;
    }
    all.push_back(std::move(entry));
  }
  json.write(all);
  return status;
}

}  // namespace pliant::kit
