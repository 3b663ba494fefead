// The figures of a training as they come, for other programs to follow.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pliant/apps/kit/event_file.h>
#include <pliant/apps/kit/training_record.h>

namespace pliant::kit {

// Lines of JSON, {"step": .., ..}.
class JsonLines {
 public:
  // Lines of the same training that are there already stay, but for those of `step` and later.
  // What is no file that can be replaced is an Error.
  explicit JsonLines(std::filesystem::path file);
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
  // For TensorBoard alone; uint8 [H W C], made only where it is wanted.
  void add_image(std::int64_t step, const std::string& name, const std::function<Tensor()>& image);

 private:
  std::optional<JsonLines> lines_;
  std::optional<EventFile> events_;
};

// Listeners that log points and epochs, what was measured under `figure`, and print a line for each
// epoch, with `told` of what was measured on val.
Listeners telling(TrainingLog& log, Progress& progress, const std::string& figure,
                  const std::function<std::string(double)>& told, std::function<void()> on_best);

}  // namespace pliant::kit
