// Ops on maps that are read and written once or a few times: pooling, resampling, normalisation,
// dropout. What they cost is memory.
#include <vector>

#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/bench/whole_op.h>

using namespace pliant;

namespace {

using bench::Line;
using bench::Shapes;

Line upsample_line(const char* name, UpsampleMode mode) {
  return {name, [=](const Vars& v) { return upsample2d(v[0], {.scale = 2, .mode = mode}); }};
}

Line grid_sample_line(const char* name, const GridSampleOptions& options) {
  return {name, [=](const Vars& v) { return grid_sample(v[0], v[1], options); },
          [](const Shape& x) -> Shapes {
            return {{x[0], x[1], x[2], 2}};
          }};
}

Shapes weight_and_bias(const Shape& x) { return {{x[3]}, {x[3]}}; }

std::int64_t groups_of(std::int64_t channels) { return channels % 8 == 0 ? 8 : 1; }

std::vector<Line> lines() {
  return {
      {"max_pool2d 3/2",
       [](const Vars& v) { return max_pool2d(v[0], {.kernel = 3, .stride = 2}); }},
      {"avg_pool2d 2/2", [](const Vars& v) { return avg_pool2d(v[0]); }},
      {"avg_pool2d 3/2",
       [](const Vars& v) { return avg_pool2d(v[0], {.kernel = 3, .stride = 2, .padding = 1}); }},
      {"adaptive_avg_pool2d 7x7", [](const Vars& v) { return adaptive_avg_pool2d(v[0], 7); }},
      {"global_avg_pool2d", [](const Vars& v) { return global_avg_pool2d(v[0]); }},
      upsample_line("upsample2d nearest x2", UpsampleMode::nearest),
      upsample_line("upsample2d bilinear x2", UpsampleMode::bilinear),
      upsample_line("upsample2d bicubic x2", UpsampleMode::bicubic),
      {"sort of channels", [](const Vars& v) { return sort(v[0]).values; }},
      grid_sample_line("grid_sample bilinear", {}),
      grid_sample_line("grid_sample nearest", {.rule = GridRule::nearest}),
      {"group_norm",
       [](const Vars& v) { return group_norm(v[0], groups_of(v[0].dim(3)), v[1], v[2]); },
       weight_and_bias},
      {"layer_norm", [](const Vars& v) { return layer_norm(v[0], v[1], v[2]); }, weight_and_bias},
      {"dropout", [](const Vars& v) { return dropout(v[0], 0.5, Rng(1)); }},
      {"square", [](const Vars& v) { return square(v[0]); }},  // what memory allows
  };
}

const bool registered = bench::register_lines(lines(), {{32, 64, 14}, {8, 64, 56}, {64, 3, 32}});

}  // namespace
