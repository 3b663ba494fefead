#include <pliant/data/resident_batches.h>

#include <algorithm>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/pick_batch.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

constexpr const char* kWho = "resident batches";

Tensor orders(std::int64_t epochs, std::int64_t set_size, const Rng& shuffle) {
  Tensor all = Tensor::empty({epochs, set_size}, DType::int64);
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    const auto order = randperm(set_size, shuffle.fork(static_cast<std::uint64_t>(epoch)));
    std::copy(order.begin(), order.end(), all.mutable_data<std::int64_t>() + epoch * set_size);
  }
  return all;
}

}  // namespace

ResidentBatches::ResidentBatches(const LabelledImages& set, const BatchOptions& options,
                                 std::int64_t epochs)
    : options_(options) {
  const Batches like(set, options);  // checks both
  require(epochs >= 0, kWho, ": ", epochs, " epochs, expected at least 0");
  set_size_ = like.samples_per_epoch();
  steps_ = checked_product(kWho, {epochs, like.count()});
  images_ = set.images.to(options.device);
  labels_ = set.labels.to(options.device);
  if (options.shuffle) order_ = orders(epochs, set.size(), *options.shuffle).to(options.device);
}

std::int64_t ResidentBatches::count() const { return ceil_quotient(set_size_, options_.size); }

std::int64_t ResidentBatches::size_of(std::int64_t step) const {
  require(count() > 0, kWho, ": ", labels_.size(), " images make no batch of ", options_.size);
  require(step >= 0 && step < steps_, kWho, ": step ", step, " of ", steps_);
  return std::min(options_.size, set_size_ - step % count() * options_.size);
}

LabelledImages ResidentBatches::at(const StepState& state) const {
  require(state.number() < steps_, kWho, ": step ", state.number(), " of ", steps_);
  require(state.device() == images_.device(), kWho, ": the set is on ", images_.device(),
          ", the StepState on ", state.device());
  Shape shape = images_.shape();
  PickGeometry g{.set_size = shape[0],
                 .h = shape[1],
                 .w = shape[2],
                 .c = shape[3],
                 .size = options_.size,
                 .batches = count(),
                 .count = size_of(state.number())};
  if (options_.augment) {
    g.augmented = true;
    g.scale = options_.augment->scale;
    g.rng = options_.augment->rng;
  }
  shape[0] = g.count;
  LabelledImages batch{Tensor::empty(shape, DType::float32, images_.device()),
                       Tensor::empty({g.count}, DType::int64, images_.device())};
  const auto pick = [&]<class T>() {
    kernel<PickBatch<T>, cpu::pick_batch, cuda::pick_batch>(kWho, images_.device())(
        g, {.step = state.counter().data<std::int64_t>(),
            .order = order_.defined() ? order_.data<std::int64_t>() : nullptr,
            .images = images_.data<T>(),
            .labels = labels_.data<std::int64_t>(),
            .picked_images = batch.images.mutable_data<float>(),
            .picked_labels = batch.labels.mutable_data<std::int64_t>()});
  };
  if (images_.dtype() == DType::uint8)
    pick.operator()<std::uint8_t>();
  else
    pick.operator()<float>();
  return batch;
}

}  // namespace pliant
