#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/resize.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;

Values resized(const Values& row, const UpsampleOptions& options) {
  const Tensor x = Tensor::from(row, {1, 1, static_cast<std::int64_t>(row.size()), 1});
  return upsample2d(x, options).value().to_vector();
}

}  // namespace

TEST_CASE("upsample2d: bicubic and antialiased results keep a constant, and the size as it is") {
  for (UpsampleOptions o : resize_rules())
    for (const std::int64_t size : {1, 2, 3, 5, 8, 17}) {
      o.size = {size, 4};
      const Tensor y = upsample2d(Tensor::full({1, 6, 5, 2}, 1.5, DType::float64), o).value();
      CHECK(max_difference(y, Tensor::full({1, size, 4, 2}, 1.5, DType::float64)) < 1e-12);
      o.size = {6, 5};
      const Tensor x = random({1, 6, 5, 2}, 1);
      CHECK(max_difference(upsample2d(x, o).value(), x) < 1e-12);
    }
}

TEST_CASE("upsample2d: bicubic, nearest_exact and antialiased, by hand") {
  CHECK(resized({1, 2, 3, 4, 5}, {.size = {1, 3}, .mode = UpsampleMode::nearest_exact}) ==
        Values{1, 3, 5});
  CHECK(resized({1, 2, 3, 4, 5}, {.size = {1, 3}}) == Values{1, 2, 4});
  // Half way between two pixels the weights are a/8, 1/2 - a/8, 1/2 - a/8, a/8, a = -0.75.
  const Values cubic =
      resized({0, 0, 1, 0, 0, 0, 0},
              {.size = {1, 13}, .mode = UpsampleMode::bicubic, .align_corners = true});
  const Values want = {0, -0.09375, 0, 0.59375, 1, 0.59375, 0, -0.09375, 0};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(cubic[i] == doctest::Approx(want[i]));
  // Twice as small: a triangle over four pixels, weights 1, 3, 3, 1, cut at the borders.
  const Values triangle = resized(
      {8, 0, 0, 0, 0, 8}, {.size = {1, 3}, .mode = UpsampleMode::bilinear, .antialias = true});
  CHECK(triangle[0] == doctest::Approx(8.0 * 3 / 7));
  CHECK(triangle[1] == doctest::Approx(0));
  CHECK(triangle[2] == doctest::Approx(8.0 * 3 / 7));
}

TEST_CASE("upsample2d: gradients of wider kernels, first and second, threads") {
  for (const OpCase& c : resize_cases()) check(c);
  for (UpsampleOptions o : resize_rules()) {
    o.size = {2, 5};
    const auto f = [=](const Vars& v) { return exp(upsample2d(v[0], o)); };
    const GradcheckResult twice = gradgradcheck(f, {random({1, 3, 4, 1}, 1)});
    CHECK_MESSAGE(twice.passed, twice.message);
    o.size = {37, 20};
    check_same_on_any_threads(
        {"", [=](const Vars& v) { return upsample2d(v[0], o); }, {random({3, 64, 61, 5}, 1)}});
  }
}

TEST_CASE("upsample2d: a long filter is made at once") {
  const Tensor x = Tensor::full({1, 1, 1 << 20, 1}, 2.0F);
  const Var y = upsample2d(x, {.size = 1, .mode = UpsampleMode::bicubic, .antialias = true});
  CHECK(y.value().item() == doctest::Approx(2));
}

TEST_CASE("upsample2d: bad options of antialias") {
  const Tensor x = random({1, 4, 4, 1}, 1);
  const std::string message =
      "upsample2d: antialias is of bilinear and bicubic without align_corners";
  CHECK(error_of([&] { upsample2d(x, {.size = 2, .antialias = true}); }) == message);
  CHECK(
      error_of([&] {
        upsample2d(
            x,
            {.size = 2, .mode = UpsampleMode::bilinear, .align_corners = true, .antialias = true});
      }) == message);
}

TEST_CASE("adaptive_max_pool2d: the largest of each bin, and gradients") {
  const Tensor x = random({2, 7, 5, 3}, 1), y = adaptive_max_pool2d(x, {3, 2}).value();
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t p = 0; p < 3; ++p)
      for (std::int64_t q = 0; q < 2; ++q)
        for (std::int64_t c = 0; c < 3; ++c) {
          double most = -HUGE_VAL;
          for (std::int64_t i = p * 7 / 3; i < ((p + 1) * 7 + 2) / 3; ++i)
            for (std::int64_t j = q * 5 / 2; j < ((q + 1) * 5 + 1) / 2; ++j)
              most = std::max(most, x.data<double>()[((n * 7 + i) * 5 + j) * 3 + c]);
          CHECK(y.data<double>()[((n * 3 + p) * 2 + q) * 3 + c] == most);
        }
  CHECK(same_bits(adaptive_max_pool2d(x, {7, 5}).value(), x));
  for (const OpCase& c : adaptive_max_pool2d_cases()) check(c);
  const GradcheckResult twice = gradgradcheck(
      [](const Vars& v) { return exp(adaptive_max_pool2d(v[0], 2)); }, {random({1, 3, 4, 2}, 6)});
  CHECK_MESSAGE(twice.passed, twice.message);
  const Tape tape;
  const Var ties = tape.variable(Tensor::full({1, 2, 2, 1}, 4.0));
  CHECK(tape.gradients(sum(adaptive_max_pool2d(ties, 1)))[ties].to_vector() == Values{1, 0, 0, 0});
  const Tensor nan = Tensor::from({1.0, std::nan(""), 3.0, 2.0}, {1, 2, 2, 1});
  CHECK(std::isnan(adaptive_max_pool2d(nan, 1).value().item()));
  CHECK(adaptive_max_pool2d(x.to(DType::bfloat16), 1).dtype() == DType::bfloat16);
}

TEST_CASE("adaptive_max_pool2d: bad arguments") {
  CHECK(contains(error_of([] { adaptive_max_pool2d(Var(), 1); }), "the input is undefined"));
  CHECK(error_of([] {
          adaptive_max_pool2d(random({4, 4}, 1), 1);
        }) == "adaptive_max_pool2d: the input has shape [4 4], expected [N H W C]");
  CHECK(contains(error_of([] {
                   adaptive_max_pool2d(random({1, 4, 4, 1}, 1), {0, 1});
                 }),
                 "adaptive_max_pool2d: 0 x 1 bins"));
  CHECK(contains(error_of([] {
                   adaptive_max_pool2d(random({1, 0, 4, 1}, 1), 1);
                 }),
                 "has no pixels"));
}
