// What must be on the tape: parameters that would silently get no gradient speak, constants do not.
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Net : Module {
  Linear hidden = own("hidden", Linear(3, 8));
  BatchNorm2d norm = own("norm", BatchNorm2d(8));
  Linear head = own("head", Linear(8, 3));

  explicit Net(std::uint64_t seed) { initialise(Rng(seed)); }
  Var operator()(const Var& x) const {
    const Var h = reshape(hidden(x), {-1, 1, 1, 8});
    return head(reshape(relu(norm(h)), {-1, 8}));
  }
};

Tensor batch(std::uint64_t seed) { return random({4, 3}, seed, -1, 1, DType::float32); }

Var mean_square(const Var& a, const Var& b) { return mean(square(a - b)); }

const char* const kSaysSo = "detach(";

}  // namespace

TEST_CASE("off the tape: a recurrent net's first state") {
  Linear cell(3, 3);
  cell.initialise(Rng(1));
  const auto norm_from = [&](const auto& first_state) {
    const Tape tape;
    const Var in = tape.input(batch(2));
    Var h = first_state(in);
    for (int i = 0; i < 3; ++i) h = tanh(cell(h) + in);
    return tape.gradients(mean(h)).norm();
  };
  const std::string message = error_of([&] {
    norm_from([](const Var&) { return Var(Tensor::zeros({4, 3})); });
  });
  CHECK(contains(message, "add: one side was computed off the tape"));
  CHECK(contains(message, "tape.input("));
  CHECK(contains(message, kSaysSo));

  const double right = norm_from([](const Var& in) { return in.lift(Tensor::zeros({4, 3})); });
  CHECK(right == norm_from([](const Var& in) { return detach(in * 0.0); }));
}

TEST_CASE("off the tape: a loss between two passes of one net") {
  const Net net(1);
  const Tape tape;
  const Var here = net(tape.input(batch(1)));
  CHECK(contains(error_of([&] { mean(here) - mean(net(batch(2))); }), "sub: one side"));
  CHECK(contains(error_of([&] { concat({here, net(batch(2))}, 0); }), kSaysSo));
  CHECK(tape.gradients(mean(here) - mean(net(tape.input(batch(2))))).norm() > 0);
}

TEST_CASE("off the tape: remembered through every op, forgotten by none but detach and value") {
  const Parameter p(random({3}, 1), "p");
  const Var off = Var(random({3}, 2)).lift(p);
  const Tape tape;
  const Var on = tape.variable(random({3}, 3));
  const std::vector<Var> computed = {off,
                                     off * 2.0,
                                     reshape(off, {3, 1}),
                                     relu(off),
                                     sum(off),
                                     convert(off, DType::float64),
                                     detach(on) * 1.0 + 0.0};
  for (std::size_t i = 0; i + 1 < computed.size(); ++i)
    CHECK(contains(error_of([&, i] { on* computed[i]; }), kSaysSo));
  CHECK(error_of([&] { on* computed.back(); }).empty());
  CHECK(error_of([&] { on* detach(off); }).empty());
  CHECK(error_of([&] { on* off.value(); }).empty());
  CHECK(contains(error_of([&] { on.lift(off); }), kSaysSo));
  CHECK_FALSE(off.on_tape());
  CHECK(max_difference(detach(off).value(), off.value()) == 0);
}

TEST_CASE("off the tape: frozen parameters and tapes that do not record make constants") {
  Net teacher(1);
  const Net net(2);
  const Tape tape;
  const Var here = net(tape.input(batch(1)));
  {
    const Tape infers({.mode = Mode::inference, .record = false});
    CHECK(error_of([&] { mean_square(here, teacher(infers.input(batch(1)))); }).empty());
    CHECK(error_of([&] { infers.input(batch(1)) - net(batch(2)); }).empty());
    CHECK(contains(error_of([&] {
                     const Tape other({.record = false});
                     infers.input(batch(1)) - other.input(batch(1));
                   }),
                   "two different tapes"));
  }
  teacher.freeze("*");
  CHECK(tape.gradients(mean_square(here, teacher(batch(1)))).entries().size() == 6);
}

TEST_CASE("off the tape: detach on a tape stays on it") {
  const Net net(1);
  const Tape tape({.rng = Rng(3)});
  const Var x = tape.variable(batch(1)), cut = detach(x);
  CHECK(cut.on_tape());
  CHECK(cut.training());
  CHECK_FALSE(cut.wants_gradient());
  const Gradients gradients = tape.gradients(sum(square(x)) + sum(square(cut)));
  CHECK(max_difference(gradients[x], (Var(x.value()) * 2.0).value()) == 0);
}

TEST_CASE("lift: a constant is put on the tape as input() does") {
  const Tape tape({.activations = DType::bfloat16});
  const Var x = tape.input(batch(1)), zero = x.lift(Tensor::zeros({3}));
  CHECK(zero.on_tape());
  CHECK(zero.dtype() == DType::bfloat16);
  CHECK_FALSE(Var(batch(1)).lift(Tensor::zeros({3})).on_tape());
  const Tape other;
  CHECK(contains(error_of([&] { other.input(batch(1)).lift(x); }), "another tape"));
  CHECK(contains(error_of([&] { x.lift(Var()); }), "lift: the constant is undefined"));
}

TEST_CASE("a parameter beside a Var is lifted") {
  const Parameter p(Tensor::from({2.0, 4.0}, {2}), "p");
  const Tensor x = Tensor::from({1.0, 8.0}, {2});
  const auto gradient = [&](const std::function<Var(const Var&)>& f) {
    const Tape tape;
    return tape.gradients(sum(f(tape.input(x))))[p].to_vector();
  };
  using Numbers = std::vector<double>;
  CHECK(gradient([&](const Var& v) { return v + p; }) == Numbers{1, 1});
  CHECK(gradient([&](const Var& v) { return p + v; }) == Numbers{1, 1});
  CHECK(gradient([&](const Var& v) { return v - p; }) == Numbers{-1, -1});
  CHECK(gradient([&](const Var& v) { return p - v; }) == Numbers{1, 1});
  CHECK(gradient([&](const Var& v) { return v * p; }) == Numbers{1, 8});
  CHECK(gradient([&](const Var& v) { return p * v; }) == Numbers{1, 8});
  CHECK(gradient([&](const Var& v) { return v / p; }) == Numbers{-0.25, -0.5});
  CHECK(gradient([&](const Var& v) { return p / v; }) == Numbers{1, 0.125});
  CHECK((x + p).value().to_vector() == Numbers{3, 12});
}

TEST_CASE("off the tape: a target net (DQN), as a constant") {
  const Net net(1), target(2);
  Sgd sgd(net.parameters(), {.lr = 0.01});
  const State before = target.state();
  for (std::uint64_t step = 0; step < 2; ++step) {
    const Tape tape;
    const Tensor action = Tensor::from<std::int64_t>({0, 2, 1, 1}, {4, 1});
    const auto loss_to = [&](const Var& best) {
      return mean_square(gather(net(tape.input(batch(step))), 1, action), 0.9 * best + 1.0);
    };
    const Var next = max(target(batch(step + 9)), {1}, KeepDim::yes);
    CHECK(contains(error_of([&] { loss_to(next); }), kSaysSo));
    sgd.step(tape.gradients(loss_to(detach(next))));
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(same_bits(before[i].second, target.state()[i].second));
}

TEST_CASE("off the tape: a teacher that averages the student") {
  const Net net(1);
  Adam adam(net.parameters());
  MovingAverage average(net, {.decay = 0.9});
  Net teacher(2);
  for (std::uint64_t step = 0; step < 2; ++step) {
    teacher.load(average.weights());
    const Tape tape;
    const Var loss = mean_square(net(tape.input(batch(step))), detach(teacher(batch(step))));
    adam.step(tape.gradients(loss));
    average.update();
  }
}

TEST_CASE("off the tape: two nets against each other (GAN), two tapes a step") {
  const Net maker(1), judge(2);
  Adam makes(maker.parameters()), judges(judge.parameters());
  const Tensor noise = batch(3), real = batch(4);
  {
    const Tape tape;  // the judge learns; what it judges is a constant, on the tape
    const Var fake = detach(maker(tape.input(noise)));
    const Gradients gradients = tape.gradients(mean(judge(fake)) - mean(judge(tape.input(real))));
    CHECK(gradients.entries().size() == judge.parameters().size());
    judges.step(gradients);
  }
  const Tape tape;  // the maker learns; its optimizer takes its own gradients
  const Gradients gradients = tape.gradients(-mean(judge(maker(tape.input(noise)))));
  CHECK(gradients.contains(maker.head.weight));
  makes.step(gradients);
}

TEST_CASE("off the tape: measuring between steps, and keeping the best (early stop)") {
  const Net net(1);
  Adam adam(net.parameters(), {.lr = 0.01});
  double best = HUGE_VAL;
  State kept;
  for (std::uint64_t step = 0; step < 3; ++step) {
    const Tape tape;
    const Var loss = mean_square(net(tape.input(batch(1))), batch(2));
    const Var measured = mean_square(net(batch(3)), batch(4));
    adam.step(tape.gradients(loss));
    if (measured.value().item() < best) {
      best = measured.value().item();
      kept = net.state();
    }
  }
  CHECK(kept.size() == net.state().size());
}
