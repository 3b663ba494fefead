#include <pliant/layers/train/schedule.h>

#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("cosine_annealing_lr: PyTorch's numbers, beyond t_max too") {
  const std::vector<double> basic = {
      0.1,  0.09755282581475769, 0.09045084971874738,  0.07938926261462367,  0.06545084971874739,
      0.05, 0.03454915028125264, 0.020610737385376353, 0.009549150281252635, 0.002447174185242324,
      0.0};
  for (std::size_t t = 0; t < basic.size(); ++t)
    CHECK(
        std::abs(cosine_annealing_lr(static_cast<std::int64_t>(t), {.base_lr = 0.1, .t_max = 10}) -
                 basic[t]) < 1e-12);
  const CosineAnnealing beyond = {.base_lr = 0.05, .t_max = 8, .eta_min = 0.005};
  CHECK(cosine_annealing_lr(8, beyond) == doctest::Approx(0.005).epsilon(1e-12));
  CHECK(cosine_annealing_lr(11, beyond) == doctest::Approx(0.018889622771785484).epsilon(1e-12));
  CHECK(cosine_annealing_lr(16, beyond) == doctest::Approx(0.05).epsilon(1e-12));
  CHECK(contains(error_of([] { cosine_annealing_lr(0, {.t_max = 0}); }), "t_max is 0"));
}

TEST_CASE("one_cycle_lr: PyTorch's numbers") {
  const std::vector<double> cosine = {0.004,
                                      0.013167184270002533,
                                      0.037167184270002526,
                                      0.06683281572999747,
                                      0.09083281572999748,
                                      0.1,
                                      0.09874640062350874,
                                      0.09504846320134738,
                                      0.089091617757105,
                                      0.0811745653949763,
                                      0.07169430017913009,
                                      0.06112620219362893,
                                      0.0500002,
                                      0.03887419780637107,
                                      0.028306099820869922,
                                      0.0188258346050237,
                                      0.010908782242895003,
                                      0.004951936798652629,
                                      0.0012539993764912555,
                                      4e-07};
  const std::vector<double> linear = {0.05,   0.14,  0.23,   0.32,  0.41,   0.5,   0.4445, 0.389,
                                      0.3335, 0.278, 0.2225, 0.167, 0.1115, 0.056, 0.0005};
  for (std::size_t t = 0; t < cosine.size(); ++t)
    CHECK(std::abs(one_cycle_lr(static_cast<std::int64_t>(t), {.max_lr = 0.1, .total_steps = 20}) -
                   cosine[t]) < 1e-12);
  const OneCycle lines = {.max_lr = 0.5,
                          .total_steps = 15,
                          .pct_start = 0.4,
                          .div_factor = 10,
                          .final_div_factor = 100,
                          .anneal = Anneal::linear};
  for (std::size_t t = 0; t < linear.size(); ++t)
    CHECK(std::abs(one_cycle_lr(static_cast<std::int64_t>(t), lines) - linear[t]) < 1e-12);
}

TEST_CASE("one_cycle_lr: short cycles stay numbers, steps outside are Errors") {
  for (std::int64_t total = 1; total <= 12; ++total)
    for (const double start : {0.0, 0.1, 0.3, 0.5, 1.0})
      for (std::int64_t t = 0; t < total; ++t) {
        const double lr = one_cycle_lr(t, {.max_lr = 1, .total_steps = total, .pct_start = start});
        CAPTURE(total);
        CAPTURE(start);
        CHECK(lr > 0);
        CHECK(lr <= 1 + 1e-12);
      }
  CHECK(contains(error_of([] { one_cycle_lr(20, {.total_steps = 20}); }),
                 "step 20 is not in [0, 20)"));
  CHECK(contains(error_of([] { one_cycle_lr(-1, {.total_steps = 20}); }), "step -1"));
  CHECK(contains(error_of([] { one_cycle_lr(0, {.total_steps = 2, .pct_start = 2}); }),
                 "pct_start is 2"));
  CHECK(constant_lr(7, 0.25) == 0.25);
}
