#include <pliant/apps/mnist/scaled56_experiment.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/data/scaled56.h>

namespace pliant::mnist {
namespace {

Results header_of(const DigitSet& digits, const ExperimentOptions& options) {
  Results results;
  results.protocol = "scaled56";
  results.dataset = digits.name;
  results.preset = options.preset;
  nlohmann::ordered_json recipe = {{"train_images_crc32", checksum(digits.train.images)},
                                   {"test_images_crc32", checksum(digits.test.images)},
                                   {"epochs", options.epochs},
                                   {"batch", options.batch},
                                   {"lr", options.lr},
                                   {"train_images", options.train_images},
                                   {"validate", options.validate},
                                   {"device", options.device.is_cpu() ? "cpu" : "cuda"}};
  if (options.precision != "float32") recipe["precision"] = options.precision;
  results.recipe = recipe.dump();
  return results;
}

class Scaled56Experiment {
 public:
  Scaled56Experiment(const DigitSet& digits, const std::vector<ZoomNetKind>& kinds,
                     const ExperimentOptions& options, const ExperimentEvents& events)
      : kinds_(kinds),
        options_(options),
        events_(events),
        sets_(sets_of(digits, options)),
        ledger_(header_of(digits, options), options.ledger),
        progress_(total_cost()) {}

  Results run() {
    for (const std::uint64_t seed : options_.seeds) run_seed(seed);
    return ledger_.results();
  }

 private:
  double total_cost() const {
    const double row = static_cast<double>(options_.epochs) *
                       (static_cast<double>(sets_.train.size()) +
                        kMeasuring * static_cast<double>(sets_.test.size()));
    double total = 0;
    for (const std::uint64_t seed : options_.seeds)
      for (const ZoomNetKind& kind : kinds_)
        if (ledger_.results().find(name_of(kind), seed) == nullptr) total += row;
    return total;
  }

  void run_seed(std::uint64_t seed) {
    const ImageSets sets =
        make_scaled56(sets_.train, sets_.test, Rng(seed).fork("scaled56 pictures"));
    const LabelledImages test{to_float(sets.test.images), sets.test.labels};
    for (const ZoomNetKind& kind : kinds_) {
      const RowResult* const earlier = ledger_.results().find(name_of(kind), seed);
      const RowResult result = earlier != nullptr ? *earlier : run_row(kind, seed, sets, test);
      if (earlier == nullptr) ledger_.put(result);
      progress_.clear();
      events_.row(result, earlier != nullptr);
    }
  }

  RowResult run_row(const ZoomNetKind& kind, std::uint64_t seed, const ImageSets& sets,
                    const LabelledImages& test) {
    const Rng rng(seed);
    RowResult result;
    result.key = name_of(kind);
    result.model = kind.deform == Deform::none ? "regular" : "deformable";
    result.deform = kind.deform == Deform::none ? "" : result.key;
    result.finetune = "end to end";
    result.seed = seed;
    ZoomNet net(kind);
    net.initialise(rng.fork("net"));
    net.to(options_.device);
    result.trained_parameters = net.trainable_count();
    progress_.stage((options_.seeds.size() > 1 ? "seed " + std::to_string(seed) + ", " : "") +
                    result.key);
    static_cast<kit::Training&>(result) = trained(net, result.key, seed, sets.train, test);
    result.weights = ledger_.weights(result.key, seed);
    result.scaled_confusion = confusion(net, test, options_.device);
    result.scaled = accuracy(result.scaled_confusion);
    result.scaled_draws = {result.scaled};
    return result;
  }

  kit::Training trained(ZoomNet& net, const std::string& key, std::uint64_t seed,
                        const LabelledImages& train_set, const LabelledImages& test) {
    if (const auto earlier = ledger_.trained(net, key, seed)) {
      progress_.skip(static_cast<double>(earlier->images_seen));
      return *earlier;
    }
    const auto measure = [&](std::int64_t /*epochs*/) {
      return accuracy(net, test, options_.device, [&](std::int64_t n) {
        progress_.advance(kMeasuring * static_cast<double>(n), "measuring");
      });
    };
    const TrainingPlan plan{.epochs = options_.epochs,
                            .batch = options_.batch,
                            .lr = options_.lr,
                            .rng = Rng(seed).fork("scaled56"),
                            .device = options_.device,
                            .activations = kit::activations_at(options_.precision),
                            .measure = measure};
    const auto checkpoint = ledger_.checkpoint(key, seed);
    kit::Training training = train(net, train_set, plan, 1.0, progress_, checkpoint.get());
    ledger_.keep(net, key, seed, training, metadata_of(net));
    return training;
  }

  const std::vector<ZoomNetKind>& kinds_;
  const ExperimentOptions& options_;
  const ExperimentEvents& events_;
  ImageSets sets_;
  Ledger ledger_;
  kit::Progress progress_;
};

}  // namespace

std::vector<ZoomNetKind> zoom_nets_from(const std::string& comma_separated) {
  std::vector<ZoomNetKind> kinds;
  for (const std::string& name : kit::items_of("--rows", comma_separated)) {
    std::string known;
    bool found = false;
    for (const PublishedZoomNet& row : published_zoom_nets()) {
      known += ", " + name_of(row.kind);
      if (name != name_of(row.kind) && name != "every") continue;
      kinds.push_back(row.kind);
      found = true;
    }
    require(found, "--rows: '", name, "' is none of every", known);
  }
  return kinds;
}

Results run_scaled56(const DigitSet& digits, const std::vector<ZoomNetKind>& kinds,
                     const ExperimentOptions& options, const ExperimentEvents& events) {
  return Scaled56Experiment(digits, kinds, options, events).run();
}

}  // namespace pliant::mnist
