// pliant-mnist's training by captured steps, which a GPU does, against its training by plain ones.
#include <algorithm>
#include <filesystem>
#include <optional>

#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/mnist/nets.h>
#include <pliant/apps/mnist/training.h>
#include <pliant/data/digits.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

using Train = Training(Classifier&, const LabelledImages&, const TrainingPlan&, double, Progress&,
                       Checkpoint*);

struct Ran {
  Training training;
  State net;
};

const LabelledImages& set() {
  static const LabelledImages digits = make_digits(70, Rng(3));
  return digits;
}

// Two epochs of three batches, the last of which is smaller.
TrainingPlan plan(Device device) {
  return {.epochs = 2,
          .batch = 32,
          .lr = 3e-3,
          .augment = ScaleAugmentation{},
          .rng = Rng(5),
          .device = device,
          .measure = [](std::int64_t) { return 0.5; }};
}

// Stopped by an exception of `measure` after the first epoch if `stops`.
Ran run(Train& train, Device device, Checkpoint* checkpoint = nullptr, bool stops = false,
        std::optional<DType> activations = {}) {
  DigitNet net(Deform::dcn2);
  net.initialise(Rng(1));
  net.to(device);
  TrainingPlan now = plan(device);
  now.activations = activations;
  if (stops) now.measure = [](std::int64_t) -> double { fail("stopped"); };
  Progress progress(140);
  Ran ran;
  ran.training = train(net, set(), now, 1, progress, checkpoint);
  ran.net = net.state();
  return ran;
}

void check_same(const Ran& a, const Ran& b) {
  CHECK(a.training.images_seen == b.training.images_seen);
  CHECK(a.training.epochs.size() == b.training.epochs.size());
  REQUIRE(a.training.curve.size() == b.training.curve.size());
  for (std::size_t i = 0; i < a.training.curve.size(); ++i) {
    const CurvePoint &x = a.training.curve[i], &y = b.training.curve[i];
    CHECK(x.epoch == y.epoch);
    CHECK(x.lr == y.lr);
    CHECK(x.loss == y.loss);
    CHECK(x.accuracy == y.accuracy);
  }
  REQUIRE(a.net.size() == b.net.size());
  for (std::size_t i = 0; i < a.net.size(); ++i) {
    CAPTURE(a.net[i].first);
    CHECK(max_difference(a.net[i].second, b.net[i].second) == 0.0);
  }
}

}  // namespace

TEST_CASE("captured training: curve and weights of plain training, bit for bit") {
  const Ran plain = run(train, Device::cpu());
  CHECK(plain.training.curve.size() == 6);
  check_same(plain, run(train_captured, Device::cpu()));
}

TEST_CASE("captured training: mixed precision too, with float32 weights") {
  const auto mixed = [](Train& train) {
    return run(train, Device::cpu(), nullptr, false, activations_at("bfloat16"));
  };
  const Ran ran = mixed(train), full = run(train, Device::cpu());
  check_same(ran, mixed(train_captured));
  REQUIRE(ran.net.size() == full.net.size());
  double furthest = 0;
  for (std::size_t i = 0; i < ran.net.size(); ++i) {
    CHECK(ran.net[i].second.dtype() == DType::float32);
    if (ran.net[i].first.find("running") == std::string::npos)
      furthest = std::max(furthest, max_difference(ran.net[i].second, full.net[i].second));
  }
  CHECK(furthest > 0);     // it is another arithmetic
  CHECK(furthest < 0.02);  // of the same training: Adam's six steps are of 0.003 at most
}

TEST_CASE("captured training: goes on from a checkpoint as if it had not been stopped") {
  const Device device = Device::best();
  const TemporaryFolder folder;
  Checkpoint checkpoint(folder.path() / "net.checkpoint", {{"recipe", "1"}}, 0);
  const Ran whole = run(train_captured, device);
  CHECK(error_of([&] { run(train_captured, device, &checkpoint, true); }) == "stopped");
  REQUIRE(std::filesystem::exists(folder.path() / "net.checkpoint"));
  check_same(whole, run(train_captured, device, &checkpoint));
}
