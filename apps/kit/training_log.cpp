#include <pliant/apps/kit/training_log.h>

#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/core/atomic_file.h>
#include <pliant/core/text.h>

namespace pliant::kit {

JsonLines::JsonLines(std::filesystem::path file) : file_(std::move(file)) {
  const AtomicFile proof("--log", file_);  // what is no file that can be replaced is not read
}

void JsonLines::add(std::int64_t step, const std::string& line) {
  if (!begun_) keep_before(step);
  begun_ = true;
  std::ofstream file(file_, std::ios::app);
  file << line << std::endl;
  if (file.good() || told_) return;
  told_ = true;
  std::cerr << "warning: " << printable(file_.string()) << " cannot be written any more\n";
}

// A training that goes on from its last checkpoint tells some steps a second time.
void JsonLines::keep_before(std::int64_t step) const {
  std::vector<std::string> kept;
  {
    std::ifstream before(file_);
    for (std::string line; std::getline(before, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      const bool is_line = json.is_object() && json.contains("step") && json["step"].is_number();
      if (is_line && json["step"].get<double>() < static_cast<double>(step)) kept.push_back(line);
    }
  }
  AtomicFile all("--log", file_);
  for (const std::string& line : kept) all.write(line + '\n');
  all.commit();
}

TrainingLog::TrainingLog(const std::string& lines, const std::string& events) {
  if (!lines.empty()) lines_.emplace(lines);
  if (!events.empty()) events_.emplace(events);
}

void TrainingLog::add(std::int64_t step,
                      const std::vector<std::pair<std::string, double>>& figures) {
  nlohmann::ordered_json json = {{"step", step}};
  for (const auto& [name, value] : figures) {
    json[name] = value;
    if (events_) events_->scalar(name, value, step);
  }
  if (lines_) lines_->add(step, json.dump());
}

void TrainingLog::add_image(std::int64_t step, const std::string& name,
                            const std::function<Tensor()>& image) {
  if (events_) events_->image(name, image(), step);
}

Listeners telling(TrainingLog& log, Progress& progress, const std::string& figure,
                  const std::function<std::string(double)>& told, std::function<void()> on_best) {
  return {
      .on_best = std::move(on_best),
      .on_point =
          [&log](std::int64_t step, const CurvePoint& point) {
            log.add(step, {{"epoch", point.epoch}, {"lr", point.lr}, {"train/loss", point.loss}});
          },
      .on_epoch =
          [&log, &progress, figure, told](std::int64_t step, const EpochPoint& point) {
            progress.clear();
            std::cout << "epoch " << point.epoch << ": " << told(point.measured) << " on val"
                      << std::endl;
            log.add(step, {{figure, point.measured}});
          }};
}

}  // namespace pliant::kit
