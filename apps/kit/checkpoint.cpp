#include <pliant/apps/kit/checkpoint.h>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>

namespace pliant::kit {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kState = "state";

Json json_of(const TrainingState& state) {
  Json json = kit::json_of(state.training);
  json["loss_mean"] = state.loss_mean;
  json["loss_sum"] = state.loss_sum;
  json["steps"] = state.steps;
  json["images"] = state.images;
  json["right"] = state.right;
  return json;
}

TrainingState state_from(const Json& json) {
  TrainingState state;
  state.training = training_from(json);
  state.loss_mean = take_number(json, "loss_mean", -kLargestNumber);
  state.loss_sum = take_number(json, "loss_sum", -kLargestNumber);
  state.steps = take_count(json, "steps");
  state.images = take_count(json, "images");
  state.right = take_count(json, "right");
  return state;
}

}  // namespace

TrainingRecipe recipe_from(const Json& options) {
  TrainingRecipe recipe;
  for (const auto& [key, value] : options.items()) recipe[key] = dump_json(value);
  return recipe;
}

bool Checkpoint::due() const {
  return std::chrono::duration<double>(Clock::now() - saved_).count() >= every_seconds_;
}

void Checkpoint::save(const TrainingParts& parts, const TrainingState& state) {
  saved_ = Clock::now();
  if (!leads_) return;
  file_.save(parts, {.step = state.step,
                     .epoch = state.epoch,
                     .batch = state.batch,
                     .texts = {{kState, json_of(state).dump()}}});
  saved_ = Clock::now();
}

bool Checkpoint::load(const TrainingParts& parts, TrainingState& state,
                      const std::function<void(const TrainingState&)>& check) const {
  TrainingState read;
  const auto take = [&](const TrainingPosition& position) {
    const auto text = position.texts.find(kState);
    require(text != position.texts.end(), "it does not say how the training went");
    read = state_from(parse_json(text->second, "its state"));
    read.step = position.step;
    read.epoch = position.epoch;
    read.batch = position.batch;
    if (check) check(read);
  };
  TrainingPosition position;
  if (!file_.load(parts, position, take)) return false;
  state = std::move(read);
  return true;
}

void require_same_recipe(const std::filesystem::path& file, const std::string& there,
                         const std::string& here) {
  const std::string other = difference(recipe_from(nlohmann::ordered_json::parse(there)),
                                       recipe_from(nlohmann::ordered_json::parse(here)));
  require(other.empty(), file.string(), ": was made with other options: ", other,
          "; name another folder, or move it away");
}

}  // namespace pliant::kit
