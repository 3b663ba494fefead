#include <pliant/apps/mnist/experiment.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <sstream>

#include <pliant/apps/mnist/eval.h>

namespace pliant {
namespace {

// Expected time per image, in units of a plain training step of the regular net.
double cost_of(const RowKind& row, Deform deform) {
  if (!row.deformable) return row.key == "bn" ? 0.6 : 1.0;
  return deform == Deform::offset_field ? 3.6 : 1.1;
}

// What a deformable net has beyond the regular one.
const std::vector<std::string> kHeads = {"*.offset.*", "*.mask.*"};

constexpr double kMeasuring = 0.35;  // cost of inference over that of a training step

bool trains(const RowKind& row) { return !row.trained.empty(); }

LabelledImages first_images(const LabelledImages& set, std::int64_t count) {
  if (count <= 0 || count >= set.size()) return set;
  return {set.images.slice(0, count), set.labels.slice(0, count)};
}

// Counts the tensors that do not train; one whose bytes changed is an Error.
std::int64_t check_frozen(const RowKind& row, const DigitNet& net, const State& before) {
  std::set<std::string> moving;
  for (const Parameter& parameter : net.parameters())
    if (!parameter.frozen()) moving.insert(parameter.name());
  if (row.statistics == Statistics::move)
    for (const Buffer& buffer : net.buffers()) moving.insert(buffer.name());

  const State after = net.state();
  std::int64_t frozen = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (moving.contains(before[i].first)) continue;
    const Tensor now = after[i].second.to(Device::cpu()), then = before[i].second.to(Device::cpu());
    require(std::memcmp(now.raw(), then.raw(), static_cast<std::size_t>(now.bytes())) == 0, "row ",
            row.key, ": ", before[i].first, " changed although it is frozen");
    ++frozen;
  }
  return frozen;
}

class Experiment {
 public:
  Experiment(const DigitSet& digits, const ExperimentOptions& options)
      : options_(options), rng_(options.seed), progress_(0) {
    LabelledImages test = digits.test();
    train_set_ = digits.train();
    if (options.validate) {
      constexpr std::int64_t kHeldOut = 5000;
      const Split parts =
          split(train_set_, std::min(kHeldOut, train_set_.size() / 5), Rng(2017).fork("held out"));
      train_set_ = parts.kept;
      test = parts.held_out;
    }
    train_set_ = first_images(train_set_, options.train_images);
    require(train_set_.size() > 0 && test.size() > 0, "experiment: the set has ", train_set_.size(),
            " training and ", test.size(), " test pictures; it needs both");
    test_ = make_test_sets(test);
    progress_ = Progress(total_cost());
    if (!options.save_to.empty()) std::filesystem::create_directories(options.save_to);
  }

  std::vector<RowResult> run(const std::function<void(const RowResult&)>& on_row) {
    std::vector<RowResult> results;
    DigitNet base;
    const Effort effort = make_base(base);
    const State weights = base.state();
    for (const RowKind& row : options_.rows) {
      results.push_back(trains(row) ? finetune(row, weights) : measure(row, base, effort));
      progress_.clear();
      on_row(results.back());
    }
    return results;
  }

 private:
  double total_cost() const {
    const auto images = static_cast<double>(train_set_.size());
    double total = options_.base.empty() ? static_cast<double>(options_.epochs) * images : 0;
    for (const RowKind& row : options_.rows) {
      const double cost = cost_of(row, options_.deform);
      if (trains(row)) total += static_cast<double>(options_.finetune_epochs) * images * cost;
      total += 2 * static_cast<double>(test_.plain.size()) * cost * kMeasuring;
    }
    return total;
  }

  // Trains the regular net, or loads it.
  Effort make_base(DigitNet& base) {
    if (!options_.base.empty()) {
      base.load(load_digit_net(options_.base).state());
      base.to(options_.device);
      return {};
    }
    base.initialise(rng_.fork("net"));
    base.to(options_.device);
    progress_.stage("regular net, plain digits");
    return train(base, train_set_,
                 {.epochs = options_.epochs,
                  .batch = options_.batch,
                  .lr = options_.lr,
                  .augment = std::nullopt,
                  .rng = rng_.fork("base"),
                  .device = options_.device},
                 1.0, progress_);
  }

  RowResult measure(const RowKind& row, const DigitNet& net, const Effort& effort) {
    const auto advance = [&, cost = cost_of(row, options_.deform) * kMeasuring](std::int64_t n) {
      progress_.advance(static_cast<double>(n) * cost, "measuring");
    };
    RowResult result;
    result.model = row.deformable ? "deformable" : "regular";
    result.deform = row.deformable ? name_of(net.deform()) : "";
    result.finetune = row.finetune;
    result.mnist = accuracy(net, test_.plain, options_.device, advance);
    result.scaled = accuracy(net, test_.scaled, options_.device, advance);
    result.trained_parameters = net.trainable_count();
    result.images_seen = effort.images;
    result.seconds = effort.seconds;
    result.wait_seconds = effort.wait_seconds;
    save(row, net);
    return result;
  }

  RowResult finetune(const RowKind& row, const State& weights) {
    DigitNet net(row.deformable ? options_.deform : Deform::none);
    net.initialise(rng_.fork("net"));
    net.load(weights, {.may_lack = row.deformable ? kHeads : std::vector<std::string>{}});
    net.to(options_.device);
    net.freeze("*");
    for (const std::string& pattern : trained_patterns(row)) net.unfreeze(pattern);
    const State before = net.state();
    progress_.stage(std::string(row.deformable ? name_of(options_.deform) : "regular") + ", " +
                    row.finetune + " trained, scaled digits");
    const Effort effort = train(net, train_set_,
                                {.epochs = options_.finetune_epochs,
                                 .batch = options_.batch,
                                 .lr = options_.finetune_lr > 0 ? options_.finetune_lr : row.lr,
                                 .augment = ScaleAugmentation{},
                                 .rng = rng_.fork("finetune"),
                                 .device = options_.device},
                                cost_of(row, options_.deform), progress_);
    const std::int64_t frozen = check_frozen(row, net, before);
    RowResult result = measure(row, net, effort);
    result.frozen_tensors = frozen;
    return result;
  }

  // A head that this kind of net does not have is left out.
  std::vector<std::string> trained_patterns(const RowKind& row) const {
    std::vector<std::string> patterns = row.trained;
    if (options_.deform != Deform::dcn2) std::erase(patterns, "*.mask.*");
    return patterns;
  }

  void save(const RowKind& row, const DigitNet& net) const {
    if (options_.save_to.empty()) return;
    const std::string name = row.deformable
                                 ? std::string(name_of(net.deform())) + "-" + row.finetune
                                 : "regular-" + row.finetune;
    net.save(std::filesystem::path(options_.save_to) / (name + ".safetensors"),
             {{"deform", name_of(net.deform())},
              {"finetune", row.finetune},
              {"seed", std::to_string(options_.seed)}});
  }

  const ExperimentOptions& options_;
  Rng rng_;
  LabelledImages train_set_;
  TestSets test_;
  Progress progress_;
};

}  // namespace

const std::vector<RowKind>& row_kinds() {
  static const std::vector<RowKind> kinds = {
      {"none", false, "none", {}, Statistics::stay, 0},
      {"bn", false, "bn", {"bn*"}, Statistics::move, 3e-2},
      {"all", false, "all", {"*"}, Statistics::move, 3e-3},
      {"offsets", true, "offsets", {"*.offset.*", "*.mask.*"}, Statistics::stay, 1e-3},
      {"offsets+bn", true, "offsets+bn", {"*.offset.*", "*.mask.*", "bn*"}, Statistics::move, 5e-4},
      {"deform-all", true, "all", {"*"}, Statistics::move, 1e-3},
  };
  return kinds;
}

std::vector<RowKind> rows_from(const std::string& comma_separated) {
  std::vector<RowKind> rows;
  std::istringstream text(comma_separated);
  for (std::string key; std::getline(text, key, ',');) {
    const auto found = std::find_if(row_kinds().begin(), row_kinds().end(),
                                    [&](const RowKind& kind) { return kind.key == key; });
    std::string known;
    for (const RowKind& kind : row_kinds()) known += (known.empty() ? "" : ", ") + kind.key;
    require(found != row_kinds().end(), "--rows: '", key, "' is none of ", known);
    rows.push_back(*found);
  }
  require(!rows.empty(), "--rows: names no row");
  return rows;
}

std::vector<RowResult> run_experiment(const DigitSet& digits, const ExperimentOptions& options,
                                      const std::function<void(const RowResult&)>& on_row) {
  return Experiment(digits, options).run(on_row);
}

}  // namespace pliant
