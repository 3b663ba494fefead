// What the kernels of optimizers are given for a step, or for all that a captured one stands for.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include <pliant/layers/train/optimizer_base.h>

namespace pliant {

template <class S, class Make>
OfStep<S> Optimizer::of_step(const Slot& slot, Make make, double variant) {
  static_assert(std::is_trivially_copyable_v<S>);
  const double factor = slot.lr_factor, own = slot.parameter.lr_factor();
  if (!by_state_) return {make(lr_ * factor * own, slot.steps + 1)};
  const Tensor& value = slot.parameter.value();
  const std::int64_t first = state_.number(), lead = slot.steps - first;
  Table& table = tables_[{value.dtype(), factor, own, slot.weight_decay, variant, lead}];
  if (!table.constants.defined()) {
    std::vector<S> all;
    for (std::int64_t i = first; i < state_.steps(); ++i)
      all.push_back(make(state_.lr(i) * factor * own, lead + i + 1));
    const auto bytes = static_cast<std::int64_t>(all.size() * sizeof(S));
    table = {Tensor::wrap(reinterpret_cast<std::uint8_t*>(all.data()), {bytes})
                 .clone()
                 .to(value.device()),
             first};
  }
  return {{},
          reinterpret_cast<const S*>(table.constants.data<std::uint8_t>()),
          state_.counter().data<std::int64_t>(),
          table.first};
}

}  // namespace pliant
