// In the place of cuda/collectives.cuh.
#pragma once

#include <array>

#include <pliant/cuda/teams.h>
#include <pliant/cuda/launch.cuh>

namespace pliant::cuda {

// Every lane adds what its partner holds, at halving distances.
template <class Partial, class Part, class Finish>
void each_team(const char* op, std::int64_t n, int team, Part part, Finish finish,
               const char* name = __builtin_FUNCTION()) {
  if (n <= 0) return;
  require(team >= 1 && team <= kWarp && (team & (team - 1)) == 0, op, ": a team of ", team);
  gpu_on_cpu::check_kernel(op, part, finish);
  launch_kernel(op, name, [=](gpu_on_cpu::Order order) {
    run_in(order, n, [&](std::int64_t item) {
      std::array<Partial, kWarp> lanes{};
      for (int lane = 0; lane < team; ++lane)
        lanes[static_cast<std::size_t>(lane)] = part(item, lane);
      for (int step = team / 2; step > 0; step /= 2) {
        const auto before = lanes;
        for (int lane = 0; lane < team; ++lane) {
          auto& to = lanes[static_cast<std::size_t>(lane)].value;
          const auto& from = before[static_cast<std::size_t>(lane ^ step)].value;
          for (std::size_t i = 0; i < std::size(to); ++i) to[i] += from[i];
        }
      }
      finish(item, lanes[0]);
    });
  });
}

template <class V, class Load, class Join, class Finish>
void reduce_lines(const char* op, std::int64_t lines, std::int64_t length, const V& of_nothing,
                  Load load, Join join, Finish finish, const char* name = __builtin_FUNCTION()) {
  if (lines <= 0) return;
  gpu_on_cpu::check_kernel(op, load, join, finish);
  launch_kernel(op, name, [=](gpu_on_cpu::Order order) {
    run_in(order, lines, [&](std::int64_t line) {
      V all = of_nothing;
      for (std::int64_t thread = 0; thread < std::min<std::int64_t>(kThreads, length); ++thread) {
        V held = of_nothing;
        for (std::int64_t i = thread; i < length; i += kThreads) held = join(held, load(line, i));
        all = join(all, held);
      }
      finish(line, all);
    });
  });
}

template <class T, class Load, class Store>
void scan_lines(const char* op, std::int64_t lines, std::int64_t length, Load load, Store store,
                const char* name = __builtin_FUNCTION()) {
  if (lines <= 0) return;
  gpu_on_cpu::check_kernel(op, load, store);
  launch_kernel(op, name, [=](gpu_on_cpu::Order order) {
    run_in(order, lines, [&](std::int64_t line) {
      T before = 0;
      for (std::int64_t tile = 0; tile < length; tile += kThreads) {
        T sum = 0;
        const std::int64_t end = std::min<std::int64_t>(length, tile + kThreads);
        for (std::int64_t i = tile; i < end; ++i) {
          sum += load(line, i);
          store(line, i, before + sum);
        }
        before += sum;
      }
    });
  });
}

}  // namespace pliant::cuda
