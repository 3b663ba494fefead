// What optimizers remember between programs: their state, and the schedule that goes on from it.
#include <cmath>
#include <limits>
#include <memory>

#include <pliant/layers/train/schedule.h>
#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("optimizer: training goes on from a saved state as if it had never stopped") {
  const auto gradient = [](int i) { return random({5}, 100 + static_cast<std::uint64_t>(i)); };
  const auto check_resume = [&](auto make) {
    const Parameter straight(random({5}, 1), "net.weight"), idle(random({5}, 3), "net.idle");
    auto first = make(straight, idle);
    for (int i = 0; i < 3; ++i) step(*first, {{straight, gradient(i)}});
    State state = first->state();
    const Parameter resumed(straight.value().clone(), "net.weight"),
        idle2(random({5}, 3), "net.idle");
    for (int i = 3; i < 5; ++i) step(*first, {{straight, gradient(i)}});

    auto second = make(resumed, idle2);
    second->load(state);
    for (int i = 3; i < 5; ++i) step(*second, {{resumed, gradient(i)}});
    CHECK(resumed.value().to_vector() == straight.value().to_vector());
    return state;
  };
  const State adam = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Adam>(std::vector{p, q});
  });
  REQUIRE(adam.size() == 4);
  CHECK(adam[0].first == "net.weight/steps");
  CHECK(adam[0].second.item() == 3);
  CHECK(adam[2].first == "net.weight/second_moment");
  CHECK(adam[3].first == "/steps");
  const State sgd = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Sgd>(std::vector{p, q}, SgdOptions{.momentum = 0.9});
  });

  const State adamw = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<AdamW>(std::vector{p, q});
  });
  CHECK(adamw.size() == 4);
  const State amsgrad = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Adam>(std::vector{p, q}, AdamOptions{.amsgrad = true});
  });
  REQUIRE(amsgrad.size() == 5);
  CHECK(amsgrad[3].first == "net.weight/largest_second_moment");
  for (const bool decoupled : {false, true})
    check_resume([=](const Parameter& p, const Parameter& q) {
      return std::make_unique<NAdam>(
          std::vector{p, q},
          NAdamOptions{.weight_decay = 0.1, .decoupled_weight_decay = decoupled});
    });
  const State lion = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Lion>(std::vector{p, q});
  });
  const State rmsprop = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<RmsProp>(std::vector{p, q},
                                     RmsPropOptions{.momentum = 0.9, .centered = true});
  });
  REQUIRE(rmsprop.size() == 5);
  CHECK(rmsprop[2].first == "net.weight/mean");
  CHECK(rmsprop[3].first == "net.weight/momentum");
  const State adagrad = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Adagrad>(std::vector{p, q},
                                     AdagradOptions{.lr_decay = 0.1, .initial_accumulator = 0.2});
  });
  CHECK(adagrad.size() == 3);

  const Parameter p(random({5}, 1), "net.weight"), other(random({4}, 1), "net.weight");
  Adam fits({p}), small({other});
  Sgd plain({p}), heavy({p}, {.momentum = 0.9});
  CHECK(error_of([&] { heavy.load(adam); }) ==
        "Sgd: of net.weight the state has first_moment, second_moment, expected momentum; it is "
        "Adam's (AdamW's, NAdam's)");
  CHECK(contains(error_of([&] { plain.load(adam); }), "expected nothing; it is Adam's (AdamW's"));
  CHECK(contains(error_of([&] { fits.load(amsgrad); }), "it is Adam's with amsgrad"));
  CHECK(contains(error_of([&] { fits.load(sgd); }), "it is that of Sgd with momentum, or Muon's"));
  CHECK(contains(error_of([&] { fits.load(rmsprop); }), "it is RmsProp's"));
  CHECK(contains(error_of([&] { fits.load(adagrad); }), "it is Adagrad's"));
  CHECK(contains(error_of([&] { fits.load(lion); }), "it is Lion's"));
  CHECK(contains(error_of([&] {
                   fits.load({{"net.weight/steps", Tensor::full({}, 1, DType::int64)}});
                 }),
                 "Adam: the state lacks net.weight/first_moment"));
  CHECK(contains(error_of([&] { small.load(adam); }), "has shape [5], expected [4]"));
  State more = adam;
  more.emplace_back("head/steps", one(1));
  CHECK(contains(error_of([&] { fits.load(more); }), "unexpected head/steps"));
  more.emplace_back("head/steps", one(1));
  CHECK(contains(error_of([&] { fits.load(more); }), "Adam: the state has "));
}

TEST_CASE("optimizer: a schedule that it holds sets the rate of every step") {
  const Parameter by_hand = scalar_parameter("p", 1), held = scalar_parameter("p", 1);
  const Schedule schedule = one_cycle_lr({.max_lr = 0.3, .total_steps = 5});
  Sgd first({by_hand}, {.momentum = 0.9}), second({held}, {.momentum = 0.9});
  second.set_schedule(schedule);
  for (int t = 0; t < 5; ++t) {
    first.set_lr(schedule(t));
    step(first, {{by_hand, one(t + 1)}});
    CHECK(second.steps() == t);
    step(second, {{held, one(t + 1)}});
    CHECK(second.lr() == schedule(t));
    CHECK(held.value().item() == by_hand.value().item());
  }
  const double before = held.value().item();
  CHECK(error_of([&] {
          step(second, {{held, one(1)}});
        }) == "one_cycle_lr: step 5 is not in [0, 5)");
  CHECK(held.value().item() == before);
  CHECK(error_of([&] { second.set_lr(1); }) ==
        "Sgd: set_lr() beside a schedule, which sets the rate of every step; set_schedule({}) ends "
        "it");
  second.set_schedule({});
  second.set_lr(0);
  step(second, {{held, one(1)}});
  CHECK(held.value().item() == before);
  second.set_schedule([](std::int64_t) { return std::nan(""); });
  CHECK(contains(error_of([&] { step(second, {{held, one(1)}}); }), "Sgd: the learning rate nan"));
}

TEST_CASE("optimizer: a schedule goes on from a saved state, frozen parameters or not") {
  const Schedule schedule = exponential_lr({.base_lr = 0.5, .gamma = 0.7});
  Parameter straight = scalar_parameter("p", 1), late = scalar_parameter("late", 1);
  late.set_frozen(true);
  Adam first({straight, late});
  first.set_schedule(schedule);
  for (int t = 0; t < 3; ++t) step(first, {{straight, one(t - 1)}});
  const State state = first.state();
  const Parameter resumed(straight.value().clone(), "p"), late_too = scalar_parameter("late", 1);
  late.set_frozen(false);
  step(first, {{straight, one(2)}, {late, one(1)}});
  CHECK(first.steps() == 4);

  Adam second({resumed, late_too});
  second.set_schedule(schedule);
  second.load(state);
  CHECK(second.steps() == 3);
  step(second, {{resumed, one(2)}, {late_too, one(1)}});
  CHECK(second.lr() == schedule(3));
  CHECK(resumed.value().item() == straight.value().item());
  CHECK(late_too.value().item() == late.value().item());

  State older = state;
  older.pop_back();  // "/steps"
  CHECK(error_of([&] { second.load(older); }) ==
        "Adam: the state lacks /steps, which the schedule would go on from");
  CHECK(second.steps() == 4);
  second.load({});
  CHECK(second.steps() == 0);
  second.set_schedule({});
  second.load(older);
  CHECK(second.steps() == 0);
}

TEST_CASE("optimizer: weight decay by pattern") {
  const Parameter weight = scalar_parameter("head.weight", 1),
                  bias = scalar_parameter("head.bias", 1), norm = scalar_parameter("norm.bias", 1);
  AdamW adamw({weight, bias, norm}, {.lr = 0.5, .weight_decay = 0.2});
  adamw.set_weight_decay("*.bias", 0);
  adamw.set_weight_decay("norm.*", 0.4);
  step(adamw, {{weight, one(0)}, {bias, one(0)}, {norm, one(0)}});
  CHECK(weight.value().item() == doctest::Approx(1 - 0.5 * 0.2));
  CHECK(bias.value().item() == 1);
  CHECK(norm.value().item() == doctest::Approx(1 - 0.5 * 0.4));
  CHECK(error_of([&] { adamw.set_weight_decay("*.bais", 0); }) ==
        "AdamW: set_weight_decay '*.bais' matches no path; there are head.weight, head.bias, "
        "norm.bias");
  for (const double wrong : {-1.0, std::nan(""), HUGE_VAL})
    CHECK(contains(error_of([&] { adamw.set_weight_decay("*", wrong); }),
                   "AdamW: the weight decay "));
}
