#include <pliant/apps/mnist/experiment.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/mnist/eval.h>
#include <pliant/core/crc32.h>

namespace pliant::mnist {
namespace {

using Json = nlohmann::ordered_json;

// Expected time per image, in units of a plain training step of the regular net.
double cost_of(const RowKind& row) {
  if (row.statistics == Statistics::reestimate) return kMeasuring;
  switch (row.deform) {
    case Deform::none:
      return row.finetune == "bn" ? 0.6 : 1.0;
    case Deform::dcn1:
    case Deform::dcn2:
      return 1.1;
    default:
      return 3.6;
  }
}

bool trains(const RowKind& row) { return !row.trained.empty(); }

// Counts the tensors that do not train; one whose bytes changed is an Error.
std::int64_t check_frozen(const RowKind& row, const DigitNet& net, const State& before) {
  std::set<std::string> moving;
  if (trains(row))
    for (const Parameter& parameter : net.parameters())
      if (!parameter.frozen()) moving.insert(parameter.name());
  if (row.statistics != Statistics::stay)
    for (const Buffer& buffer : net.buffers()) moving.insert(buffer.name());

  const State after = net.state();
  std::int64_t frozen = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (moving.contains(before[i].first)) continue;
    const Tensor now = after[i].second.to(Device::cpu()), then = before[i].second.to(Device::cpu());
    require(std::memcmp(now.raw(), then.raw(), static_cast<std::size_t>(now.bytes())) == 0, "row ",
            row.key(), ": ", before[i].first, " changed although it is frozen");
    ++frozen;
  }
  return frozen;
}

DigitNet load_base(const std::string& file) {
  DigitNet net = load_digit_net(file);
  require(net.deform() == Deform::none, "--base: ", file, " is a deformable net (",
          name_of(net.deform()), "), expected a regular one");
  return net;
}

// What decides the bits of every row, besides its kind and seed.
Results header_of(const DigitSet& digits, const ExperimentOptions& options) {
  Results results;
  results.dataset = digits.name;
  results.preset = options.preset;
  Json recipe = {{"train_images_crc32", checksum(digits.train.images)},
                 {"test_images_crc32", checksum(digits.test.images)},
                 {"epochs", options.epochs},
                 {"finetune_epochs", options.finetune_epochs},
                 {"batch", options.batch},
                 {"lr", options.lr},
                 {"finetune_lr", options.finetune_lr},
                 {"train_images", options.train_images},
                 {"validate", options.validate},
                 {"device", options.device.is_cpu() ? "cpu" : "cuda"}};
  if (!options.base.empty()) {
    std::uint32_t sum = 0;
    for (const auto& entry : load_base(options.base).state())
      sum = sum * 31 + checksum(entry.second);
    recipe["base_crc32"] = sum;
  }
  if (options.precision != "float32") recipe["precision"] = options.precision;
  if (options.finetune_lr == 0 && options.deformable_lr_factor != 1)  // else no row heeds it
    recipe["deformable_lr_factor"] = options.deformable_lr_factor;
  results.recipe = recipe.dump();
  return results;
}

class Experiment {
 public:
  Experiment(const DigitSet& digits, const ExperimentOptions& options,
             const ExperimentEvents& events)
      : options_(options),
        events_(events),
        sets_(sets_of(digits, options)),
        plain_{to_float(sets_.test.images), sets_.test.labels},
        ledger_(header_of(digits, options), options.ledger),
        progress_(0) {
    for (std::int64_t draw = 0; draw < options.test_draws; ++draw)
      scaled_.push_back(scaled_test_set(sets_.test, draw));
    progress_ = kit::Progress(total_cost());
  }

  Results run() {
    for (const std::uint64_t seed : options_.seeds) run_seed(seed);
    return ledger_.results();
  }

 private:
  const RowResult* finished(const RowKind& row, std::uint64_t seed) const {
    const RowResult* const found = ledger_.results().find(row.key(), seed);
    const bool enough = found != nullptr && static_cast<std::int64_t>(found->scaled_draws.size()) >=
                                                options_.test_draws;
    return enough ? found : nullptr;
  }

  bool all_finished(std::uint64_t seed) const {
    return std::all_of(options_.rows.begin(), options_.rows.end(),
                       [&](const RowKind& row) { return finished(row, seed) != nullptr; });
  }

  double training_cost(const RowKind& row) const {
    const double images = static_cast<double>(sets_.train.size()) * cost_of(row);
    if (row.statistics == Statistics::reestimate) return images;
    return trains(row) ? images * static_cast<double>(options_.finetune_epochs) : 0;
  }

  double total_cost() const {
    const double base = static_cast<double>(options_.epochs * sets_.train.size());
    double total = 0;
    for (const std::uint64_t seed : options_.seeds) {
      if (options_.base.empty() && !all_finished(seed)) total += base;
      for (const RowKind& row : options_.rows)
        if (finished(row, seed) == nullptr)
          total += training_cost(row) +
                   static_cast<double>((1 + options_.test_draws) * sets_.test.size()) *
                       cost_of(row) * kMeasuring;
    }
    return total;
  }

  void run_seed(std::uint64_t seed) {
    const Rng rng(seed);
    DigitNet base;
    kit::Training base_training;
    std::string base_file;
    if (!all_finished(seed)) base_training = make_base(base, rng, seed, base_file);
    for (const RowKind& row : options_.rows) {
      if (const RowResult* const earlier = finished(row, seed)) {
        progress_.clear();
        events_.row(*earlier, true);
        continue;
      }
      RowResult result;
      result.seed = seed;
      if (trains(row) || row.statistics == Statistics::reestimate) {
        finetune(row, base, rng, result);
      } else {
        static_cast<kit::Training&>(result) = base_training;
        result.weights = base_file;
        measure(row, base, result);
      }
      ledger_.put(result);
      progress_.clear();
      events_.row(result, false);
    }
  }

  // Trains the regular net, or loads it.
  kit::Training make_base(DigitNet& base, const Rng& rng, std::uint64_t seed, std::string& file) {
    if (!options_.base.empty()) {
      base.load(load_base(options_.base).state());
      base.to(options_.device);
      return {};
    }
    base.initialise(rng.fork("net"));
    base.to(options_.device);
    progress_.stage(seed_label(seed) + "regular net, plain digits");
    return trained(base, {Deform::none, "none", {"*"}, Statistics::move, options_.lr},
                   {.epochs = options_.epochs,
                    .batch = options_.batch,
                    .lr = options_.lr,
                    .rng = rng.fork("base"),
                    .device = options_.device,
                    .activations = kit::activations_at(options_.precision)},
                   seed, 1.0, file);
  }

  double finetune_lr(const RowKind& row) const {
    if (options_.finetune_lr > 0) return options_.finetune_lr;
    return row.deformable() ? row.lr * options_.deformable_lr_factor : row.lr;
  }

  void finetune(const RowKind& row, const DigitNet& base, const Rng& rng, RowResult& result) {
    DigitNet net(row.deform);
    net.initialise(rng.fork("net"));
    net.load(base.state(),
             {.may_lack = row.deformable() ? head_patterns() : std::vector<std::string>{}});
    net.to(options_.device);
    net.freeze("*");
    for (const std::string& pattern : row.trained) net.unfreeze(pattern);
    // The modules, for their statistics; no gradient is taken.
    if (row.statistics == Statistics::reestimate) net.unfreeze("bn*");
    const State before = net.state();
    progress_.stage(seed_label(result.seed) + (row.deformable() ? name_of(row.deform) : "regular") +
                    ", " + row.finetune + ", scaled digits");
    const TrainingPlan plan{.epochs = options_.finetune_epochs,
                            .batch = options_.batch,
                            .lr = finetune_lr(row),
                            .augment = ScaleAugmentation{},
                            .rng = rng.fork("finetune"),
                            .device = options_.device,
                            .activations = kit::activations_at(options_.precision)};
    static_cast<kit::Training&>(result) =
        trained(net, row, plan, result.seed, cost_of(row), result.weights);
    result.frozen_tensors = check_frozen(row, net, before);
    measure(row, net, result);
  }

  // The row's training: found complete, gone on with, or done from the start; kept in `file`.
  kit::Training trained(DigitNet& net, const RowKind& row, const TrainingPlan& plan,
                        std::uint64_t seed, double cost, std::string& file) {
    file = ledger_.weights(row.key(), seed);
    if (std::optional<kit::Training> earlier = ledger_.trained(net, row.key(), seed)) {
      progress_.skip(cost * static_cast<double>(earlier->images_seen));
      return *earlier;
    }
    kit::Training training;
    if (row.statistics == Statistics::reestimate) {
      training = reestimate_statistics(net, sets_.train, plan, cost, progress_);
    } else {
      const auto checkpoint = ledger_.checkpoint(row.key(), seed);
      training = train(net, sets_.train, plan, cost, progress_, checkpoint.get());
    }
    ledger_.keep(net, row.key(), seed, training, metadata_of(row));
    return training;
  }

  static std::map<std::string, std::string> metadata_of(const RowKind& row) {
    return {{"deform", name_of(row.deform)}, {"finetune", row.finetune}};
  }

  void measure(const RowKind& row, const DigitNet& net, RowResult& result) {
    const auto advance = [&, cost = cost_of(row) * kMeasuring](std::int64_t n) {
      progress_.advance(static_cast<double>(n) * cost, "measuring");
    };
    result.key = row.key();
    result.model = row.deformable() ? "deformable" : "regular";
    result.deform = row.deformable() ? name_of(row.deform) : "";
    result.finetune = row.finetune;
    result.trained_parameters =
        row.statistics == Statistics::reestimate ? 0 : net.trainable_count();
    result.plain_confusion = confusion(net, plain_, options_.device, advance);
    result.mnist = accuracy(result.plain_confusion);
    for (const LabelledImages& draw : scaled_) {
      const kit::Confusion table = confusion(net, draw, options_.device, advance);
      if (result.scaled_draws.empty()) result.scaled_confusion = table;
      result.scaled_draws.push_back(accuracy(table));
    }
    result.scaled = result.scaled_draws.front();
  }

  std::string seed_label(std::uint64_t seed) const {
    return options_.seeds.size() > 1 ? "seed " + std::to_string(seed) + ", " : std::string();
  }

  const ExperimentOptions& options_;
  const ExperimentEvents& events_;
  ImageSets sets_;
  LabelledImages plain_;
  std::vector<LabelledImages> scaled_;  // the draws
  Ledger ledger_;
  kit::Progress progress_;
};

}  // namespace

std::uint32_t checksum(const Tensor& tensor) {
  return crc32_of(tensor.raw(), static_cast<std::size_t>(tensor.bytes()));
}

ImageSets sets_of(const DigitSet& digits, const ExperimentOptions& options) {
  ImageSets sets{digits.train, digits.test};
  if (options.validate) {
    constexpr std::int64_t kHeldOut = 5000;
    sets =
        digits.train.split(std::min(kHeldOut, digits.train.size() / 5), Rng(2017).fork("held out"));
  }
  sets.train = first_images(sets.train, options.train_images);
  require(sets.train.size() > 0 && sets.test.size() > 0, "experiment: the set has ",
          sets.train.size(), " training and ", sets.test.size(), " test images; it needs both");
  return sets;
}

Results run_experiment(const DigitSet& digits, const ExperimentOptions& options,
                       const ExperimentEvents& events) {
  require(options.test_draws >= 1, "experiment: ", options.test_draws,
          " draws of the scaled test set, expected at least 1");
  return Experiment(digits, options, events).run();
}

}  // namespace pliant::mnist
