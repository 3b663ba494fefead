#include <pliant/autograd/ops/deform_roi_pool.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/layers/deform_roi_pool.h>
#include <pliant/tests/cases/deform_roi_pool.h>

using namespace pliant;
using namespace pliant::test;

namespace {

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

}  // namespace

TEST_CASE("deform_roi_pool: gradients by map, trans and mask, threads") {
  check(deform_roi_pool_cases());
}

TEST_CASE("deform_roi_pool: a trans of zero moves nothing, whole pixels shift the map") {
  const Tensor x = random({2, 9, 8, 8}, 1);
  const Tensor& rois = some_regions();
  const DeformRoIPoolOptions options{.spatial_scale = 0.5, .group_size = 2, .pooled_size = 4};
  const Tensor still = deform_roi_pool(x, rois, {}, {}, options).value();
  const Tensor zero = Tensor::zeros({4, 4, 4, 2}, DType::float64);
  CHECK(max_difference(still, deform_roi_pool(x, rois, zero, {}, options).value()) == 0);
  const Tensor ones = random({4, 4, 4, 1}, 2, 1, 1);
  CHECK(max_difference(still, deform_roi_pool(x, rois, zero, ones, options).value()) == 0);
  const Var half = random({4, 4, 4, 1}, 2, 0.5, 0.5);
  CHECK(max_difference(deform_roi_pool(x, rois, {}, half, options).value(),
                       (Var(still) * 0.5).value()) < 1e-15);

  // A region of 4 x 2 map pixels: a trans of (1/4, 0) is one pixel to the right.
  const Tensor box = regions({0, 3, 3, 6, 4}), right = regions({0, 4, 3, 7, 4});
  const DeformRoIPoolOptions one{.pooled_size = 2, .trans_std = 1};
  Tensor trans = Tensor::zeros({1, 2, 2, 2}, DType::float64);
  for (std::int64_t i = 0; i < 8; i += 2) trans.mutable_data<double>()[i] = 0.25;
  CHECK(max_difference(deform_roi_pool(x, box, trans, {}, one).value(),
                       deform_roi_pool(x, right, {}, {}, one).value()) < 1e-14);
}

TEST_CASE(
    "deform_roi_pool by the rule of RoIAlign: each bin as roi_align has it of a moved region") {
  const Tensor x = random({2, 9, 8, 3}, 1);
  const Tensor& rois = some_regions();
  for (const std::int64_t samples : {0, 3}) {
    const DeformRoIPoolOptions options{.spatial_scale = 0.5,
                                       .pooled_size = 2,
                                       .sample_per_part = samples,
                                       .trans_std = 0.2,
                                       .rule = DeformRoIRule::roi_align};
    const RoIAlignOptions plain{.output_size = 2, .spatial_scale = 0.5, .sampling_ratio = samples};
    CHECK(max_difference(deform_roi_pool(x, rois, {}, {}, options).value(),
                         roi_align(x, rois, plain).value()) < 1e-14);
    const Tensor trans = random({4, 2, 2, 2}, 2, -1.5, 1.5);
    const std::vector<double> moves = trans.to_vector();
    const Tensor got = deform_roi_pool(x, rois, trans, {}, options).value();
    for (std::size_t r = 0; r < 4; ++r)
      for (std::size_t bin = 0; bin < 4; ++bin) {
        std::vector<double> roi =
            rois.slice(static_cast<std::int64_t>(r), static_cast<std::int64_t>(r) + 1).to_vector();
        for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {  // x, y
          const double by = moves[(r * 4 + bin) * 2 + axis] * 0.2 * (roi[3 + axis] - roi[1 + axis]);
          roi[1 + axis] += by;
          roi[3 + axis] += by;
        }
        const std::vector<double> want = roi_align(x, regions(roi), plain).value().to_vector();
        for (std::size_t c = 0; c < 3; ++c)
          CHECK(got.to_vector()[(r * 4 + bin) * 3 + c] == doctest::Approx(want[bin * 3 + c]));
      }
  }
}

TEST_CASE("deform_roi_pool without trans is average position-sensitive pooling") {
  // With bins of S pixels, sample i lies midway between pixels i - 1 and i of its bin, so the
  // result is the mean over the region and the same moved up, left and both by a pixel.
  const std::int64_t bins = 2, samples = 3, k = 5;
  const Tensor x = random({1, 12, 12, k * bins * bins}, 1);
  const Tensor rois = regions({0, 3, 3, 8, 8});  // pixels 3 .. 8: bins of three
  const Var got = deform_roi_pool(
      x, rois, {}, {}, {.group_size = bins, .pooled_size = bins, .sample_per_part = samples});
  const auto mean_of = [&](double from) {
    return ps_roi_pool(x, regions({0, from, from, from + 6, from + 6}), {.output_size = bins});
  };
  const auto mixed = [&](double row, double column) {
    return ps_roi_pool(x, regions({0, column, row, column + 6, row + 6}), {.output_size = bins});
  };
  const Var want = (mean_of(2) + mean_of(3) + mixed(2, 3) + mixed(3, 2)) * 0.25;
  CHECK(max_difference(got.value(), want.value()) < 1e-14);

  // On a map that is constant, every op gives its values.
  const Var level = Tensor::zeros({2, 9, 9, 4}, DType::float64) + random({4}, 7);
  const Tensor inside = regions({0, 4, 4, 11, 12, 1, 2, 6, 9, 9});
  const Var plain =
      deform_roi_pool(level, inside, {}, {}, {.spatial_scale = 0.5, .pooled_size = 3});
  CHECK(max_difference(plain.value(),
                       roi_align(level, inside, {.output_size = 3, .spatial_scale = 0.5}).value()) <
        1e-14);
  CHECK(max_difference(plain.value(),
                       roi_pool(level, inside, {.output_size = 3, .spatial_scale = 0.5}).value()) <
        1e-14);
}

TEST_CASE("deform_roi_pool: a trans that is not finite or vast gives 0 without gradient") {
  const double infinity = HUGE_VAL;
  for (const double wild : {std::nan(""), infinity, -infinity, 1e18, -1e300}) {
    Tensor trans = random({4, 2, 2, 2}, 2, -0.2, 0.2);
    trans.mutable_data<double>()[8] = wild;   // region 1, bin (0, 0), dx
    trans.mutable_data<double>()[11] = wild;  // region 1, bin (0, 1), dy
    const Tape tape;
    const Var x = tape.variable(random({2, 7, 8, 3}, 1)), moved = tape.variable(trans);
    const Var y =
        deform_roi_pool(x, some_regions(), moved, {}, {.spatial_scale = 0.5, .pooled_size = 2});
    const std::vector<double> values = y.value().to_vector();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool hit = i >= 12 && i < 18;
      CHECK((hit ? values[i] == 0 : std::isfinite(values[i])));
    }
    const Gradients gradients = tape.gradients(y, {}, {.cotangent = random(y.shape(), 3)});
    const std::vector<double> by_trans = gradients[moved].to_vector();
    for (std::size_t i = 8; i < 12; ++i) CHECK(by_trans[i] == 0);
    CHECK(std::isfinite(largest(gradients[x])));
    CHECK(std::isfinite(largest(gradients[moved])));
  }
}

TEST_CASE("deform_roi_pool: a trans of zero learns, also where samples lie on pixels") {
  // At a scale of 1 the first region is sampled at 2.5, 3.5, ...; at 0.5 at 1, 1.5, 2, 2.5.
  const Tensor rois = regions({0, 3, 3, 6, 6, 0, 4, 2, 7, 6});
  for (const double scale : {1.0, 0.5}) {
    const Tape tape;
    const Var trans = tape.variable(Tensor::zeros({2, 2, 2, 2}, DType::float64));
    const Var y = deform_roi_pool(random({1, 9, 9, 3}, 1), rois, trans, {},
                                  {.spatial_scale = scale, .pooled_size = 2, .sample_per_part = 2});
    const Tensor gradient = tape.gradients(y, {}, {.cotangent = random(y.shape(), 3)})[trans];
    for (const double g : gradient.to_vector()) CHECK(std::abs(g) > 1e-6);
  }
}

TEST_CASE("DeformRoIPool: the undeformed pooling at the start, and its heads learn") {
  const Tensor x = random({2, 7, 8, 12}, 1, -1, 1, DType::float32);
  const Tensor rois = some_regions().to(DType::float32);
  const DeformRoIPoolOptions pool{.spatial_scale = 0.5, .group_size = 2, .pooled_size = 2};
  const Tensor still = deform_roi_pool(x, rois, {}, {}, pool).value();
  for (const auto& [modulation, factor] : {std::pair{Modulation::none, 1.0},
                                           {Modulation::sigmoid, 0.5},
                                           {Modulation::twice_sigmoid, 1.0}}) {
    DeformRoIPool layer(3, {.pool = pool, .modulation = modulation, .hidden = 9});
    layer.initialise(Rng(1));
    const bool modulated = modulation != Modulation::none;
    CHECK(layer.parameters().size() == (modulated ? 10 : 2));
    CHECK(layer.parameters().front().name() == "offset.0.weight");
    CHECK(layer.parameters().front().shape() == Shape{modulated ? 9 : 8, 12});
    CHECK(layer.mask_head.has_value() == modulated);
    const Tape tape;
    const Var y = layer(tape.input(x), rois);
    CHECK(max_difference(y.value(), (Var(still) * factor).value()) < 1e-6);
    const Gradients gradients =
        tape.gradients(mean(y * random(y.shape(), 3, -1, 1, DType::float32)));
    CHECK(largest(gradients[layer.offset_head.layers.back().weight]) > 1e-5);
    if (modulated) CHECK(largest(gradients[layer.mask_head->layers.back().weight]) > 1e-5);
  }
}

TEST_CASE("DeformRoIPool: gradients through both poolings, parts and classes, bad options") {
  DeformRoIPool layer(4, {.pool = {.spatial_scale = 0.5, .pooled_size = 3, .part_size = 2},
                          .modulation = Modulation::sigmoid,
                          .classes = 2,
                          .hidden = 5,
                          .offset_layers = 2});
  layer.initialise(Rng(2));
  layer.to(DType::float64);
  std::uint64_t seed = 10;
  for (Parameter& parameter : layer.parameters())
    parameter.set(random(parameter.shape(), ++seed, -0.5, 0.5));
  const Tensor x = random({2, 7, 8, 4}, 1);
  const Var pooled = random({4, 3, 3, 4}, 2);
  CHECK(layer.trans(pooled).shape() == Shape{4, 2, 2, 4});
  CHECK(layer.mask(pooled).shape() == Shape{4, 3, 3, 1});
  const GradcheckResult result = gradcheck(
      [&](const Vars& v) { return layer(v[0], some_regions()); }, {x}, {}, layer.parameters());
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(contains(error_of([] { DeformRoIPool(5, {.classes = 2}); }), "into 2 classes"));
  CHECK(contains(error_of([] { DeformRoIPool(5, {.pool = {.output_dim = 4}}); }),
                 "5 channels, but output_dim is 4"));
  CHECK(contains(error_of([] { DeformRoIPool(5, {.hidden = 0}); }), "0 hidden features"));
}
