// Whole ops on a tape, timed from outside: what a user of the public function waits for.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
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

using Shapes = std::vector<Shape>;

// A line of a table: an op on a map [N H W C] and what stands beside it.
struct Line {
  const char* name;
  std::function<Var(const Vars&)> f;
  std::function<Shapes(const Shape& x)> beside = {};  // of inputs other than x
};

// The line on maps of these n, c, side, forward alone and with all gradients, each with bytes per
// second too: those of x and y (and, backward, of their gradients), each once.
inline bool register_lines(const std::vector<Line>& lines,
                           const std::vector<std::vector<std::int64_t>>& sizes) {
  for (const Line& line : lines)
    for (const bool backward : {false, true}) {
      const std::string name = line.name + std::string(backward ? ", forward and backward" : "");
      const auto run = [=](benchmark::State& state) {
        const Shape x{state.range(0), state.range(2), state.range(2), state.range(1)};
        Shapes shapes = {x};
        if (line.beside)
          for (const Shape& shape : line.beside(x)) shapes.push_back(shape);
        std::int64_t elements = 0;
        measure(
            state, shapes,
            [&](const Vars& v) {
              Var y = line.f(v);
              elements = v[0].size() + y.size();
              return y;
            },
            backward);
        state.SetBytesProcessed(state.iterations() * elements * (backward ? 2 : 1) *
                                static_cast<std::int64_t>(sizeof(float)));
      };
      benchmark::internal::Benchmark* const b = benchmark::RegisterBenchmark(name.c_str(), run);
      for (const std::vector<std::int64_t>& size : sizes) b->Args(size);
      b->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
    }
  return true;
}

}  // namespace pliant::bench
