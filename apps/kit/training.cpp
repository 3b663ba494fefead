#include <pliant/apps/kit/training.h>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>

namespace pliant::kit {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMostSeconds = 1e9;  // thirty years

// An empty list if it is not there.
const Json& list_or_none(const Json& json, const char* key) {
  static const Json none = Json::array();
  return json.contains(key) ? take_list(json, key) : none;
}

Json json_of(const std::vector<CurvePoint>& curve) {
  Json list = Json::array();
  for (const CurvePoint& point : curve)
    list.push_back({point.epoch, point.lr, point.loss, point.accuracy});
  return list;
}

Json json_of(const std::vector<EpochPoint>& epochs, const char* measured) {
  Json list = Json::array();
  for (const EpochPoint& point : epochs)
    list.push_back({{"epoch", point.epoch}, {measured, point.measured}});
  return list;
}

std::vector<CurvePoint> curve_from(const Json& json) {
  std::vector<CurvePoint> curve;
  for (const Json& point : list_or_none(json, "curve")) {
    if (!point.is_array() || point.size() != 4)
      fail_type("curve", point, "epoch, rate, loss and accuracy");
    curve.push_back({number_of("curve", point[0], 0), number_of("curve", point[1], 0),
                     number_of("curve", point[2], -kLargestNumber),
                     number_of("curve", point[3], 0, 1)});
  }
  return curve;
}

std::vector<EpochPoint> epochs_from(const Json& json, const char* measured) {
  std::vector<EpochPoint> epochs;
  for (const Json& point : list_or_none(json, "epochs"))
    epochs.push_back({take_count(point, "epoch"), take_number(point, measured, -kLargestNumber)});
  return epochs;
}

}  // namespace

Json json_of(const Training& training, const char* measured) {
  Json json;
  json["images_seen"] = training.images_seen;
  json["seconds"] = training.seconds;
  json["wait_seconds"] = training.wait_seconds;
  json["curve"] = json_of(training.curve);
  json["epochs"] = json_of(training.epochs, measured);
  return json;
}

Training training_from(const Json& json, const char* measured) {
  Training training;
  training.images_seen = take_count(json, "images_seen");
  training.seconds = take_number(json, "seconds", 0, kMostSeconds);
  if (json.contains("wait_seconds"))
    training.wait_seconds = take_number(json, "wait_seconds", 0, kMostSeconds);
  check_range("images_per_second", training.images_per_second(), 0, kMostImagesPerSecond);
  training.curve = curve_from(json);
  training.epochs = epochs_from(json, measured);
  return training;
}

}  // namespace pliant::kit
