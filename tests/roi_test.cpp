// Ops and layer on regions of interest: gradients, identities, edges, errors.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/layers/deform_roi_pool.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor tensor(const Shape& shape, const std::vector<double>& values) {
  Tensor t = Tensor::empty(shape, DType::float64);
  std::copy(values.begin(), values.end(), t.mutable_data<double>());
  return t;
}

Tensor regions(const std::vector<double>& values) {
  return tensor({static_cast<std::int64_t>(values.size() / 5), 5}, values);
}

// Inside, over an edge, and of another image, in input pixels of a map at half the size.
const Tensor& some_regions() {
  static const Tensor rois = regions({0, 2.3, 1.1, 9.7, 12.2, 1, -3.4, 4.2, 6.1,  19.3,  //
                                      1, 5.2, 0.3, 5.9, 7.7,  0, 8.1,  9.2, 15.6, 13.4});
  return rois;
}

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

// Every op on regions without other inputs, on 2 x 2 bins of four channels.
using RegionOp = std::function<Var(const Var&, const Tensor&)>;
const std::vector<std::pair<const char*, RegionOp>>& ops() {
  static const std::vector<std::pair<const char*, RegionOp>> all = {
      {"roi_align",
       [](const Var& x, const Tensor& rois) {
         return roi_align(x, rois, {.output_size = 2, .spatial_scale = 0.5});
       }},
      {"roi_align, first rule",
       [](const Var& x, const Tensor& rois) {
         return roi_align(
             x, rois,
             {.output_size = {2, 3}, .spatial_scale = 0.5, .sampling_ratio = 2, .aligned = false});
       }},
      {"ps_roi_align",
       [](const Var& x, const Tensor& rois) {
         return ps_roi_align(x, rois,
                             {.output_size = {1, 2}, .spatial_scale = 0.5, .sampling_ratio = 3});
       }},
      {"roi_pool",
       [](const Var& x, const Tensor& rois) {
         return roi_pool(x, rois, {.output_size = {3, 2}, .spatial_scale = 0.5});
       }},
      {"ps_roi_pool",
       [](const Var& x, const Tensor& rois) {
         return ps_roi_pool(x, rois, {.output_size = 2, .spatial_scale = 0.5});
       }},
      {"deform_roi_pool",
       [](const Var& x, const Tensor& rois) {
         return deform_roi_pool(x, rois, {}, {}, {.spatial_scale = 0.5, .pooled_size = 2});
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("regions: gradients by the map") {
  for (const auto& op : ops())
    check({op.first,
           [&](const Vars& v) { return op.second(v[0], some_regions().to(v[0].dtype())); },
           {random({2, 7, 8, 4}, 1)},
           1e-4});
}

TEST_CASE("deform_roi_pool: gradients by map, trans and mask") {
  struct Case {
    const char* name;
    std::int64_t channels, classes;
    DeformRoIPoolOptions options;
  };
  const std::vector<Case> cases = {
      {"plain", 3, 1, {.spatial_scale = 0.5, .pooled_size = 2}},
      {"classes", 6, 3, {.spatial_scale = 0.5, .pooled_size = 2, .sample_per_part = 3}},
      {"position-sensitive", 16, 2, {.spatial_scale = 0.5, .group_size = 2, .pooled_size = 4}},
      {"few parts", 2, 1, {.spatial_scale = 0.5, .pooled_size = 3, .part_size = 2}},
      {"more parts than bins", 2, 1, {.spatial_scale = 0.5, .pooled_size = 2, .part_size = 3}},
      {"one bin, one sample", 1, 1, {.spatial_scale = 0.5, .pooled_size = 1, .sample_per_part = 1}},
      {"RoIAlign's rule",
       3,
       1,
       {.spatial_scale = 0.5, .pooled_size = 2, .rule = DeformRoIRule::roi_align}},
      {"RoIAlign's rule, samples by the side",
       4,
       2,
       {.spatial_scale = 0.5,
        .pooled_size = 2,
        .sample_per_part = 0,
        .trans_std = 0.2,
        .rule = DeformRoIRule::roi_align}},
  };
  for (const Case& c : cases) {
    const std::int64_t p = c.options.pooled_size;
    const std::int64_t part = c.options.part_size > 0 ? c.options.part_size : p;
    const Tensor x = random({2, 7, 8, c.channels}, 1), mask = random({4, p, p, 1}, 3);
    const Tensor trans = random({4, part, part, 2 * c.classes}, 2, -1.5, 1.5);
    const auto rois = [](const Var& like) { return some_regions().to(like.dtype()); };
    check({c.name,
           [&](const Vars& v) { return deform_roi_pool(v[0], rois(v[0]), v[1], v[2], c.options); },
           {x, trans, mask},
           2e-4});
    check({c.name,
           [&](const Vars& v) { return deform_roi_pool(v[0], rois(v[0]), v[1], {}, c.options); },
           {x, trans},
           2e-4});
    check({c.name,
           [&](const Vars& v) { return deform_roi_pool(v[0], rois(v[0]), {}, v[1], c.options); },
           {x, mask},
           2e-4});
  }
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

TEST_CASE("regions: one group of channels is all of them") {
  const Tensor x = random({2, 7, 8, 3}, 1);
  const Tensor& rois = some_regions();
  CHECK(max_difference(ps_roi_align(x, rois, {.output_size = 1, .spatial_scale = 0.5}).value(),
                       roi_align(x, rois, {.output_size = 1, .spatial_scale = 0.5}).value()) == 0);
}

TEST_CASE("regions: no regions, no images, regions beyond the map and without area") {
  for (const auto& entry : ops()) {
    const RegionOp& op = entry.second;
    CAPTURE(entry.first);
    const Tensor none = Tensor::zeros({0, 5}, DType::float64);
    for (const std::int64_t images : {0, 2}) {
      const Tape tape;
      const Var x = tape.variable(random({images, 5, 6, 4}, 1));
      const Var y = op(x, none);
      CHECK(y.dim(0) == 0);
      const Tensor gradient = tape.gradients(y, {}, {.cotangent = y.value()})[x];
      CHECK(gradient.shape() == x.shape());
      CHECK(largest(gradient) == 0);
    }
    // Beyond each edge and far away: nothing to read, but for the first rule of RoIAlign none.
    const Tensor beyond =
        regions({0, -90,    3, -50,    9, 0, 3, 70, 9, 99, 0, 1e18, 1e18, 2e18, 2e18,  //
                 0, -1e300, 2, -1e299, 5});
    const Tape tape;
    const Var x = tape.variable(random({1, 5, 6, 4}, 1, 1, 2));
    const Var y = op(x, beyond);
    CHECK(largest(y.value()) == 0);
    CHECK(largest(tape.gradients(y, {}, {.cotangent = y.value()})[x]) == 0);
    // Without area, turned round, and vastly larger than the map: finite, within the values.
    const Var odd = op(x.value(), regions({0, 4,      4,      4,     4,    0,   9,   9,
                                           2, 2,      0,      -1e9,  -1e9, 1e9, 1e9,  //
                                           0, -1e308, -1e308, 1e308, 1e308}));
    for (const double value : odd.value().to_vector()) CHECK((value >= 0 && value <= 2));
  }
  const auto point = regions({0, 4, 4, 4, 4});
  const Tensor x = random({1, 9, 9, 4}, 1);
  // A region without area is a point under the corrected rule and one pixel wide under the others.
  CHECK(largest(roi_align(x, point, {.output_size = 2, .sampling_ratio = 2}).value()) > 0.1);
  CHECK(largest(roi_align(x, point, {.output_size = 2}).value()) == 0);  // no sample
  CHECK(max_difference(roi_pool(x, point, {.output_size = 1}).value().reshape({4}),
                       x.reshape({81, 4}).slice(40, 41).reshape({4})) == 0);
  CHECK(max_difference(ps_roi_pool(x, point, {.output_size = 1}).value().reshape({4}),
                       x.reshape({81, 4}).slice(40, 41).reshape({4})) == 0);
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

TEST_CASE("regions: bad arguments") {
  const Tensor x = random({2, 7, 8, 4}, 1);
  const auto message = [&](const std::vector<double>& roi) {
    std::string first;
    for (const auto& op : ops()) {
      const std::string error = error_of([&] { op.second(x, regions(roi)); });
      CHECK(contains(error, "region 1"));
      if (first.empty()) first = error;
    }
    return first;
  };
  const double nan = std::nan(""), infinity = HUGE_VAL;
  CHECK(message({0, 1, 1, 2, 2, 2, 1, 1, 2, 2}) ==
        "roi_align: region 1 has image index 2, expected a whole number from 0 to 1");
  for (const double image : {-1.0, 0.5, nan, infinity, 1e300})
    CHECK(contains(message({0, 1, 1, 2, 2, image, 1, 1, 2, 2}), "has image index"));
  CHECK(message({0, 1, 1, 2, 2, 0, 1, nan, 2, 2}) ==
        "roi_align: region 1 has the corners (1, nan) and (2, 2), expected finite numbers");
  CHECK(contains(message({0, 1, 1, 2, 2, 0, 1, 1, infinity, 2}), "(inf, 2)"));

  const Tensor& rois = some_regions();
  const auto error = [&](const std::function<void()>& f) { return error_of(f); };
  CHECK(contains(error([&] { roi_pool(x, random({4, 4}, 1)); }), "expected [R 5]"));
  CHECK(contains(error([&] { roi_pool(x, rois.to(DType::float32)); }), "is float64 but "));
  CHECK(contains(error([&] { roi_pool(x, rois, {.output_size = {0, 2}}); }), "0 x 2 bins"));
  CHECK(contains(error([&] { roi_pool(random({1, 0, 3, 2}, 1), rois); }), "has no pixels"));
  CHECK(
      contains(error([&] { roi_pool(x, rois, {.spatial_scale = nan}); }), "spatial scale is nan"));
  CHECK(contains(error([&] { roi_align(x, rois, {.sampling_ratio = -1}); }), "ratio is -1"));
  CHECK(contains(error([&] { ps_roi_pool(x, rois, {.output_size = 3}); }),
                 "4 channels do not divide into 3 x 3 groups"));

  const auto deform = [&](const Var& trans, const Var& mask, const DeformRoIPoolOptions& options) {
    return error([&] { deform_roi_pool(x, rois, trans, mask, options); });
  };
  CHECK(contains(deform({}, {}, {.output_dim = 3}), "output_dim is 3, but 4 channels"));
  CHECK(contains(deform({}, {}, {.sample_per_part = 0}), "sample_per_part 0"));
  CHECK(contains(deform({}, {}, {.trans_std = infinity}), "trans_std is inf"));
  CHECK(contains(deform(random({4, 7, 7, 3}, 1), {}, {}), "expected [4 7 7 2*classes]"));
  CHECK(contains(deform(random({4, 2, 2, 2}, 1), {}, {}), "trans has shape [4 2 2 2]"));
  CHECK(contains(deform(random({4, 7, 7, 6}, 1), {}, {}), "do not divide into 3 classes"));
  CHECK(contains(deform({}, random({4, 7, 7, 2}, 1), {}), "the mask has shape [4 7 7 2]"));
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
