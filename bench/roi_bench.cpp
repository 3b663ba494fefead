// The operators on regions of interest, forward and backward, at the sizes of detectors: a map of
// 38 x 63 pixels at 1/16 of the image, 300 regions, 7 x 7 bins.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include <pliant/bench/aligned_values.h>
#include <pliant/core/kernels/deform_roi_pool.h>
#include <pliant/core/kernels/ps_roi_pool.h>
#include <pliant/core/kernels/roi_align.h>
#include <pliant/core/kernels/roi_pool.h>
#include <pliant/core/parallel.h>

using namespace pliant;
using bench::normal;
using bench::Values;

namespace {

// Sides of 32 to 400 pixels of the image.
Values regions(const RoIGeometry& g) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> side(32, 400), place(0, 1);
  Values rois;
  for (std::int64_t r = 0; r < g.r; ++r) {
    const float width = side(random), height = side(random);
    const float x = place(random) * (static_cast<float>(16 * g.w) - width);
    const float y = place(random) * (static_cast<float>(16 * g.h) - height);
    rois.insert(rois.end(), {static_cast<float>(r % g.n), x, y, x + width, y + height});
  }
  return rois;
}

// Arguments: channels of the result, groups of channels along each axis.
struct Case {
  RoIGeometry g;
  Values x, rois, trans, mask, dy, y, dx, dtrans, dmask;
  std::vector<std::int32_t> index;

  explicit Case(const benchmark::State& state) {
    const std::int64_t k = state.range(0), groups = state.range(1);
    g = {1, 38, 63, k * groups * groups, 300, 7, 7, k, groups, groups, 1.0 / 16};
    x = normal(g.n * g.h * g.w * g.c, 1), rois = regions(g);
    trans = normal(g.r * g.p * g.q * 2, 2), mask = normal(g.r * g.p * g.q, 3);
    dy = normal(g.r * g.p * g.q * k, 4);
    y = dy, dx = x, dtrans = trans, dmask = mask;
    index.resize(y.size());
    set_thread_count(2);
  }

  DeformRoIPoolGeometry deformable() const { return {g, g.p, 1, 4, 0.1}; }
};

template <class Forward, class Backward>
void measure(benchmark::State& state, Forward&& forward, Backward&& backward) {
  Case made(state);
  const bool both = state.range(2) != 0;
  for (auto _ : state) {
    Workspace workspace(Device::cpu());
    forward(made, workspace);
    if (both) backward(made, workspace);
  }
}

void roi_align(benchmark::State& state) {
  const auto geometry = [](const Case& c) { return RoIAlignGeometry{c.g, 2, true}; };
  measure(
      state,
      [&](Case& c, Workspace& workspace) {
        cpu::roi_align_forward(geometry(c), c.x.data(), c.rois.data(), c.y.data(), workspace);
      },
      [&](Case& c, Workspace& workspace) {
        cpu::roi_align_gradient(geometry(c), c.rois.data(), c.dy.data(), c.dx.data(), workspace);
      });
}

void roi_pool(benchmark::State& state) {
  measure(
      state,
      [](Case& c, Workspace&) {
        cpu::roi_pool_forward(c.g, c.x.data(), c.rois.data(), c.y.data(), c.index.data());
      },
      [](Case& c, Workspace& workspace) {
        cpu::roi_pool_gradient(c.g, c.rois.data(), c.index.data(), c.dy.data(), c.dx.data(),
                               workspace);
      });
}

void ps_roi_pool(benchmark::State& state) {
  measure(
      state,
      [](Case& c, Workspace& workspace) {
        cpu::ps_roi_pool_forward(c.g, c.x.data(), c.rois.data(), c.y.data(), workspace);
      },
      [](Case& c, Workspace& workspace) {
        cpu::ps_roi_pool_gradient(c.g, c.rois.data(), c.dy.data(), c.dx.data(), workspace);
      });
}

template <bool modulated>
void deform_roi_pool(benchmark::State& state) {
  const auto mask = [](Case& c) { return modulated ? c.mask.data() : nullptr; };
  measure(
      state,
      [&](Case& c, Workspace& workspace) {
        cpu::deform_roi_pool_forward(c.deformable(), c.x.data(), c.rois.data(), c.trans.data(),
                                     mask(c), c.y.data(), workspace);
      },
      [&](Case& c, Workspace& workspace) {
        cpu::deform_roi_pool_gradient(c.deformable(),
                                      {.x = c.x.data(),
                                       .rois = c.rois.data(),
                                       .trans = c.trans.data(),
                                       .mask = mask(c),
                                       .dy = c.dy.data(),
                                       .dx = c.dx.data(),
                                       .dtrans = c.dtrans.data(),
                                       .dmask = modulated ? c.dmask.data() : nullptr},
                                      workspace);
      });
}

void plain(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "groups", "backward"})->Args({256, 1, 0})->Args({256, 1, 1});
  b->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
}

void position_sensitive(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "groups", "backward"})->Args({21, 7, 0})->Args({21, 7, 1});
  b->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(roi_align)->Apply(plain);
BENCHMARK(roi_align)->Name("ps_roi_align")->Apply(position_sensitive);
BENCHMARK(roi_pool)->Apply(plain);
BENCHMARK(ps_roi_pool)->Apply(position_sensitive);
BENCHMARK(deform_roi_pool<false>)->Name("deform_roi_pool")->Apply(plain);
BENCHMARK(deform_roi_pool<false>)->Name("ps_deform_roi_pool")->Apply(position_sensitive);
BENCHMARK(deform_roi_pool<true>)->Name("modulated_deform_roi_pool")->Apply(plain);

}  // namespace
