// Whole ops on a tape, timed from outside: what a user of the public function waits for.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <vector>

#include <pliant/autograd/tape.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>

namespace pliant::bench {

inline Tensor normal(const Shape& shape, std::uint64_t seed) {
  Tensor t = Tensor::empty(shape);
  for (std::int64_t i = 0; i < t.size(); ++i)
    t.mutable_data<float>()[i] =
        static_cast<float>(Rng(seed).normal(static_cast<std::uint64_t>(i)));
  return t;
}

// Times f on inputs of these shapes; with `backward` all its gradients too.
inline void measure(benchmark::State& state, const std::vector<Shape>& shapes,
                    const std::function<Var(const Vars&)>& f, bool backward) {
  set_thread_count(2);
  std::vector<Tensor> inputs;
  inputs.reserve(shapes.size());
  for (const Shape& shape : shapes) inputs.push_back(normal(shape, inputs.size() + 1));
  const Tensor cotangent = f(Vars(inputs.begin(), inputs.end())).value().clone();
  for (auto _ : state) {
    const Tape tape;
    Vars v;
    for (const Tensor& input : inputs)
      v.push_back(backward ? tape.variable(input) : tape.input(input));
    const Var y = f(v);
    if (backward) tape.gradients(y, {}, {.cotangent = cotangent});
  }
}

}  // namespace pliant::bench
