#include <pliant/layers/train/moving_average.h>

#include <cmath>
#include <filesystem>

#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Net : Module {
  Conv2d conv = own("conv", Conv2d(2, 3, {.kernel = 3}));
  BatchNorm2d norm = own("norm", BatchNorm2d(3));
  explicit Net(std::uint64_t seed = 1) { initialise(Rng(seed)); }
};

void move_all(const Net& net, std::uint64_t seed) {
  for (const auto& [path, tensor] : net.state()) {
    Tensor moved = random(tensor.shape(), seed, -1, 1, tensor.dtype());
    for (Parameter p : net.parameters())
      if (p.name() == path) p.set(moved);
    for (Buffer b : net.buffers())
      if (b.name() == path) b.set(moved);
  }
}

double difference(const State& a, const State& b) {
  double worst = 0;
  for (const auto& [path, tensor] : a)
    for (const auto& [other, value] : b)
      if (path == other) worst = std::max(worst, max_difference(tensor, value));
  return worst;
}

}  // namespace

TEST_CASE("MovingAverage: the recurrence, over parameters and running statistics") {
  Net net;
  MovingAverage average(net, {.decay = 0.75});
  const auto value = [&] {
    return std::pair{net.conv.weight.value().to_vector()[7],
                     net.norm.running_var.value().to_vector()[1]};
  };
  auto [weight, variance] = value();
  for (std::uint64_t i = 0; i < 5; ++i) {
    move_all(net, 50 + i);
    average.update();
    weight = 0.75 * weight + 0.25 * value().first;
    variance = 0.75 * variance + 0.25 * value().second;
  }
  CHECK(average.updates() == 5);
  const State averages = average.weights();
  CHECK(averages.size() == net.state().size());
  for (const auto& [path, tensor] : averages) {
    if (path == "conv.weight")
      CHECK(tensor.to_vector()[7] == doctest::Approx(weight).epsilon(1e-6));
    if (path == "norm.running_var")
      CHECK(tensor.to_vector()[1] == doctest::Approx(variance).epsilon(1e-6));
  }
}

TEST_CASE("MovingAverage: a net that stands still is its average, bit for bit") {
  Net net;
  MovingAverage average(net);
  for (int i = 0; i < 3; ++i) average.update();
  CHECK(difference(average.weights(), net.state()) == 0);
}

TEST_CASE("MovingAverage: warm-up starts with a small decay") {
  Net net;
  MovingAverage average(net, {.decay = 0.9, .warm_up = true});
  const double start = net.conv.weight.value().to_vector()[0];
  move_all(net, 9);
  average.update();
  const double now = net.conv.weight.value().to_vector()[0];
  CHECK(average.weights()[0].second.to_vector()[0] ==
        doctest::Approx(0.1 * start + 0.9 * now).epsilon(1e-6));
}

TEST_CASE("MovingAverage: swapped in for evaluation, and back to the bit") {
  Net net;
  MovingAverage average(net, {.decay = 0.5});
  move_all(net, 3);
  average.update();
  const State trained = net.state(), averages = average.weights();
  const void* const address = net.conv.weight.value().raw();
  {
    const AveragedWeights averaged(average);
    CHECK(average.swapped());
    CHECK(difference(net.state(), averages) == 0);
    CHECK(difference(net.state(), trained) > 0.1);
    CHECK(net.conv.weight.value().raw() == address);
    CHECK(contains(error_of([&] { average.update(); }), "update() while the net holds"));
    CHECK(contains(error_of([&] { average.state(); }), "state() while the net holds"));
    CHECK(contains(error_of([&] { average.weights(); }), "weights() while the net holds"));
    CHECK(contains(error_of([&] { average.load({}); }), "load() while the net holds"));
  }
  CHECK_FALSE(average.swapped());
  CHECK(difference(net.state(), trained) == 0);
  CHECK(difference(average.weights(), averages) == 0);
}

TEST_CASE("MovingAverage: goes on from a file as if it had never stopped") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / "pliant_moving_average_test.safetensors";
  Net net, other(2);
  MovingAverage straight(net, {.warm_up = true});
  for (std::uint64_t i = 0; i < 3; ++i) move_all(net, i), straight.update();
  write_safetensors(file, {straight.state(), {}});
  MovingAverage resumed(other, {.warm_up = true});
  resumed.load(read_safetensors(file).tensors);
  std::filesystem::remove(file);
  CHECK(resumed.updates() == 3);
  for (std::uint64_t i = 3; i < 5; ++i) {
    move_all(net, i), move_all(other, i);
    straight.update(), resumed.update();
  }
  CHECK(difference(straight.weights(), resumed.weights()) == 0);
  Net plain;
  plain.load(straight.weights());  // an average is a net
  CHECK(difference(plain.state(), straight.weights()) == 0);
}

TEST_CASE("MovingAverage: misuse is an Error") {
  Net net;
  CHECK(
      contains(error_of([&] { MovingAverage(net, {.decay = 1}); }), "decay 1 must lie in [0, 1)"));
  MovingAverage average(net);
  State state = average.state();
  const State before = average.state();
  state.pop_back();
  CHECK(contains(error_of([&] { average.load(state); }), "the state lacks /updates"));
  state = average.state();
  state.emplace_back("more", Tensor::zeros({1}));
  CHECK(contains(error_of([&] { average.load(state); }), "unexpected more"));
  state.push_back(state.back());
  CHECK(contains(error_of([&] { average.load(state); }), "MovingAverage: the state has "));
  state.pop_back();
  state = average.state();
  state[0].second = Tensor::zeros({2});
  CHECK(contains(error_of([&] { average.load(state); }), "conv.weight has shape [2], expected"));
  CHECK(difference(average.state(), before) == 0);
  net.to(DType::float64);
  CHECK(contains(error_of([&] { average.update(); }), "conv.weight is float64 on cpu now"));
}

TEST_CASE("MovingAverage: how near float32 comes to a value that stays") {
  struct One : Module {
    Parameter p = own("p", Parameter(Tensor::full({1}, 0.99)));
  };
  constexpr double kDecay = 0.999;
  const auto short_of_1 = [](DType dtype) {
    One net;
    net.to(dtype);
    MovingAverage average(net, {.decay = kDecay});
    Tensor(net.p.value()).fill(1);
    for (int i = 0; i < 40000; ++i) average.update();
    return 1 - average.weights()[0].second.item();
  };
  CHECK(short_of_1(DType::float32) > 0);
  CHECK(short_of_1(DType::float32) <= std::ldexp(1, -24) / (1 - kDecay));
  CHECK(short_of_1(DType::float64) < 1e-13);
}

TEST_CASE("AveragedWeights: one at a time, and a net that was changed meanwhile keeps them") {
  Linear net(2, 2);
  net.initialise(Rng(1));
  MovingAverage average(net, {.decay = 0.5});
  {
    const AveragedWeights averaged(average);
    CHECK(contains(error_of([&] { const AveragedWeights again(average); }),
                   "the net holds the averages already"));
    CHECK(average.swapped());
  }
  CHECK_FALSE(average.swapped());
  {
    const AveragedWeights averaged(average);
    net.to(DType::float64);
  }  // told on standard error; no exception leaves a destructor
  CHECK(average.swapped());
  CHECK(contains(error_of([&] { average.swap(); }), "is float64 on cpu now, its average float32"));
}

TEST_CASE("MovingAverage: half an update is none") {
  Linear net(2, 2);
  net.initialise(Rng(1));
  MovingAverage average(net);
  State state = average.state();
  state.back().second = Tensor::scalar(0.5, DType::float64);
  CHECK(contains(error_of([&] { average.load(state); }), "expected a whole number"));
}
