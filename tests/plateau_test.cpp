#include <pliant/layers/train/plateau.h>

#include <cmath>
#include <vector>

#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

std::vector<double> rates(ReduceOnPlateau& plateau, const std::vector<double>& measured) {
  std::vector<double> all;
  for (const double value : measured) all.push_back(plateau.step(value));
  return all;
}

}  // namespace

TEST_CASE("ReduceOnPlateau: falls after patience, rests, and stops at the smallest rate") {
  ReduceOnPlateau plateau(
      {.base_lr = 1, .factor = 0.5, .patience = 1, .cooldown = 2, .min_lr = 0.2});
  CHECK(plateau.lr() == 1);
  CHECK(plateau.best() == HUGE_VAL);
  CHECK(
      rates(plateau, {3, 2, 2, 2, 9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1}) ==
      std::vector<double>{1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2});
  CHECK(plateau.best() == 1);
}

TEST_CASE("ReduceOnPlateau: what is better, by share or by amount, and NaN never") {
  const auto falls = [](const PlateauOptions& options, double first, double second) {
    ReduceOnPlateau plateau(options);
    plateau.step(first);
    return plateau.step(second) < options.base_lr;
  };
  const PlateauOptions share{.patience = 0, .threshold = 0.1},
      amount{.patience = 0, .threshold = 0.1, .absolute_threshold = true},
      large{.patience = 0, .threshold = 0.1, .larger_is_better = true};
  CHECK_FALSE(falls(share, 10, 8.9));
  CHECK(falls(share, 10, 9.1));
  CHECK_FALSE(falls(amount, 10, 9.89));
  CHECK(falls(amount, 10, 9.91));
  CHECK_FALSE(falls(large, 10, 11.1));
  CHECK(falls(large, 10, 10.9));
  CHECK(falls(share, 10, std::nan("")));
  CHECK(falls(share, std::nan(""), 5));  // by the first
}

TEST_CASE("ReduceOnPlateau: goes on from its numbers as if it had never stopped") {
  const PlateauOptions options{.base_lr = 1, .factor = 0.5, .patience = 2, .cooldown = 1};
  const std::vector<double> measured = {3, 2, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2};
  for (std::size_t cut = 0; cut <= measured.size(); ++cut) {
    ReduceOnPlateau straight(options), before(options), after(options);
    const auto middle = measured.begin() + static_cast<std::ptrdiff_t>(cut);
    std::vector<double> all = rates(before, {measured.begin(), middle});
    after.load(before.numbers());
    for (const double rate : rates(after, {middle, measured.end()})) all.push_back(rate);
    CHECK(all == rates(straight, measured));
    CHECK(after.numbers() == straight.numbers());
  }
}

TEST_CASE("ReduceOnPlateau: misuse is an Error") {
  const auto error = [](const PlateauOptions& options) {
    return error_of([&] { ReduceOnPlateau{options}; });
  };
  CHECK(contains(error({.base_lr = -1}), "ReduceOnPlateau: base_lr is -1"));
  CHECK(contains(error({.factor = 1}), "factor is 1, not in (0, 1)"));
  CHECK(contains(error({.patience = -1}), "patience is -1"));
  CHECK(contains(error({.cooldown = -1}), "cooldown -1"));
  CHECK(contains(error({.threshold = -1}), "threshold is -1"));
  CHECK(contains(error({.threshold = 1}), "threshold is 1, expected below 1"));
  ReduceOnPlateau plateau({});
  std::map<std::string, double> numbers = plateau.numbers();
  numbers.at("plateau/worse") = 0.5;
  CHECK(
      contains(error_of([&] { plateau.load(numbers); }), "plateau/worse is 0.5, expected a whole"));
  numbers.erase("plateau/lr");
  CHECK(error_of([&] { plateau.load(numbers); }) ==
        "ReduceOnPlateau: there is no number 'plateau/lr'");
  CHECK(plateau.lr() == 0.1);
}
