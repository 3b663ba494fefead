// The figures of a training as they come, for other programs to follow.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pliant/apps/kit/event_file.h>

namespace pliant::kit {

// Lines of JSON, {"step": .., ..}.
class JsonLines {
 public:
  // Lines of the same training that are there already stay, but for those of `step` and later.
  explicit JsonLines(std::filesystem::path file) : file_(std::move(file)) {}
  void add(std::int64_t step, const std::string& line);

 private:
  void keep_before(std::int64_t step) const;

  std::filesystem::path file_;
  bool begun_ = false, told_ = false;
};

// To a file of lines and to a folder for TensorBoard, either of which may be empty: none.
class TrainingLog {
 public:
  TrainingLog(const std::string& lines, const std::string& events);
  void add(std::int64_t step, const std::vector<std::pair<std::string, double>>& figures);

 private:
  std::optional<JsonLines> lines_;
  std::optional<EventFile> events_;
};

}  // namespace pliant::kit
