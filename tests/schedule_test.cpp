#include <pliant/layers/train/schedule.h>

#include <cmath>
#include <limits>

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
  const CosineAnnealing beyond = {
      .base_lr = 0.05, .t_max = 8, .eta_min = 0.005, .rises_again = true};
  CHECK(cosine_annealing_lr(8, beyond) == doctest::Approx(0.005).epsilon(1e-12));
  CHECK(cosine_annealing_lr(11, beyond) == doctest::Approx(0.018889622771785484).epsilon(1e-12));
  CHECK(cosine_annealing_lr(16, beyond) == doctest::Approx(0.05).epsilon(1e-12));
  CHECK(contains(error_of([] { cosine_annealing_lr(0, {.t_max = 0}); }), "t_max is 0"));
}

TEST_CASE("cosine_annealing_lr: stays down unless it is told to rise again") {
  for (const std::int64_t t : {8, 9, 16, 1000000})
    CHECK(cosine_annealing_lr(t, {.base_lr = 0.05, .t_max = 8, .eta_min = 0.005}) == 0.005);
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

TEST_CASE("one_cycle_lr: of at most one step there is no way up, whatever is rounded") {
  for (const Anneal anneal : {Anneal::cosine, Anneal::linear})
    for (const bool three : {false, true})
      for (const auto& [total, start] :
           std::vector<std::pair<std::int64_t, double>>{{5, 0.2},
                                                        {5, 0.1},
                                                        {10, 0.1},
                                                        {49, 1.0 / 49},
                                                        {3, 1 - 2.0 / 3},
                                                        {20, 0},
                                                        {1, 0.7}}) {
        const OneCycle options{.max_lr = 0.3,
                               .total_steps = total,
                               .pct_start = start,
                               .anneal = anneal,
                               .three_phase = three};
        CAPTURE(options.total_steps);
        CHECK(one_cycle_lr(0, options) == 0.3);
        const double end = 0.3 / options.div_factor / options.final_div_factor;
        if (total > 1) CHECK(one_cycle_lr(total - 1, options) == end);
        for (std::int64_t t = 1; t < total; ++t)
          CHECK(one_cycle_lr(t, options) < one_cycle_lr(t - 1, options));
      }
  CHECK(one_cycle_lr(
            2, {.max_lr = 0.3, .total_steps = 5, .pct_start = 0.2, .anneal = Anneal::linear}) ==
        doctest::Approx((0.3 + 0.3 / 25e4) / 2).epsilon(1e-15));
}

TEST_CASE("one_cycle_lr: the turning points are met exactly where they are whole steps") {
  for (std::int64_t total = 4; total <= 60; ++total)
    for (std::int64_t up = 2; 2 * up < total; ++up)
      for (const bool three : {false, true}) {
        const double share = static_cast<double>(up) / static_cast<double>(total);
        for (const double nearly :
             {share, std::nextafter(share, 0.0), std::nextafter(share, 1.0)}) {
          const OneCycle options{
              .max_lr = 0.7, .total_steps = total, .pct_start = nearly, .three_phase = three};
          CHECK(one_cycle_lr(0, options) == 0.7 / 25);
          CHECK(one_cycle_lr(up - 1, options) == 0.7);
          if (three) CHECK(one_cycle_lr(2 * up - 2, options) == 0.7 / 25);
          CHECK(one_cycle_lr(total - 1, options) == 0.7 / 25 / 1e4);
        }
      }
}

TEST_CASE("schedules: begin and end exactly where they say") {
  for (const double base : {0.1, 0.3, 1e-3, 7.0}) {
    for (const double end : {0.0, 0.001, 0.07}) {
      CHECK(cosine_annealing_lr(0, {.base_lr = base, .t_max = 7, .eta_min = end}) == base);
      CHECK(cosine_annealing_lr(7, {.base_lr = base, .t_max = 7, .eta_min = end}) == end);
      CHECK(polynomial_lr(0, {.base_lr = base, .total_steps = 7, .end_lr = end}) == base);
      CHECK(polynomial_lr(7, {.base_lr = base, .total_steps = 7, .end_lr = end}) == end);
    }
    for (const double factor : {0.0, 0.1, 1.0 / 3, 0.7, 1e17}) {
      CHECK(linear_warmup(0, {.base_lr = base, .start_factor = factor, .warmup_steps = 3}) ==
            base * factor);
      CHECK(linear_warmup(3, {.base_lr = base, .start_factor = factor, .warmup_steps = 3}) == base);
    }
  }
}

namespace {

void check_rates(const Schedule& lr, const std::vector<double>& want) {
  for (std::size_t t = 0; t < want.size(); ++t) {
    CAPTURE(t);
    CHECK(std::abs(lr(static_cast<std::int64_t>(t)) - want[t]) < 1e-12);
  }
}

}  // namespace

TEST_CASE("one_cycle_lr: three phases, PyTorch's numbers") {
  check_rates(
      one_cycle_lr({.max_lr = 0.1, .total_steps = 12, .pct_start = 0.3, .three_phase = true}),
      {0.0040000000000000036, 0.0349789654219583, 0.08792851591221287, 0.09450188923135408,
       0.04621423934774446, 0.005394792763549499, 0.003815169324257979, 0.003122461893311692,
       0.0021084669893891173, 0.0010634768002885592, 0.0002866570191000554});
  for (std::int64_t total = 1; total <= 12; ++total)
    for (const double start : {0.0, 0.1, 0.3, 0.5, 0.7, 1.0})
      for (std::int64_t t = 0; t < total; ++t)
        CHECK(one_cycle_lr(
                  t, {.max_lr = 1, .total_steps = total, .pct_start = start, .three_phase = true}) >
              0);
}

TEST_CASE("step_lr, multi_step_lr, exponential_lr, linear_warmup: by their formulas") {
  check_rates(step_lr({.base_lr = 0.8, .step_size = 3, .gamma = 0.5}),
              {0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2});
  check_rates(multi_step_lr({.base_lr = 1, .milestones = {4, 2, 4}, .gamma = 0.5}),
              {1, 1, 0.5, 0.5, 0.125, 0.125});
  check_rates(multi_step_lr({.base_lr = 1}), {1, 1, 1});
  check_rates(exponential_lr({.base_lr = 2, .gamma = 0.5}), {2, 1, 0.5, 0.25});
  check_rates(linear_warmup({.base_lr = 2, .start_factor = 0.2, .warmup_steps = 4}),
              {0.4, 0.8, 1.2, 1.6, 2, 2, 2});
  check_rates(
      linear_warmup({.base_lr = 2, .start_factor = 1, .warmup_steps = 4, .end_factor = 0.5}),
      {2, 1.75, 1.5, 1.25, 1, 1});
  check_rates(polynomial_lr({.base_lr = 2, .total_steps = 4}), {2, 1.5, 1, 0.5, 0, 0});
  check_rates(polynomial_lr({.base_lr = 2, .total_steps = 4, .power = 2, .end_lr = 1}),
              {2, 1.5625, 1.25, 1.0625, 1, 1});
  check_rates(cosine_warm_restarts_lr({.base_lr = 1, .period = 2}), {1, 0.5, 1, 0.5, 1});
  check_rates(
      cosine_warm_restarts_lr({.base_lr = 1, .period = 1, .period_factor = 2, .eta_min = 0.5}),
      {1, 1, 0.75, 1, 0.5 + (1 + std::sqrt(0.5)) / 4, 0.75, 0.5 + (1 - std::sqrt(0.5)) / 4, 1});
  check_rates(constant_lr(0.25), {0.25, 0.25});
  check_rates(cosine_annealing_lr({.base_lr = 1, .t_max = 2}), {1, 0.5, 0});
}

TEST_CASE("cosine_warm_restarts_lr: of any step, at once") {
  const CosineWarmRestarts same{.base_lr = 1, .period = 4}, longer{.period = 3, .period_factor = 5};
  constexpr std::int64_t kFar = std::int64_t{1} << 62;  // a multiple of 4
  CHECK(cosine_warm_restarts_lr(kFar, same) == 1);
  CHECK(cosine_warm_restarts_lr(kFar + 2, same) == doctest::Approx(0.5));
  CHECK(cosine_warm_restarts_lr(std::numeric_limits<std::int64_t>::max(), longer) > 0);
}

TEST_CASE("sequential_lr and product_lr: PyTorch's SequentialLR and ChainedScheduler") {
  check_rates(
      sequential_lr({{linear_warmup({.base_lr = 0.1, .start_factor = 0.1, .warmup_steps = 4}), 4},
                     {step_lr({.base_lr = 0.1, .step_size = 2, .gamma = 0.5}), 5},
                     {exponential_lr({.base_lr = 0.1, .gamma = 0.9})}}),
      {0.01, 0.0325, 0.055, 0.0775, 0.1, 0.1, 0.05, 0.05, 0.025, 0.1, 0.09, 0.081, 0.0729});
  check_rates(product_lr({linear_warmup({.base_lr = 0.1, .start_factor = 0.2, .warmup_steps = 5}),
                          exponential_lr({.base_lr = 1, .gamma = 0.9})}),
              {0.02, 0.0324, 0.04212, 0.049572, 0.0551124, 0.059049, 0.0531441, 0.04782969});
  // Chained chains.
  check_rates(sequential_lr({{constant_lr(1), 2},
                             {sequential_lr({{constant_lr(2), 1}, {constant_lr(3)}}), 2},
                             {constant_lr(4), 1}}),
              {1, 1, 2, 3, 4, 4});
}

TEST_CASE("schedules: misuse is an Error") {
  CHECK(contains(error_of([] { step_lr(0, {.step_size = 0}); }), "step_size is 0, at least 1"));
  CHECK(contains(error_of([] { step_lr({.step_size = 0}); }), "step_size is 0"));
  CHECK(contains(error_of([] { step_lr(-1, StepLr{}); }), "step_lr: step -1 is below 0"));
  CHECK(contains(error_of([] { multi_step_lr(-2, {}); }), "multi_step_lr: step -2"));
  CHECK(contains(error_of([] { exponential_lr(-2, {}); }), "exponential_lr: step -2"));
  CHECK(contains(error_of([] { linear_warmup({.warmup_steps = 0}); }), "warmup_steps is 0"));
  CHECK(contains(error_of([] { cosine_annealing_lr({.t_max = 0}); }), "t_max is 0"));
  CHECK(contains(error_of([] { cosine_annealing_lr(-1, {}); }), "cosine_annealing_lr: step -1"));
  CHECK(contains(error_of([] { polynomial_lr(-1, {}); }), "polynomial_lr: step -1 is below 0"));
  CHECK(contains(error_of([] { polynomial_lr({.total_steps = 0}); }), "total_steps is 0"));
  CHECK(contains(error_of([] { polynomial_lr({.power = 0}); }), "power is 0, expected above 0"));
  CHECK(contains(error_of([] { cosine_warm_restarts_lr(-1, {}); }),
                 "cosine_warm_restarts_lr: step -1"));
  CHECK(contains(error_of([] { cosine_warm_restarts_lr({.period = 0}); }), "period is 0"));
  CHECK(contains(error_of([] { cosine_warm_restarts_lr({.period_factor = 0}); }),
                 "period_factor 0, both at least 1"));
  CHECK(contains(error_of([] { one_cycle_lr({.pct_start = -1}); }), "pct_start is -1"));
  CHECK(contains(error_of([] { one_cycle_lr({.div_factor = 0}); }), "div_factor is 0"));
  CHECK(contains(error_of([] { one_cycle_lr({.final_div_factor = -1}); }),
                 "final_div_factor is -1, expected above 0"));
  CHECK(contains(error_of([] { sequential_lr({}); }), "no stage is given"));
  CHECK(contains(error_of([] {
                   sequential_lr({{constant_lr(1), 0}});
                 }),
                 "stage 0 has 0 steps, expected at least 1"));
  CHECK(contains(error_of([] {
                   sequential_lr({{nullptr, 1}});
                 }),
                 "the schedule of stage 0 is empty"));
  CHECK(contains(error_of([] { sequential_lr({{constant_lr(1)}})(-1); }), "step -1 is below 0"));
  CHECK(contains(error_of([] { product_lr({}); }), "no schedule is given"));
  CHECK(contains(error_of([] { product_lr({nullptr}); }), "schedule 0 is empty"));
}
