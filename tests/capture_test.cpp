// Steps that are captured and replayed do what plain steps do, bit for bit: on the CPU, and where
// there is one on the GPU.
#include <cmath>
#include <optional>

#include <pliant/core/capture.h>
#include <pliant/core/memory.h>
#include <pliant/core/step_state.h>
#include <pliant/data/resident_batches.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/layers/train/tally.h>
#include <pliant/tests/gpu_under_test.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr std::int64_t kEpochs = 3, kImages = 20, kBatch = 8;  // the last batch has 4
constexpr double kRate = 0.3;

LabelledImages images() {
  LabelledImages set{Tensor::empty({kImages, 8, 8, 1}, DType::uint8),
                     Tensor::empty({kImages}, DType::int64)};
  for (std::int64_t i = 0; i < set.images.size(); ++i)
    set.images.mutable_data<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(Rng(1).below(static_cast<std::uint64_t>(i), 256));
  for (std::int64_t i = 0; i < kImages; ++i) set.labels.mutable_data<std::int64_t>()[i] = i % 3;
  return set;
}

BatchOptions options(Device device) {
  return {.size = kBatch,
          .shuffle = Rng(2).fork("shuffle"),
          .device = device,
          .augment = AugmentOptions{{}, Rng(2).fork("augment")}};
}

struct SmallNet : Module {
  Conv2d stem = own("stem", Conv2d(1, 4, {.padding = 1}));
  BatchNorm2d norm = own("norm", BatchNorm2d(4));
  DeformConv2d deform = own("deform", DeformConv2d(4, 8, {.stride = 2, .padding = 1}));
  Linear head = own("head", Linear(8, 3));

  // The key and the state of what is dropped before the head.
  Var operator()(const Var& x, const Rng& key, const StepState& state = {}) const {
    const Var h = relu(deform(relu(norm(stem(x)))));
    return head(dropout(global_avg_pool2d(h), kRate, key, state));
  }
};

// What a training leaves behind.
struct Trained {
  State net;
  std::vector<double> losses;
  std::int64_t right = 0;
};

// The reference: no StepState, a host that knows the step, and batches from the loader's thread.
Trained plain(Device device) {
  SmallNet net;
  net.initialise(Rng(7));
  net.to(device);
  Adam adam(net.parameters(), {.weight_decay = 1e-3});
  const Batches batches(images(), options(device));
  const OneCycle schedule{.max_lr = 0.02, .total_steps = kEpochs * batches.count()};
  Trained all;
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < kEpochs; ++epoch)
    for (const LabelledImages& batch : batches.epoch(epoch)) {
      Tape tape;
      const Rng key = Rng(3).fork("drop").fork(static_cast<std::uint64_t>(step));
      const Var logits = net(tape.input(batch.images), key);
      const Var loss = softmax_cross_entropy(logits, batch.labels);
      adam.set_lr(one_cycle_lr(step++, schedule));
      adam.step(tape.gradients(loss));
      all.losses.push_back(loss.value().item());
      const std::vector<double> guess = argmax(logits, -1).to_vector(),
                                label = batch.labels.to_vector();
      for (std::size_t i = 0; i < guess.size(); ++i) all.right += guess[i] == label[i] ? 1 : 0;
    }
  all.net = net.state();
  return all;
}

Trained replayed(Device device) {
  SmallNet net;
  net.initialise(Rng(7));
  net.to(device);
  Adam adam(net.parameters(), {.weight_decay = 1e-3});
  const ResidentBatches batches(images(), options(device), kEpochs);
  const std::int64_t steps = kEpochs * batches.count();
  const StepState state(
      device, {.lr = one_cycle_lr(OneCycle{.max_lr = 0.02, .total_steps = steps}), .steps = steps});
  Tally tally(device, kBatch);
  Tensor loss_of_step = Tensor::zeros({}, DType::float32, device);
  const auto take_step = [&] {
    Tape tape({.rng = Rng(3), .step = state});
    const LabelledImages batch = batches.at(state);
    const Var x = tape.input(batch.images);
    const Var logits = net(x, x.rng().fork("drop"), x.step_state());
    const Var loss = softmax_cross_entropy(logits, batch.labels);
    tally.add(logits, batch.labels, loss);
    loss_of_step.copy_from(loss.value());
    adam.step(tape.gradients(loss), state);
    state.advance();
  };
  CapturedStep full = capture(device, take_step), last = capture(device, take_step);
  Trained all;
  double sum = 0;
  while (state.number() < steps) {
    (batches.size_of(state.number()) == kBatch ? full : last).replay();
    all.losses.push_back(loss_of_step.item());
    sum += all.losses.back();
  }
  const Totals totals = tally.take();
  CHECK(totals.loss_sum == sum);
  CHECK(tally.take().right == 0);
  all.right = totals.right;
  all.net = net.state();
  return all;
}

void check_training(Device device) {
  const Trained a = plain(device), b = replayed(device);
  CHECK(a.losses == b.losses);
  CHECK(a.right == b.right);
  REQUIRE(a.net.size() == b.net.size());
  for (std::size_t i = 0; i < a.net.size(); ++i) {
    CAPTURE(a.net[i].first);
    CHECK(a.net[i].first == b.net[i].first);
    CHECK(max_difference(a.net[i].second, b.net[i].second) == 0.0);
  }
}

// Six steps of one parameter by given gradients, the last three with a second state.
template <class MakeOptimizer>
void check_optimizer(Device device, DType dtype, MakeOptimizer make, const Shape& shape = {5}) {
  CAPTURE(dtype);
  constexpr std::int64_t kSteps = 6, kHalf = 3;
  const auto lr = [](std::int64_t step) { return 0.01 / static_cast<double>(step + 1); };
  std::optional<std::vector<double>> first;
  for (const bool by_state : {false, true}) {
    Parameter parameter(random(shape, 1, -1, 1, dtype).to(device), "p");
    parameter.set_lr_factor(0.7);
    auto optimizer = make(parameter);
    Tensor slope = Tensor::empty(shape, dtype, device);  // changed in place between replays
    const auto gradients = [&] {
      Tape tape;
      const Var loss = sum(tape(parameter) * Var(slope));
      return tape.gradients(loss);
    };
    std::vector<StepState> states;
    std::vector<CapturedStep> steps;
    for (const std::int64_t number : {std::int64_t{0}, kHalf}) {
      states.emplace_back(device, StepStateOptions{.lr = lr, .steps = kSteps, .number = number});
      steps.push_back(capture(device, [&, state = states.back()] {
        optimizer->step(gradients(), state);
        state.advance();
      }));
    }
    for (std::int64_t step = 0; step < kSteps; ++step) {
      slope.copy_from(random(shape, 10 + static_cast<std::uint64_t>(step), -1, 1, dtype));
      if (by_state) {
        steps[step < kHalf ? 0 : 1].replay();
      } else {
        optimizer->set_lr(lr(step));
        optimizer->step(gradients());
      }
    }
    if (by_state) CHECK(states[1].number() == kSteps);
    CHECK(optimizer->state().front().second.item() == kSteps);
    CHECK(optimizer->steps() == kSteps);
    const std::vector<double> values = parameter.value().to_vector();
    if (first) CHECK(values == *first);
    first = values;
  }
}

void check_optimizers(Device device) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<Sgd>(std::vector{p}, SgdOptions{.momentum = 0.9, .dampening = 0.1});
    });
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<AdamW>(std::vector{p}, AdamWOptions{.weight_decay = 0.1});
    });
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<Adam>(std::vector{p}, AdamOptions{.amsgrad = true});
    });
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<NAdam>(std::vector{p}, NAdamOptions{.weight_decay = 0.1});
    });
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<Lion>(std::vector{p}, LionOptions{.weight_decay = 0.1});
    });
    for (const Shape& shape : {Shape{2, 3}, Shape{3, 2}, Shape{5}})
      check_optimizer(
          device, dtype, [](const Parameter& p) { return std::make_unique<Muon>(std::vector{p}); },
          shape);
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<RmsProp>(std::vector{p}, RmsPropOptions{.momentum = 0.5});
    });
    check_optimizer(device, dtype, [](const Parameter& p) {
      return std::make_unique<Adagrad>(std::vector{p}, AdagradOptions{.lr_decay = 0.1});
    });
  }
}

void check_host_reads(Device device) {
  const Tensor x = Tensor::full({1}, 2, DType::float32, device);
  const auto message = [&](const std::function<void()>& f) {
    CapturedStep step = capture(device, f);
    return error_of([&] { step.replay(); });
  };
  CHECK(message([&] { x.item(); }).starts_with("item: a captured step reads nothing"));
  CHECK(message([&] { x.to_vector(); }).starts_with("to_vector: a captured step reads nothing"));
  if (device.is_cuda())
    CHECK(message([&] { x.to(Device::cpu()); }).starts_with("copy: a captured step reads nothing"));
  CHECK(x.item() == 2);  // outside of it all is well
  CHECK(contains(message([&] { capture(device, [] {}).replay(); }), "may not replay another"));
}

}  // namespace

TEST_CASE("capture: replays do what plain steps do, dropout and schedule included") {
  check_training(Device::cpu());
}

TEST_CASE("cuda: captured steps do what plain steps do, dropout and schedule included" *
          doctest::skip(no_device())) {
  check_training(gpu());
}

TEST_CASE("capture: every optimizer steps by a StepState as by the host's numbers") {
  check_optimizers(Device::cpu());
}

TEST_CASE("cuda: captured optimizers step as by the host's numbers" * doctest::skip(no_device())) {
  check_optimizers(gpu());
}

TEST_CASE("capture: what reads on the host says so") { check_host_reads(Device::cpu()); }

TEST_CASE("cuda: captured reads on the host say so" * doctest::skip(no_device())) {
  check_host_reads(gpu());
}

TEST_CASE("cuda: captured steps take numbers from a StepState alone" * doctest::skip(no_device())) {
  const Device device = gpu();
  const Tensor x = Tensor::full({64}, 1, DType::float32, device);
  Parameter parameter(x.clone(), "p");
  Sgd sgd({parameter}, {.lr = 0.1});
  const auto second = [&](const std::function<void()>& f) {
    CapturedStep step = capture(device, f);
    step.replay();  // calls f
    return error_of([&] { step.replay(); });
  };
  CHECK(second([&] { dropout(x, 0.5, Rng(1)); }).starts_with("dropout: a captured step takes"));
  CHECK(second([&] {
          Tape tape;
          sgd.step(tape.gradients(sum(tape(parameter))));
        }).starts_with("Sgd: a captured step takes"));
  CHECK(second([&] { random({3}, 1).to(device); }).starts_with("copy: a captured step takes"));
  CHECK(x.to_vector() == std::vector<double>(64, 1.0));  // the stream goes on
}

TEST_CASE("capture: a function's Error comes out, and the step can be tried again") {
  const Device device = Device::best();
  Tensor count = Tensor::zeros({1}, DType::float32, device);
  bool wrong = true;
  CapturedStep step = capture(device, [&] {
    require(!wrong, "wrong");
    count.copy_from((Var(count) + 1.0).value());
  });
  CHECK(error_of([&] { step.replay(); }) == "wrong");
  wrong = false;
  for (int i = 0; i < 4; ++i) step.replay();
  CHECK(count.item() == 4);
  CHECK(contains(error_of([&] { capture(device, nullptr); }), "no function"));
}

TEST_CASE("capture: what was taken out of a step holds the last replay's values and outlives it") {
  const Device device = Device::best();
  Tensor x = Tensor::full({3}, 1, DType::float32, device), y;
  {
    CapturedStep step = capture(device, [&] { y = (Var(x) + 1.0).value(); });
    for (int i = 0; i < 3; ++i) step.replay();
    x.fill(5);
    step.replay();
    CapturedStep moved = std::move(step);
    CHECK(contains(error_of([&] { step.replay(); }), "moved away"));  // NOLINT: after the move
    moved.replay();
  }
  CHECK(y.to_vector() == std::vector<double>(3, 6.0));
}

TEST_CASE("StepState: says what it was not given and where it ends") {
  const Device device = Device::best();
  CHECK(contains(error_of([&] { StepState(device, {.lr = nullptr, .steps = 3}); }),
                 "no learning rate"));
  CHECK(contains(
      error_of([&] { StepState(device, {.lr = constant_lr(1), .steps = 3, .number = 4}); }),
      "step 4 is not in [0, steps = 3]"));
  CHECK(contains(error_of([] { StepState().number(); }), "undefined"));
  const StepState state(device, {.lr = constant_lr(1), .steps = 3, .number = 1});
  CapturedStep step = capture(device, [&] { state.advance(); });
  step.replay();
  step.replay();
  CHECK(state.number() == 3);
  CHECK(state.counter().item() == 3);
  CHECK(contains(error_of([&] { step.replay(); }), "all 3 steps are done"));
  CHECK(state.counter().item() == 3);
  Parameter parameter(Tensor::zeros({1}, DType::float32, device), "p");
  Sgd sgd({parameter});
  Tape tape;
  const Gradients gradients = tape.gradients(sum(tape(parameter)));
  CHECK(contains(error_of([&] { sgd.step(gradients, state); }), "Sgd: all 3 steps are done"));
}

TEST_CASE("dropout: a state's number forks the key") {
  const Device device = Device::best();
  const Tensor x = Tensor::full({1000}, 1, DType::float32, device);
  const StepState state(device, {.lr = constant_lr(1), .steps = 9, .number = 5});
  const Tensor by_state = dropout(x, 0.5, Rng(1), state).value();
  CHECK(max_difference(by_state, dropout(x, 0.5, Rng(1).fork(5)).value()) == 0.0);
  CHECK(max_difference(by_state, dropout(x, 0.5, Rng(1)).value()) > 0.0);
  state.advance();
  CHECK(max_difference(by_state, dropout(x, 0.5, Rng(1), state).value()) > 0.0);
}

TEST_CASE("resident batches: those of Batches, of bytes and floats, scaled, shuffled or neither") {
  const LabelledImages bytes = images();
  const LabelledImages floats{to_float(bytes.images), bytes.labels};
  // Compilers may round a bilinear pixel's products and sums once or twice, here and there.
  const auto check = [](const LabelledImages& set, const BatchOptions& given, double tolerance) {
    const ResidentBatches resident(set, given, 2);
    const Batches batches(set, given);
    REQUIRE(resident.count() == batches.count());
    const StepState state(Device::cpu(), {.lr = constant_lr(1), .steps = 2 * batches.count()});
    for (const std::int64_t epoch : {0, 1})
      for (const LabelledImages& expected : batches.epoch(epoch)) {
        const LabelledImages batch = resident.at(state);
        CHECK(resident.size_of(state.number()) == expected.size());
        CHECK(max_difference(batch.images, expected.images) <= tolerance);
        CHECK(max_difference(batch.labels, expected.labels) == 0.0);
        state.advance();
      }
    CHECK(contains(error_of([&] { resident.at(state); }), "resident batches: step"));
  };
  check(bytes, options(Device::cpu()), 0);
  BatchOptions bilinear = options(Device::cpu());
  bilinear.augment->scale.interpolation = Interpolation::bilinear;
  check(bytes, bilinear, 1e-6);
  check(bytes, {.size = 3}, 0);
  check(floats, {.size = 6, .shuffle = Rng(4), .drop_last = true}, 0);
  const ResidentBatches none(floats, {.size = 32, .drop_last = true}, 2);
  CHECK(none.count() == 0);
  CHECK(error_of([&] { none.size_of(0); }) ==
        "resident batches: " + std::to_string(floats.size()) + " images make no batch of 32");
}

TEST_CASE("cuda: a training step copies nothing between host and device" *
          doctest::skip(no_device())) {
  const Device device = gpu();
  SmallNet net;
  net.initialise(Rng(7));
  net.to(device);
  Adam adam(net.parameters());
  MovingAverage average(net);
  const Tensor images = random({4, 8, 8, 1}, 1, 0, 1, DType::float32).to(device);
  const Tensor labels = Tensor::from<std::int64_t>({0, 2, 1, 2}, {4}).to(device);
  std::int64_t before = 0;
  for (int step = 0; step < 3; ++step) {
    if (step == 1) before = host_device_copies();  // the first makes what lasts
    Tape tape;
    const Var logits = net(tape.input(images), Rng(1));
    adam.step(tape.gradients(softmax_cross_entropy(logits, labels)));
    average.update();
  }
  CHECK(host_device_copies() == before);
  images.to(Device::cpu());
  CHECK(host_device_copies() == before + 1);
}

TEST_CASE("capture: a moving average counts its replays") {
  const Device device = Device::best();
  Linear net(2, 1);
  net.initialise(Rng(1));
  net.to(device);
  MovingAverage average(net, {.decay = 0.5});
  CapturedStep step = capture(device, [&] { average.update(); });
  for (int i = 0; i < 3; ++i) step.replay();
  CHECK(average.updates() == 3);
}
