#include <pliant/layers/train/moving_average.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include <pliant/core/capture.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/core/memory.h>
#include <pliant/layers/internal/state_reader.h>

namespace pliant {
namespace {

constexpr const char* kUpdates = "/updates";  // no path has a slash

void move_towards(const Tensor& value, double share, Tensor& average) {
  visit_floating("MovingAverage", value.dtype(), [&]<class T>() {
    kernel<AverageKernel<T>, cpu::average_step, cuda::average_step>(
        "MovingAverage", value.device())(static_cast<T>(share), value.size(), value.data<T>(),
                                         average.mutable_data<T>());
  });
}

}  // namespace

MovingAverage::MovingAverage(const Module& net, const MovingAverageOptions& options)
    : options_(options) {
  require(options.decay >= 0 && options.decay < 1, "MovingAverage: decay ", options.decay,
          " must lie in [0, 1)");
  const auto add = [&](const Buffer& buffer) {
    if (is_floating(buffer.value().dtype())) pairs_.push_back({buffer, buffer.value().clone()});
  };
  for (const Parameter& parameter : net.parameters()) add(parameter);
  for (const Buffer& buffer : net.buffers()) add(buffer);
  require(!pairs_.empty(), "MovingAverage: the net has no parameters and no buffers; give it its ",
          "layers by own(\"name\", layer)");
}

void MovingAverage::require_not_swapped(const char* what) const {
  require(!swapped_, "MovingAverage: ", what,
          " while the net holds the averages; swap() back first");
}

void MovingAverage::require_unchanged() const {
  for (const Pair& pair : pairs_) {
    const Tensor& value = pair.value.value();
    require(value.dtype() == pair.average.dtype() && value.device() == pair.average.device(),
            "MovingAverage: ", pair.value.name(), " is ", value.dtype(), " on ", value.device(),
            " now, its average ", pair.average.dtype(), " on ", pair.average.device());
  }
}

void MovingAverage::update() {
  require_not_swapped("update()");
  require_unchanged();
  // A recorded update has one and the same share in every replay.
  if (options_.warm_up) require_not_recording("MovingAverage: update() with a warm-up");
  const auto t = static_cast<double>(updates_ + 1);
  const double decay = options_.warm_up ? std::min(options_.decay, t / (9 + t)) : options_.decay;
  for (Pair& pair : pairs_) move_towards(pair.value.value(), 1 - decay, pair.average);
  at_every_replay([this] { ++updates_; });
}

void MovingAverage::swap() {
  require_unchanged();
  std::int64_t most = 0;
  for (const Pair& pair : pairs_) most = std::max(most, pair.average.bytes());
  const Device device = pairs_.front().average.device();
  if (!between_.defined() || between_.bytes() < most || !(between_.device() == device))
    between_ = Tensor::empty({most}, DType::uint8, device);
  for (Pair& pair : pairs_) {
    Tensor value = pair.value.value();  // the same storage: addresses stay
    void *const here = value.mutable_raw(), *const there = pair.average.mutable_raw(),
                *const between = between_.mutable_raw();
    copy_bytes(between, device, here, device, value.bytes());
    copy_bytes(here, device, there, device, value.bytes());
    copy_bytes(there, device, between, device, value.bytes());
  }
  swapped_ = !swapped_;
}

AveragedWeights::AveragedWeights(MovingAverage& average) : average_(average) {
  require(!average.swapped(), "AveragedWeights: the net holds the averages already");
  average_.swap();
}

AveragedWeights::~AveragedWeights() {
  try {
    average_.swap();  // takes no memory: that is there since the first
  } catch (const Error& error) {
    std::cerr << "warning: the net keeps its averages: " << error.what() << std::endl;
  }
}

State MovingAverage::weights() const {
  require_not_swapped("weights()");
  State state;
  for (const Pair& pair : pairs_) state.emplace_back(pair.value.name(), pair.average.clone());
  return state;
}

State MovingAverage::state() const {
  require_not_swapped("state()");
  State state = weights();
  state.emplace_back(kUpdates, Tensor::from<std::int64_t>({updates_}, {}));
  return state;
}

void MovingAverage::load(const State& state) {
  require_not_swapped("load()");
  StateReader given("MovingAverage", state);
  std::vector<Tensor> averages;
  for (const Pair& pair : pairs_)
    averages.push_back(given.take(pair.value.name(), pair.value.shape()).to(pair.average.dtype()));
  const double updates = given.take(kUpdates, {}).item();
  require(updates >= 0 && updates <= 0x1p53 && updates == std::floor(updates),
          "MovingAverage: ", kUpdates, " is ", updates, ", expected a whole number from 0 to 2^53");
  given.require_all_taken();
  for (std::size_t i = 0; i < pairs_.size(); ++i) pairs_[i].average.copy_from(averages[i]);
  updates_ = static_cast<std::int64_t>(updates);
}

}  // namespace pliant
