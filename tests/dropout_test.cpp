#include <pliant/layers/dropout.h>

#include <limits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/dropout.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Which elements a dropout of ones let through, as 0 or 1.
std::vector<double> mask_of(const Tensor& y) {
  std::vector<double> mask = y.to_vector();
  for (double& m : mask) m = m == 0 ? 0 : 1;
  return mask;
}

Tensor ones(const Shape& shape, DType dtype = DType::float64) {
  return Tensor::full(shape, 1, dtype);
}

struct Net : Module {
  Dropout first = own("first", Dropout(0.5));
  Dropout second = own("second", Dropout(0.5));
};

}  // namespace

TEST_CASE("dropout: each element by its own number of the key") {
  for (const double rate : {0.0, 0.1, 0.5, 0.9})
    for (const std::int64_t n : {0, 1, 3, 257, 40007}) {
      const Rng key = Rng(7).fork(static_cast<std::uint64_t>(n));
      const Tensor x = random({n}, 1, 1, 2), y = dropout(x, rate, key).value();
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const bool keeps = key.bits(static_cast<std::uint64_t>(i)) >= rate * 0x1p32;
        const double want = keeps ? x.data<double>()[i] * (1 / (1 - rate)) : 0;
        wrong += y.data<double>()[i] != want;
      }
      CHECK(wrong == 0);
      CHECK(mask_of(dropout(x.to(DType::float32), rate, key).value()) == mask_of(y));
    }
  const Tensor all = random({9}, 1);
  CHECK(max_difference(dropout(all, 0, Rng(1)).value(), all) == 0);
  CHECK(max_difference(dropout(all, 1, Rng(1)).value(), Tensor::zeros({9}, all.dtype())) == 0);
}

TEST_CASE("dropout: the share that stays, and the mean") {
  constexpr std::int64_t kCount = 200000;
  for (const double rate : {0.2, 0.5, 0.75}) {
    const Var y = dropout(ones({kCount}), rate, Rng(3).fork("share"));
    // Six standard deviations of the mean.
    const double bound = 6 * std::sqrt(rate / (1 - rate) / static_cast<double>(kCount));
    CHECK(std::abs(mean(y).value().item() - 1) < bound);
  }
}

TEST_CASE("dropout: gradients, NaN and the same bits on any number of threads") {
  check(dropout_cases());
  const Tensor bad = Tensor::full({64}, std::numeric_limits<double>::quiet_NaN());
  const std::vector<double> y = dropout(bad, 0.5, Rng(2)).value().to_vector();
  for (std::uint64_t i = 0; i < y.size(); ++i)
    CHECK(std::isnan(y[i]) == (Rng(2).bits(i) >= 0x80000000u));
}

TEST_CASE("Dropout: trains on a training tape alone; steps, layers and uses differ") {
  const Net net;
  const Tensor x = ones({4, 50});
  CHECK(max_difference(net.first(x).value(), x) == 0);
  const Tape infers({.mode = Mode::inference});
  CHECK(max_difference(net.first(infers.input(x)).value(), x) == 0);

  const auto mask = [&](const Dropout& layer, std::uint64_t step, std::uint64_t use = 0) {
    const Tape tape({.rng = Rng(1).fork(step)});
    return mask_of(layer(tape.input(x), use).value());
  };
  CHECK(mask(net.first, 0) == mask(net.first, 0));
  CHECK(mask(net.first, 0) != mask(net.first, 1));
  CHECK(mask(net.first, 0) != mask(net.second, 0));
  CHECK(mask(net.first, 0) != mask(net.first, 0, 1));
  // A key by hand draws the same.
  const Tape tape({.rng = Rng(1).fork(0)});
  const Var on_tape = tape.input(x);
  CHECK(mask_of(dropout(x, 0.5, net.first.key(on_tape)).value()) == mask(net.first, 0));
}

TEST_CASE("Dropout: a block that is run again on a tape of the same key draws the same masks") {
  const Net net;
  const Tensor x = random({3, 40}, 1);
  const auto block = [&](const Var& v) { return net.second(net.first(v) * 2.0); };
  const Tape tape({.rng = Rng(4).fork(17)});
  const Var input = tape.variable(x), y = block(input);
  const Tape again({.buffers = Buffers::keep, .rng = input.rng()});
  const Var replayed = again.variable(x), z = block(replayed);
  CHECK(max_difference(y.value(), z.value()) == 0);
  CHECK(max_difference(tape.gradients(sum(y))[input], again.gradients(sum(z))[replayed]) == 0);
}

TEST_CASE("dropout and Dropout: bad arguments") {
  CHECK(error_of([] { dropout(Var(), 0.5, Rng(1)); }) == "dropout: x is undefined");
  CHECK(error_of([] { dropout(Tensor::zeros({2}), 1.5, Rng(1)); }) ==
        "dropout: the rate is 1.5, expected 0 to 1");
  CHECK(error_of([] { dropout(Tensor::zeros({2}), std::nan(""), Rng(1)); }) ==
        "dropout: the rate is nan, expected 0 to 1");
  CHECK(error_of([] { dropout(Tensor::zeros({2}, DType::int64), 0.5, Rng(1)); }) ==
        "dropout: needs float32 or float64, got int64");
  CHECK(error_of([] { Dropout(-0.1); }) == "Dropout: the rate is -0.1, expected 0 to 1");
  const Net net;
  const Tape tape;
  const Var x = tape.input(Tensor::zeros({2}));
  CHECK(error_of([&] { net.second(x); }) ==
        "Dropout second: the tape has no random key, so every step would drop the same elements; "
        "write Tape tape({.rng = rng.fork(step)})");
  CHECK(contains(error_of([&] { static_cast<void>(net.first.key(Tensor::zeros({2}))); }),
                 "a Var off the tape has no random key"));
}
