// Training: what a training took and how it went, and how that is kept in JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace pliant::kit {

// Of so many training steps on the way: their mean loss, of any sign, and the share of what was
// right.
struct CurvePoint {
  double epoch = 0;  // at the end of these steps, in epochs; fractions count
  double lr = 0;     // of the last of them
  double loss = 0;
  double accuracy = 0;  // 0 where nothing is counted as right
};

// What was measured after a whole epoch, where a training asks for it.
struct EpochPoint {
  std::int64_t epoch = 0;
  double measured = 0;
};

struct Training {
  std::int64_t images_seen = 0;
  double seconds = 0, wait_seconds = 0;  // of the seconds, waiting for the loader
  std::vector<CurvePoint> curve;
  std::vector<EpochPoint> epochs;

  double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images_seen) / seconds : 0;
  }
};

constexpr double kMostImagesPerSecond = 1e12;

// `measured` names what EpochPoint::measured is.
nlohmann::ordered_json json_of(const Training& training, const char* measured = "measured");
// An Error that names what is missing, of another type or out of range.
Training training_from(const nlohmann::ordered_json& json, const char* measured = "measured");

}  // namespace pliant::kit
