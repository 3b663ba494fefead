// The bilinear taps of many samples on the CPU, one array for each number, so that they are
// computed with vectors, and the way a task's share of the workspace is found.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/cpu/per_thread.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant::cpu {

// Up to kSize samples of one map.
template <class T>
struct TapBatch {
  static constexpr std::int64_t kSize = 128;
  T row[kSize], column[kSize];  // where they lie
  std::int32_t pixel[4][kSize];
  T weight[4][kSize], d_row[4][kSize], d_column[4][kSize];

  template <Border border>
  void compute(std::int64_t count, std::int64_t h, std::int64_t w) {
    for (std::int64_t i = 0; i < count; ++i) {
      const BilinearTap<T> tap = bilinear_tap(row[i], column[i], h, w, border);
      for (int k = 0; k < 4; ++k) {
        pixel[k][i] = tap.pixel[k];
        weight[k][i] = tap.weight[k];
        d_row[k][i] = tap.d_row[k];
        d_column[k][i] = tap.d_column[k];
      }
    }
  }
};

// Any number of samples, in batches. Does not own its memory.
template <class T>
class TapRun {
 public:
  using Batch = TapBatch<T>;

  explicit TapRun(Batch* batches) : batches_(batches) {}

  void place(std::int64_t i, T row, T column) {
    Batch& batch = batches_[i / Batch::kSize];
    batch.row[i % Batch::kSize] = row;
    batch.column[i % Batch::kSize] = column;
  }
  // The taps of the first `count` samples placed.
  template <Border border>
  void compute(std::int64_t count, std::int64_t h, std::int64_t w) {
    for (std::int64_t first = 0; first < count; first += Batch::kSize)
      batches_[first / Batch::kSize].template compute<border>(std::min(count - first, Batch::kSize),
                                                              h, w);
  }
  BilinearTap<T> operator[](std::int64_t i) const {
    const Batch& batch = batches_[i / Batch::kSize];
    BilinearTap<T> tap;
    for (int k = 0; k < 4; ++k) {
      tap.pixel[k] = batch.pixel[k][i % Batch::kSize];
      tap.weight[k] = batch.weight[k][i % Batch::kSize];
      tap.d_row[k] = batch.d_row[k][i % Batch::kSize];
      tap.d_column[k] = batch.d_column[k][i % Batch::kSize];
    }
    return tap;
  }

 private:
  Batch* batches_;
};

// Memory of a TapRun of `count` samples for each thread.
template <class T>
class TapRuns {
 public:
  TapRuns(std::int64_t count, Workspace& workspace)
      : batches_((count + TapBatch<T>::kSize - 1) / TapBatch<T>::kSize),
        memory_(workspace.take<TapBatch<T>>(thread_count() * batches_)) {}
  TapRun<T> of() const { return TapRun<T>(memory_ + thread_index() * batches_); }

 private:
  std::int64_t batches_;
  TapBatch<T>* memory_;
};

}  // namespace pliant::cpu
