// What the threads of a block do together: sums by teams of neighbouring threads, and lines that a
// block reduces or scans. The order of every sum follows from shapes alone.
#pragma once

#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>

#include <pliant/cuda/teams.h>
#include <pliant/cuda/launch.cuh>

namespace pliant::cuda {

// ---- teams ----

template <class Partial, class Part, class Finish>
__global__ void __launch_bounds__(kThreads)
    run_teams(std::int64_t n, int team, Part part, Finish finish) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const int lane = static_cast<int>(threadIdx.x) % team;
  std::int64_t thread = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
#pragma unroll 1
  for (; thread - threadIdx.x % kWarp < n * team; thread += stride) {  // whole warps
    const std::int64_t item = thread / team;
    Partial sums{};
    if (item < n) sums = part(item, lane);
    for (int step = team / 2; step > 0; step /= 2)
      for (auto& sum : sums.value) sum += __shfl_xor_sync(0xffffffffU, sum, step);
    if (item < n && lane == 0) finish(item, sums);
  }
}

// For every i in [0, n) a team of threads, a power of two up to a warp, adds up part(i, lane),
// which are Partials (Sums), and one of them calls finish(i, sum).
template <class Partial, class Part, class Finish>
void each_team(const char* op, std::int64_t n, int team, Part part, Finish finish,
               const char* name = __builtin_FUNCTION()) {
  if (n <= 0) return;
  launch_kernel(op, name, (n * team + kThreads - 1) / kThreads, run_teams<Partial, Part, Finish>, n,
                team, part, finish);
}

// ---- lines ----

template <class V, class Load, class Join, class Finish>
__global__ void __launch_bounds__(kThreads)
    run_reductions(std::int64_t lines, std::int64_t length, V of_nothing, Load load, Join join,
                   Finish finish) {
  using Reduce = cub::BlockReduce<V, kThreads>;
  __shared__ typename Reduce::TempStorage room;
  for (std::int64_t line = blockIdx.x; line < lines; line += gridDim.x) {
    V held = of_nothing;
    for (std::int64_t i = threadIdx.x; i < length; i += kThreads) held = join(held, load(line, i));
    held = Reduce(room).Reduce(held, join);
    if (threadIdx.x == 0) finish(line, held);
    __syncthreads();  // before the room is used again
  }
}

// For each line finish(line, load(line, 0) join ... join load(line, length-1)), a block a line.
template <class V, class Load, class Join, class Finish>
void reduce_lines(const char* op, std::int64_t lines, std::int64_t length, const V& of_nothing,
                  Load load, Join join, Finish finish, const char* name = __builtin_FUNCTION()) {
  if (lines <= 0) return;
  launch_kernel(op, name, lines, run_reductions<V, Load, Join, Finish>, lines, length, of_nothing,
                load, join, finish);
}

template <class T, class Load, class Store>
__global__ void __launch_bounds__(kThreads)
    run_scans(std::int64_t lines, std::int64_t length, Load load, Store store) {
  using Scan = cub::BlockScan<T, kThreads>;
  __shared__ typename Scan::TempStorage room;
  for (std::int64_t line = blockIdx.x; line < lines; line += gridDim.x) {
    T before = 0;  // the sum of all tiles before this one
    for (std::int64_t tile = 0; tile < length; tile += kThreads) {
      const std::int64_t i = tile + threadIdx.x;
      T sum = i < length ? load(line, i) : T(0), whole = 0;
      Scan(room).InclusiveSum(sum, sum, whole);
      if (i < length) store(line, i, before + sum);
      before += whole;
      __syncthreads();
    }
  }
}

// For each line store(line, i, load(line, 0) + ... + load(line, i)), a block a line.
template <class T, class Load, class Store>
void scan_lines(const char* op, std::int64_t lines, std::int64_t length, Load load, Store store,
                const char* name = __builtin_FUNCTION()) {
  if (lines <= 0) return;
  launch_kernel(op, name, lines, run_scans<T, Load, Store>, lines, length, load, store);
}

}  // namespace pliant::cuda
