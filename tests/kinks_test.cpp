// Derivatives where a function has a kink: the rows of the table in docs/operators.md.
#include <cmath>
#include <limits>
#include <utility>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;
using Function = std::function<Var(const Var&)>;
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, DType::float64); }

// How far the gradient of f at `at` is from (f(at + h) - f(at)) / h, h > 0, the worst of all
// elements. Between two whole coordinates a sample is linear in one of them, so h need not be
// small.
double off_the_right_hand(const Function& f, const Tensor& at) {
  constexpr double kStep = 0.125;
  const Tape tape;
  const Var v = tape.variable(at);
  const Var y = f(v);
  const Tensor cotangent = random(y.shape(), 77, 0.5, 1.5);
  const Tensor gradient = tape.gradients(y, {}, {.cotangent = cotangent})[v];
  double worst = 0;
  for (std::int64_t i = 0; i < at.size(); ++i) {
    Tensor moved = at.clone();
    moved.mutable_data<double>()[i] += kStep;
    const Var change = mul(sub(f(moved), y.value()), cotangent);
    const double off = std::abs(gradient.data<double>()[i] - sum(change).value().item() / kStep);
    worst = off <= worst ? worst : off;
  }
  return worst;
}

constexpr std::int64_t kSide = 5;
constexpr std::int64_t kEdges = 6;  // whole coordinates about both ends of an axis of kSide
constexpr double kEdge[kEdges] = {-2, -1, 0, 2, kSide - 1, kSide};

// [1 kEdges kEdges 2]: every pair of edges, less `from` and less the location's own place times
// `stride`. Rows first, or columns first.
Tensor pairs_at_edges(double from, double stride, bool columns_first = false) {
  Tensor pairs = zeros({1, kEdges, kEdges, 2});
  for (std::int64_t p = 0; p < kEdges; ++p)
    for (std::int64_t q = 0; q < kEdges; ++q) {
      double* const pair = pairs.mutable_data<double>() + 2 * (p * kEdges + q);
      pair[columns_first ? 1 : 0] = kEdge[p] - from - stride * static_cast<double>(p);
      pair[columns_first ? 0 : 1] = kEdge[q] - from - stride * static_cast<double>(q);
    }
  return pairs;
}

double slope_at(const Function& f, double x) {
  const Tape tape;
  const Var v = tape.variable(Tensor::full({1}, x, DType::float64));
  return tape.gradients(sum(f(v)))[v].item();
}
// The same by the public ops that second derivatives are made of.
double slope_on_tape_at(const Function& f, double x) {
  const Tape tape;
  const Var v = tape.variable(Tensor::full({1}, x, DType::float64));
  return tape.gradients(sum(f(v)), {}, {.create_graph = true}).var(v).value().item();
}

}  // namespace

TEST_CASE("kinks: a sample on a whole coordinate has its right-hand derivative, deform_conv2d") {
  struct Weights {
    std::int64_t channels, filters, groups;
  };
  for (const Border border : {Border::zeros, Border::dcn_v1})
    for (const Weights& w : {Weights{3, 20, 1}, Weights{4, 4, 4}, Weights{4, 2, 2}}) {
      const DeformConvOptions options{
          .padding = {0, 1, 0, 1}, .groups = w.groups, .border = border};
      const Tensor x = random({1, kSide, kSide, w.channels}, 1);
      const Tensor weight = random({w.filters, 1, 1, w.channels / w.groups}, 2);
      const Tensor mask = random({1, kEdges, kEdges, 1}, 3, 0.5, 1);
      const auto f = [&](const Var& offset) {
        return deform_conv2d(x, offset, weight, {}, mask, options);
      };
      CHECK(off_the_right_hand(f, pairs_at_edges(0, 1)) < 1e-12);
    }
  // The usual beginning: zero offsets, padding 1, so that a third of the first row's taps are at
  // -1.
  const Tensor x = random({1, 4, 3, 2}, 1), weight = random({3, 3, 3, 2}, 2);
  const auto f = [&](const Var& offset) {
    return deform_conv2d(x, offset, weight, {}, {}, {.padding = 1, .offset_groups = 2});
  };
  CHECK(off_the_right_hand(f, zeros({1, 4, 3, 36})) < 1e-12);
}

TEST_CASE("kinks: one pixel in its ring of zeros") {
  const Tape tape;
  const Var offset = tape.variable(zeros({1, 3, 3, 2}));
  const Tensor one = Tensor::full({1, 1, 1, 1}, 1, DType::float64);
  const Tensor gradient =
      tape.gradients(sum(deform_conv2d(one, offset, one, {}, {}, {.padding = 1})))[offset];
  // Along y the column through the pixel rises at -1 and falls at 0; corners stay in the ring.
  CHECK(gradient.to_vector() == Values{0, 0, 1, 0, 0, 0,    //
                                       0, 1, -1, -1, 0, 0,  //
                                       0, 0, 0, 0, 0, 0});
}

TEST_CASE("kinks: a sample on a whole coordinate has its right-hand derivative, dcn_v3 and v4") {
  const Tensor x = random({1, kSide, kSide, 4}, 1);
  const Tensor mask = random({1, kEdges, kEdges, 1}, 3, 0.5, 1);
  const auto alone = [&](const Var& offset) {
    return dcn_v3(x, offset, mask, {.kernel = 1, .padding = {0, 1, 0, 1}});
  };
  CHECK(off_the_right_hand(alone, pairs_at_edges(0, 1, true)) < 1e-12);
  const Tensor masks = random({1, kSide, kSide, 18}, 3, 0.5, 1);
  const auto v3 = [&](const Var& offset) {
    return dcn_v3(x, offset, masks, {.padding = 1, .groups = 2});
  };
  CHECK(off_the_right_hand(v3, zeros({1, kSide, kSide, 36})) < 1e-12);
  Tensor both = zeros({1, kSide, kSide, 32});
  for (std::int64_t i = 0; i < both.size(); ++i)
    if (i % 32 >= 18 && i % 32 < 27) both.mutable_data<double>()[i] = 0.5;
  CHECK(off_the_right_hand([&](const Var& v) { return dcn_v4(x, v, {.padding = 1}); }, both) <
        1e-12);
}

TEST_CASE("kinks: a tap on a whole coordinate has its right-hand derivative, deformable kernels") {
  struct Weights {
    std::int64_t channels, filters, groups;
  };
  for (const Weights& w : {Weights{3, 2, 1}, Weights{4, 4, 4}, Weights{4, 2, 2}}) {
    const DeformKernelOptions options{.kernel = 1, .padding = {0, 1, 0, 1}, .groups = w.groups};
    const Tensor x = random({1, kSide, kSide, w.channels}, 1, 0.5, 1);
    const Tensor scope = random({w.filters, kSide, kSide, w.channels / w.groups}, 2);
    const Tensor in_scope = pairs_at_edges((kSide - 1) / 2.0, 0), on_map = pairs_at_edges(0, 1);
    const auto rotated = [&](const Var& v) { return deform_kernel(x, v, scope, {}, options); };
    CHECK(off_the_right_hand(rotated, in_scope) < 1e-12);
    const auto moved = [&](const Var& v) {
      return deform_kernel_conv(x, v, zeros(v.shape()), scope, {}, options);
    };
    CHECK(off_the_right_hand(moved, on_map) < 1e-12);
    const auto both = [&](const Var& v) {
      return deform_kernel_conv(x, zeros(v.shape()), v, scope, {}, options);
    };
    CHECK(off_the_right_hand(both, in_scope) < 1e-12);
  }
}

TEST_CASE("kinks: grid_sample on whole pixels with zeros about the map") {
  // 5 centres are a half apart, and the edges of 4 pixels too, so these places are exact.
  for (const GridSpan span : {GridSpan::centres, GridSpan::edges}) {
    const std::int64_t side = span == GridSpan::centres ? 5 : 4;
    const Tensor x = random({1, side, side, 3}, 1);
    std::vector<double> grid;
    for (const double row : {-2.0, -1.0, 0.0, 1.0, 3.0, 4.0, 5.0})
      for (const double column : {-2.0, -1.0, 0.0, 1.0, 3.0, 4.0, 5.0})
        for (const double at : {column, row})
          grid.push_back(span == GridSpan::centres ? at / 2 - 1 : (2 * at + 1) / 4 - 1);
    const auto f = [&](const Var& v) { return grid_sample(x, v, {.span = span}); };
    CHECK(off_the_right_hand(f, Tensor::from(grid, {1, 7, 7, 2})) < 1e-12);
  }
}

TEST_CASE("kinks: clamped coordinates, by map_offsets, global_deform_kernel, deform_roi_pool") {
  const Tensor x = random({1, kEdges, kEdges, 1}, 1);
  const auto map = [&](const Var& v) { return map_offsets(x, v); };
  Tensor places = pairs_at_edges(0, 1);
  for (double& offset : places.mutable_span<double>()) offset += offset == 0 ? 0.0 : 1.0;
  CHECK(off_the_right_hand(map, places) < 1e-12);

  const Tensor scope = random({2, kSide, kSide, 3}, 2);
  for (const double row : kEdge)
    for (const double column : kEdge) {
      const Tensor offset = Tensor::from({row - 2, column - 2}, {1, 2});
      const auto kernel = [&](const Var& v) { return kernels_of_scope(scope, v, 1); };
      CHECK(off_the_right_hand(kernel, offset) < 1e-12);
    }

  // One bin of one sample, at the corner of the region: 2.5 + trans.
  const Tensor rois = Tensor::from({0.0, 3.0, 3.0, 3.0, 3.0}, {1, 5});
  for (const double row : {-0.5, 0.0, 1.0, 4.0})
    for (const double column : {-0.5, 0.0, 1.0, 4.0}) {
      const Tensor trans = Tensor::from({column - 2.5, row - 2.5}, {1, 1, 1, 2});
      const auto pool = [&](const Var& v) {
        return deform_roi_pool(random({1, kSide, kSide, 2}, 3), rois, v, {},
                               {.pooled_size = 1, .sample_per_part = 1, .trans_std = 1});
      };
      CHECK(off_the_right_hand(pool, trans) < 1e-12);
    }
}

TEST_CASE("kinks: the edges of roi_align and of the pooling by regions") {
  // roi_align reads a sample at -1 and at H as the edge pixel, and none beyond.
  const auto gradient = [](double from, const auto& op) {
    const Tape tape;
    const Var x = tape.variable(random({1, 4, 4, 1}, 1));
    const Tensor rois = Tensor::from({0.0, 1.0, from, 2.0, from + 1}, {1, 5});
    return sum(tape.gradients(sum(op(x, rois)))[x]).value().item();
  };
  const auto align = [](const Var& x, const Tensor& rois) {
    return roi_align(x, rois, {.output_size = 1, .sampling_ratio = 1});
  };
  CHECK(gradient(-1, align) == 1);
  CHECK(gradient(-1 - 1e-9, align) == 0);
  CHECK(gradient(4, align) == 1);
  CHECK(gradient(4 + 1e-9, align) == 0);
  const auto pool = [](const Var& x, const Tensor& rois) {
    return roi_pool(x, rois, {.output_size = 1});
  };
  CHECK(gradient(-1, pool) == 1);
  CHECK(gradient(-2, pool) == 0);  // rows -2 and -1: a bin without pixels
  CHECK(gradient(3, pool) == 1);
  CHECK(gradient(4, pool) == 0);
}

TEST_CASE("kinks: elementwise functions at a kink and of NaN, on the tape too") {
  struct Kink {
    const char* name;
    Function f;
    std::vector<std::pair<double, double>> slopes;  // where, what
  };
  const auto clamped = [](const Var& x) { return clamp(x, -1, 2); };
  const Tensor zero = zeros({1});
  for (const Kink& kink : std::vector<Kink>{
           {"relu", relu, {{-1, 0}, {-0.0, 0}, {0, 0}, {1e-300, 1}, {kNan, 1}}},
           {"linear and relu",
            [](const Var& x) {
              const Tensor one = Tensor::full({1, 1}, 1, DType::float64);
              return linear(reshape(x, {1, 1}), one, {}, Activation::relu);
            },
            {{-1, 0}, {0, 0}, {1e-300, 1}, {kNan, 1}}},
           {"leaky_relu",
            [](const Var& x) { return leaky_relu(x, 0.25); },
            {{-1, 0.25}, {0, 0.25}, {1e-300, 1}, {kNan, 0.25}}},
           {"abs", [](const Var& x) { return abs(x); }, {{-1, -1}, {-0.0, 0}, {0, 0}, {kNan, 0}}},
           {"clamp",
            clamped,
            {{-1.5, 0}, {-1, 0}, {-0.999, 1}, {1.999, 1}, {2, 0}, {3, 0}, {kNan, 0}}},
           {"relu6",
            [](const Var& x) { return clamp(x, 0, 6); },
            {{0, 0}, {3, 1}, {6, 0}, {-kInf, 0}, {kInf, 0}}},
           {"clamp to one point", [](const Var& x) { return clamp(x, 1, 1); }, {{0, 0}, {1, 0}}},
           {"clamp above alone",
            [](const Var& x) { return clamp(x, -kInf, 1); },
            {{-1e300, 1}, {1, 0}}},
           {"l1", [&](const Var& x) { return l1_loss(x, zero); }, {{0, 0}, {-2, -1}, {kNan, 0}}},
           {"smooth_l1",
            [&](const Var& x) { return smooth_l1_loss(x, zero, 2); },
            {{-2, -1}, {0, 0}, {1, 0.5}, {2, 1}, {kInf, 1}}},
           {"smooth_l1 of beta 0",
            [&](const Var& x) { return smooth_l1_loss(x, zero, 0); },
            {{0, 0}, {1, 1}, {kNan, 0}}},
           {"max", [](const Var& x) { return max(x); }, {{0, 1}, {kNan, 1}}}})
    for (const auto& pair : kink.slopes) {
      const double at = pair.first, slope = pair.second;
      CAPTURE(kink.name);
      CAPTURE(at);
      CHECK(slope_at(kink.f, at) == slope);
      CHECK(slope_on_tape_at(kink.f, at) == slope);
    }
  CHECK(std::isnan(slope_at([&](const Var& x) { return smooth_l1_loss(x, zero, 2); }, kNan)));
}

TEST_CASE("kinks: the larger and the smaller of two, and of many") {
  const Values a = {-kInf, kNan, kNan, 1, 1, kNan, kInf, -0.0},
               b = {kNan, 3, kNan, 1, 2, -kInf, kNan, 0.0};
  const Values to_a = {0, 1, 0.5, 0.5, 0, 1, 0, 0.5};
  for (const DType dtype : {DType::float32, DType::float64})
    for (const bool larger : {true, false}) {
      const Tape tape;
      const Var u = tape.variable(Tensor::from(a, {8}).to(dtype));
      const Var v = tape.variable(Tensor::from(b, {8}).to(dtype));
      const Gradients gradients = tape.gradients(sum(larger ? maximum(u, v) : minimum(u, v)));
      const Values of_a = gradients[u].to_vector(), of_b = gradients[v].to_vector();
      for (std::size_t i = 0; i < a.size(); ++i) {
        CAPTURE(i);
        CHECK(of_a[i] == (i == 4 && !larger ? 1 : to_a[i]));
        CHECK(of_a[i] + of_b[i] == 1);
      }
    }
  const auto shares = [](const Values& x, const Function& f) {
    const Tape tape;
    const Var v = tape.variable(Tensor::from(x, {static_cast<std::int64_t>(x.size())}));
    return tape.gradients(sum(f(v)))[v].to_vector();
  };
  const auto largest = [](const Var& x) { return max(x, {0}); };
  const auto smallest = [](const Var& x) { return min(x, {0}); };
  CHECK(shares({1, 3, 3}, largest) == Values{0, 0.5, 0.5});
  CHECK(shares({1, 1, 3}, smallest) == Values{0.5, 0.5, 0});
  for (const Function& f : {Function(largest), Function(smallest)}) {
    CHECK(shares({1, kNan, kInf, -kInf}, f) == Values{0, 1, 0, 0});
    CHECK(shares({kNan, 2, kNan}, f) == Values{0.5, 0, 0.5});
  }
  // Pooling picks one: the first largest, the first NaN.
  const auto pooled = [](const Var& x) { return max_pool2d(reshape(x, {1, 2, 2, 1})); };
  CHECK(shares({1, 3, 3, 3}, pooled) == Values{0, 1, 0, 0});
  CHECK(shares({9, kNan, 5, kNan}, pooled) == Values{0, 1, 0, 0});
}
