#include <pliant/apps/mnist/ledger.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/core/atomic_file.h>
#include <pliant/layers/safetensors.h>

namespace pliant::mnist {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kResults = "results.json";
constexpr const char* kWeights = ".safetensors";

}  // namespace

Ledger::Ledger(Results header, const LedgerOptions& options)
    : options_(options), results_(std::move(header)) {
  if (options_.folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(options_.folder, error);
  require(!error, options_.folder.string(),
          ": cannot be made a folder: ", reason_of(error.value()));
  if (!options_.checkpoints) return;
  lock_ = std::make_unique<FileLock>(options_.folder / "lock",
                                     "--checkpoint: another run is writing into this folder");
  const std::filesystem::path results = options_.folder / kResults;
  remove_stale_temporaries(results);
  if (std::filesystem::exists(results, error)) {
    require(options_.resume, "--checkpoint: ", options_.folder.string(),
            " holds an earlier run; add --resume to go on with it, or name another folder");
    Results there = read_results(results);
    require(there.protocol == results_.protocol, "--resume: ", options_.folder.string(), " is of ",
            there.protocol, ", not of ", results_.protocol);
    const std::string other = difference(there.recipe, results_.recipe);
    require(other.empty(), "--resume: ", options_.folder.string(),
            " was begun with other options: ", other);
    results_ = std::move(there);
    // A stop may have come between a row's result and the end of its training's file.
    for (const RowResult& row : results_.rows) checkpoint(row.key, row.seed)->remove();
  }
  // Written at once, so that a folder that cannot be written costs no training.
  write_results(results, results_);
}

void Ledger::put(const RowResult& row) {
  results_.put(row);
  if (!options_.checkpoints) return;
  write_results(options_.folder / kResults, results_);
  checkpoint(row.key, row.seed)->remove();
}

std::optional<kit::Training> Ledger::trained(Classifier& net, const std::string& key,
                                             std::uint64_t seed) const {
  if (options_.folder.empty()) return std::nullopt;
  const std::filesystem::path weights_file = file(key, seed, kWeights);
  std::error_code ignored;
  if (!std::filesystem::exists(weights_file, ignored)) return std::nullopt;
  try {
    const SafetensorsFile read = read_safetensors(weights_file);
    const auto training = read.metadata.find("training"), there = read.metadata.find("recipe");
    require(training != read.metadata.end() && there != read.metadata.end(),
            "it does not say how it was trained");
    const std::string other =
        difference(kit::dump_json(kit::parse_json(there->second, "its recipe")), recipe(key, seed));
    require(other.empty(), "it was trained otherwise: ", other);
    const kit::Training result =
        training_of_classifier(kit::parse_json(training->second, "its training"));
    if (!options_.checkpoints) return std::nullopt;  // the same bits once more, measured anew
    net.load(read.tensors);
    return result;
  } catch (const std::exception& error) {
    fail(weights_file.string(), " cannot be used (", error.what(),
         "); move it away to train that net anew");
  }
}

void Ledger::keep(const Classifier& net, const std::string& key, std::uint64_t seed,
                  const kit::Training& training, std::map<std::string, std::string> metadata) {
  if (options_.folder.empty()) return;
  const std::filesystem::path weights_file = file(key, seed, kWeights);
  remove_stale_temporaries(weights_file);
  metadata["seed"] = std::to_string(seed);
  metadata["recipe"] = recipe(key, seed);
  metadata["training"] = kit::json_of(training, kMeasured).dump();
  net.save(weights_file, metadata);
}

std::string Ledger::weights(const std::string& key, std::uint64_t seed) const {
  return options_.folder.empty() ? std::string() : file(key, seed, kWeights).filename().string();
}

std::unique_ptr<kit::Checkpoint> Ledger::checkpoint(const std::string& key,
                                                    std::uint64_t seed) const {
  if (!options_.checkpoints) return nullptr;
  return std::make_unique<kit::Checkpoint>(file(key, seed, ".checkpoint"),
                                           kit::recipe_from(Json::parse(recipe(key, seed))),
                                           options_.checkpoint_seconds);
}

// "dcn2/offsets+bn" of seed 1 -> "dcn2-offsets+bn-seed1.safetensors"; "dcn2@conv4" likewise; a key
// that names no deformation is the regular net's.
std::filesystem::path Ledger::file(const std::string& key, std::uint64_t seed,
                                   const std::string& extension) const {
  const bool deforms = key.find_first_of("/@") != std::string::npos;
  std::string name = deforms ? key : "regular/" + key;
  std::replace(name.begin(), name.end(), '/', '-');
  return options_.folder / (name + "-seed" + std::to_string(seed) + extension);
}

std::string Ledger::recipe(const std::string& key, std::uint64_t seed) const {
  Json json = Json::parse(results_.recipe);
  json["row"] = key;
  json["seed"] = seed;
  return json.dump();
}

}  // namespace pliant::mnist
