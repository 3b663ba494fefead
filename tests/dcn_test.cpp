// The cores of DCN v3 and v4.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/dcn.h>

#include <limits>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, DType::float64); }

// Offsets and masks as dcn_v4 has them, with a tail of rubbish.
Tensor interleaved(const DCNCase& c, const Tensor& offset, const Tensor& mask) {
  const std::int64_t width = dcn_v4_width(c.options), taps = c.pairs() / c.options.groups;
  Tensor both = Tensor::full({c.x[0], c.p, c.q, width}, 1e30, DType::float64);
  for (std::int64_t row = 0; row < c.x[0] * c.p * c.q; ++row)
    for (std::int64_t g = 0; g < c.options.groups; ++g)
      for (std::int64_t i = 0; i < 3 * taps; ++i)
        both.mutable_data<double>()[row * width + g * 3 * taps + i] =
            i < 2 * taps ? offset.data<double>()[row * 2 * c.pairs() + g * 2 * taps + i]
                         : mask.data<double>()[row * c.pairs() + g * taps + i - 2 * taps];
  return both;
}

// By index, in the published order of taps.
double by_definition(const DCNCase& c, const std::vector<Tensor>& in, std::int64_t row,
                     std::int64_t channel) {
  const auto hat = [](double at, std::int64_t i) {
    return std::fmax(0, 1 - std::fabs(at - static_cast<double>(i)));
  };
  const DCNOptions& o = c.options;
  const std::int64_t n = row / c.q / c.p, p = row / c.q % c.p, q = row % c.q;
  const std::int64_t group = channel / (c.x[3] / o.groups);
  const std::int64_t half_h = o.dilation.h * (o.kernel.h - 1) / 2;
  const std::int64_t half_w = o.dilation.w * (o.kernel.w - 1) / 2;
  std::int64_t pair = row * c.pairs() + group * (c.pairs() / o.groups);
  double sum = 0;
  for (std::int64_t kx = 0; kx < o.kernel.w; ++kx)
    for (std::int64_t ky = 0; ky < o.kernel.h; ++ky) {
      if (o.center == CenterTap::remove && kx == o.kernel.w / 2 && ky == o.kernel.h / 2) continue;
      const double* const offset = in[1].data<double>() + 2 * pair;
      const double y =
          static_cast<double>(p * o.stride.h - o.padding.top + half_h) +
          o.offset_scale * (static_cast<double>(ky * o.dilation.h - half_h) + offset[1]);
      const double x =
          static_cast<double>(q * o.stride.w - o.padding.left + half_w) +
          o.offset_scale * (static_cast<double>(kx * o.dilation.w - half_w) + offset[0]);
      for (std::int64_t i = 0; i < c.x[1]; ++i)
        for (std::int64_t j = 0; j < c.x[2]; ++j)
          sum += in[2].data<double>()[pair] * hat(y, i) * hat(x, j) *
                 in[0].data<double>()[((n * c.x[1] + i) * c.x[2] + j) * c.x[3] + channel];
      ++pair;
    }
  return sum;
}

}  // namespace

TEST_CASE("dcn_v3, dcn_v4: the definition") {
  for (const DCNCase& c : dcn_shapes()) {
    CAPTURE(c.name);
    const std::vector<Tensor> in = dcn_inputs(c);
    const Tensor y = dcn_v3(in[0], in[1], in[2], c.options).value();
    REQUIRE(y.shape() == Shape{c.x[0], c.p, c.q, c.x[3]});
    for (std::int64_t i = 0; i < y.size(); ++i)
      CHECK(y.data<double>()[i] ==
            doctest::Approx(by_definition(c, in, i / c.x[3], i % c.x[3])).epsilon(1e-12));
    const Tensor v4 = dcn_v4(in[0], interleaved(c, in[1], in[2]), c.options).value();
    CHECK(max_difference(y, v4) == 0);
  }
}

TEST_CASE("dcn_v3, dcn_v4: gradients, with masks as given and by softmax, threads") {
  check(dcn_cases());
}

TEST_CASE("dcn_v3: without offsets a mean filter; by softmax of nothing too") {
  const Tensor x = random({2, 7, 6, 4}, 1), offset = zeros({2, 7, 6, 36});
  // Zeros outside count, so the sum of a 3x3 average pooling times 9/9.
  Tensor padded = zeros({2, 9, 8, 4});
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t i = 0; i < 7; ++i)
      for (std::int64_t j = 0; j < 24; ++j)
        padded.mutable_data<double>()[((n * 9 + i + 1) * 8 + 1) * 4 + j] =
            x.data<double>()[(n * 7 + i) * 24 + j];
  Tensor want = zeros({2, 7, 6, 4});
  for (std::int64_t at = 0; at < want.size(); ++at) {
    const std::int64_t c = at % 4, j = at / 4 % 6, i = at / 24 % 7, n = at / 168;
    double sum = 0;
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t s = 0; s < 3; ++s)
        sum += padded.data<double>()[((n * 9 + i + r) * 8 + j + s) * 4 + c];
    want.mutable_data<double>()[at] = sum / 9;
  }
  DCNOptions options{.padding = 1, .groups = 2};
  const Tensor ninth = Tensor::full({2, 7, 6, 18}, 1.0 / 9, DType::float64);
  CHECK(max_difference(want, dcn_v3(x, offset, ninth, options).value()) < 1e-12);
  options.mask = MaskRule::softmax;
  CHECK(max_difference(want, dcn_v3(x, offset, zeros({2, 7, 6, 18}), options).value()) < 1e-12);
  CHECK(max_difference(want, dcn_v4(x, zeros({2, 7, 6, 56}), options).value()) < 1e-12);
}

TEST_CASE("dcn_v3: offsets of zero learn; the tail of dcn_v4 has no gradient") {
  const Tape tape;
  const Tensor x = random({1, 6, 6, 4}, 1);
  const Var offset = tape.variable(zeros({1, 6, 6, 18}));
  const Var y = dcn_v3(x, offset, random({1, 6, 6, 9}, 2), {.padding = 1});
  std::size_t none = 0;
  for (const double g : tape.gradients(sum(y))[offset].to_vector()) none += g == 0 ? 1 : 0;
  // Of the ring about the map, of 18 taps a side, those at -1 have a gradient away from the edge:
  // only row 6 (36), column 6 (32), the corners (4), and along the edge row and column -1 (32) have
  // none.
  CHECK(none == 104);

  const Tape second;
  const Var both = second.variable(random({1, 6, 6, 32}, 3));
  const std::vector<double> gradient =
      second.gradients(sum(dcn_v4(x, both, {.padding = 1})))[both].to_vector();
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK((gradient[i] == 0) >= (i % 32 >= 27));
}

TEST_CASE("dcn_v3: offsets that are not numbers, infinite or huge read nothing") {
  const Tensor x = random({1, 3, 3, 2}, 1);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double scale : {1.0, 1e300})
    for (const double far : {1e18, -1e300, infinity, -infinity, std::nan("")}) {
      const Tape tape;
      const Vars v = {tape.variable(x),
                      tape.variable(Tensor::full({1, 3, 3, 18}, far, DType::float64)),
                      tape.variable(random({1, 3, 3, 9}, 2))};
      const Var y = dcn_v3(v[0], v[1], v[2], {.padding = 1, .offset_scale = scale});
      CHECK(max_difference(y.value(), zeros(y.shape())) == 0);
      const Gradients gradients = tape.gradients(sum(y));
      for (const Var& input : v) CHECK(max_difference(gradients[input], zeros(input.shape())) == 0);
    }
}

TEST_CASE("dcn_v3: each gradient alone, and the same bits on any number of threads") {
  for (const DCNCase& c : wide_dcn_shapes()) {
    const OpCase op = dcn_v3_case(c);
    const std::vector<Tensor> one = check_same_on_any_threads(op);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const Tape tape;
      Vars v;
      for (const Tensor& input : op.inputs) v.push_back(input.to(DType::float32));
      v[i] = tape.variable(v[i].value());
      const Var y = op.f(v);
      const Tensor cotangent = random(y.shape(), 99, 0.5, 1.5, DType::float32);
      const Tensor alone = tape.gradients(y, {}, {.cotangent = cotangent})[v[i]];
      CHECK(max_difference(alone, one[i + 1]) == 0);
    }
  }
}

TEST_CASE("dcn_v3, dcn_v4: bad arguments") {
  const Var x(random({2, 8, 8, 4}, 1));
  CHECK(contains(error_of([&] {
                   dcn_v3(x, zeros({2, 8, 8, 18}), zeros({2, 8, 8, 18}), {.padding = 1});
                 }),
                 "the mask has shape [2 8 8 18], expected [2 8 8 9]"));
  CHECK(contains(error_of([&] {
                   dcn_v3(x, zeros({2, 8, 8, 9}), zeros({2, 8, 8, 9}), {.padding = 1});
                 }),
                 "the offset has shape [2 8 8 9], expected [2 8 8 18]"));
  CHECK(contains(error_of([&] {
                   dcn_v3(x, zeros({2, 8, 8, 18}), zeros({2, 8, 8, 9}), {.groups = 3});
                 }),
                 "4 channels do not divide into 3 groups"));
  CHECK(contains(error_of([&] {
                   dcn_v4(x, zeros({2, 8, 8, 27}), {.padding = 1});
                 }),
                 "has shape [2 8 8 27], expected [2 8 8 32]"));
  CHECK(contains(error_of([&] {
                   dcn_v4(x, zeros({2, 8, 8, 8}), {.kernel = 1, .center = CenterTap::remove});
                 }),
                 "no taps without its middle one"));
}
