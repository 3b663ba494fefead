#include <pliant/apps/mnist/checkpoint.h>

#include <pliant/apps/mnist/json_text.h>
#include <pliant/core/atomic_file.h>
#include <pliant/data/digest.h>
#include <pliant/layers/train/safetensors.h>

namespace pliant {
namespace {

using Json = nlohmann::ordered_json;

const std::string kNet = "net/", kOptimizer = "optimizer/";

Json json_of(const TrainingState& state) {
  Json json = pliant::json_of(state.training);
  json["step"] = state.step;
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
  state.step = take_count(json, "step");
  state.loss_mean = take_number(json, "loss_mean", kLeastLoss);
  state.loss_sum = take_number(json, "loss_sum", kLeastLoss);
  state.steps = take_count(json, "steps");
  state.images = take_count(json, "images");
  state.right = take_count(json, "right");
  return state;
}

// Of all tensors, in order, with their names, and of what the metadata say.
std::string checksum(const SafetensorsFile& file) {
  ContentDigest digest;
  const auto add = [&](const void* data, std::size_t bytes) {
    digest.update(static_cast<const std::uint8_t*>(data), bytes);
  };
  for (const auto& [name, tensor] : file.tensors) {
    add(name.data(), name.size());
    if (tensor.bytes() > 0) add(tensor.raw(), static_cast<std::size_t>(tensor.bytes()));
  }
  for (const auto& [key, text] : file.metadata)
    if (key != "crc32") add(text.data(), text.size());
  return std::to_string(digest.finish().crc32);
}

void append(State& to, const std::string& prefix, const State& from) {
  for (const auto& [path, tensor] : from) to.emplace_back(prefix + path, tensor.to(Device::cpu()));
}

State taken(const State& from, const std::string& prefix) {
  State state;
  for (const auto& [path, tensor] : from)
    if (path.starts_with(prefix)) state.emplace_back(path.substr(prefix.size()), tensor);
  return state;
}

// Both or neither: each loads all or nothing, and the second may refuse what suits the first.
void load_both(Classifier& net, const State& net_state, Optimizer& optimizer,
               const State& optimizer_state) {
  State before = net.state();
  for (auto& [path, tensor] : before) tensor = tensor.clone();
  net.load(net_state);
  try {
    optimizer.load(optimizer_state);
  } catch (...) {
    net.load(before);
    throw;
  }
}

const std::string& metadata(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  require(found != file.metadata.end(), "it has no '", key, "', so it is not a checkpoint");
  return found->second;
}

}  // namespace

Checkpoint::Checkpoint(std::filesystem::path file, const Json& recipe, double every_seconds)
    : file_(std::move(file)), recipe_(as_written(recipe)), every_seconds_(every_seconds) {
  remove_stale_temporaries(file_);
}

bool Checkpoint::due() const {
  return std::chrono::duration<double>(Clock::now() - saved_).count() >= every_seconds_;
}

void Checkpoint::save(const Classifier& net, const Optimizer& optimizer,
                      const TrainingState& state) {
  saved_ = Clock::now();
  SafetensorsFile file;
  append(file.tensors, kNet, net.state());
  append(file.tensors, kOptimizer, optimizer.state());
  file.metadata = {{"recipe", recipe_.dump()}, {"state", json_of(state).dump()}};
  file.metadata["crc32"] = checksum(file);
  write_safetensors(file_, file);
  saved_ = Clock::now();
}

bool Checkpoint::load(Classifier& net, Optimizer& optimizer, TrainingState& state) const {
  std::error_code ignored;
  if (!std::filesystem::exists(file_, ignored)) return false;
  try {
    const SafetensorsFile file = read_safetensors(file_);
    const std::string &there = metadata(file, "recipe"), &progress = metadata(file, "state");
    require(metadata(file, "crc32") == checksum(file), "its checksum is wrong");
    const std::string other = difference(parse_json(there, "its recipe"), recipe_);
    require(other.empty(), "it belongs to another training: ", other);
    const TrainingState read = state_from(parse_json(progress, "its state"));
    load_both(net, taken(file.tensors, kNet), optimizer, taken(file.tensors, kOptimizer));
    state = read;
    return true;
  } catch (const std::exception& error) {
    fail("checkpoint ", file_.string(), " cannot be used (", error.what(),
         "); delete it to start this training over");
  }
}

void require_checkpoint(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return;
  try {
    require(!std::filesystem::is_directory(file, ignored), "it is a folder");
    const SafetensorsFile found = read_safetensors(file);
    metadata(found, "recipe");
    metadata(found, "state");
  } catch (const Error& error) {
    fail(file.string(), ": is where the checkpoint of this training goes, but no checkpoint (",
         error.what(), "); move it away, or choose another --out");
  }
}

void Checkpoint::remove() const {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

}  // namespace pliant
