#include <pliant/autograd/checkpoint.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/memory.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Three convolutions beside a shortcut; the input is used twice.
struct Block : Module {
  Conv2d first = own("first", Conv2d(8, 8, {.kernel = 3, .padding = 1}));
  BatchNorm2d first_norm = own("first_norm", BatchNorm2d(8));
  Conv2d second = own("second", Conv2d(8, 8, {.kernel = 3, .padding = 1}));
  BatchNorm2d second_norm = own("second_norm", BatchNorm2d(8));
  Conv2d third = own("third", Conv2d(8, 8, {.kernel = 1}));
  BatchNorm2d third_norm = own("third_norm", BatchNorm2d(8));
  Dropout drop = own("drop", Dropout(0.5));

  Var operator()(const Var& x) const {
    Var h = relu(first_norm(first(x)));
    h = drop(relu(second_norm(second(h))));
    return relu(x + third_norm(third(h)));
  }
};

struct BlockNet : Module {
  Conv2d stem = own("stem", Conv2d(1, 8, {.kernel = 3, .padding = 1}));
  std::vector<Block> blocks;
  Linear head = own("head", Linear(8, 3));

  explicit BlockNet(int count) {
    for (int i = 0; i < count; ++i) blocks.push_back(own("block" + std::to_string(i), Block()));
    initialise(Rng(5));
  }
  Var operator()(const Var& images, bool checkpointed) const {
    Var x = stem(images);
    for (const Block& block : blocks) x = checkpointed ? checkpoint(block, x) : block(x);
    return head(global_avg_pool2d(x));
  }
};

struct Step {
  std::vector<Tensor> gradients;
  double loss = 0;
  State state;
  std::int64_t peak = 0;  // bytes above what was in use before
};

Step train(bool checkpointed, const Rng& rng = Rng(3)) {
  const BlockNet net(16);
  const Tensor images = random({4, 16, 16, 1}, 1, -1, 1, DType::float32);
  const std::int64_t before = memory_use(Device::cpu()).current;
  reset_memory_peak(Device::cpu());
  Step step;
  {
    const Tape tape({.rng = rng});
    const Var loss = mean(square(net(tape.input(images), checkpointed)));
    const Gradients gradients = tape.gradients(loss);
    step.loss = loss.value().item();
    for (const Gradients::Entry& entry : gradients.entries())
      step.gradients.push_back(entry.gradient);
  }
  step.peak = memory_use(Device::cpu()).peak - before;
  step.state = net.state();
  return step;
}

}  // namespace

TEST_CASE("checkpoint: a 16-block net, bit for bit, in a third of the memory") {
  const Step plain = train(false), again = train(true);
  CHECK(plain.loss == again.loss);
  REQUIRE(plain.gradients.size() == 2 + 16 * 12 + 2);
  REQUIRE(again.gradients.size() == plain.gradients.size());
  for (std::size_t i = 0; i < plain.gradients.size(); ++i)
    CHECK(same_bits(plain.gradients[i], again.gradients[i]));
  // The layers draw as they do in one run: another key gives another loss.
  CHECK(train(true, Rng(4)).loss != plain.loss);
  // Running statistics moved once.
  for (std::size_t i = 0; i < plain.state.size(); ++i) {
    CAPTURE(plain.state[i].first);
    CHECK(same_bits(plain.state[i].second, again.state[i].second));
  }
  MESSAGE("peak ", plain.peak, " bytes, with checkpoints ", again.peak, ": ",
          static_cast<double>(plain.peak) / static_cast<double>(again.peak), " times less");
  CHECK(plain.peak >= 3 * again.peak);
}

TEST_CASE("checkpoint: a parameter and an input used inside and outside add up in the same order") {
  const Parameter w(random({4, 4}, 2, -1, 1, DType::float32), "w");
  const Tensor data = random({4, 4}, 3, -1, 1, DType::float32);
  const auto part = [&](const Var& x) { return tanh(x * x.lift(w)) + x * x.lift(w); };
  const auto run = [&](bool checkpointed) {
    const Tape tape;
    const Var x = tape.variable(data);
    const Var start = x * x.lift(w);
    const Var h = checkpointed ? checkpoint(part, start) : part(start);
    const Var y = (h + start) * x.lift(w) * x;
    const Gradients gradients = tape.gradients(sum(y), {start});
    return std::vector<Tensor>{gradients[w], gradients[x], gradients[start]};
  };
  const std::vector<Tensor> plain = run(false), again = run(true);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same_bits(plain[i], again[i]));
}

TEST_CASE("checkpoint: several inputs, captured Vars, one inside another") {
  const Tensor data = random({3}, 4);
  const auto run = [&](bool checkpointed) {
    const Tape tape;
    const Var a = tape.variable(data), b = tape.input(random({3}, 5)), c = exp(a);
    const auto inner = [c](const Var& x) { return sigmoid(x) * c; };
    const auto outer = [&](const Vars& v) {
      return v[0] * v[1] + (checkpointed ? checkpoint(inner, v[0]) : inner(v[0]));
    };
    const Var y = checkpointed ? checkpoint(outer, {a, b}) : outer({a, b});
    if (checkpointed) CHECK(tape.saved_bytes() == 3 * 3 * 8);  // exp's result, a and b
    return tape.gradients(sum(y))[a];
  };
  CHECK(same_bits(run(false), run(true)));
}

TEST_CASE("checkpoint: what is captured alone may want the gradient") {
  const Tape tape;
  const Var a = tape.variable(random({3}, 6)), b = tape.input(random({3}, 7));
  const Var y = checkpoint([a](const Var& x) { return x * a; }, b);
  CHECK(same_bits(tape.gradients(sum(y))[a], b.value()));
}

TEST_CASE("checkpoint: second derivatives pass through") {
  const auto f = [](const Vars& v) {
    return checkpoint([](const Var& x) { return tanh(x) * x; }, exp(v[0]));
  };
  const GradcheckResult result = gradgradcheck(f, {random({3}, 8)});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(gradcheck(f, {random({3}, 9)}));
}

TEST_CASE("checkpoint: how often the function runs") {
  int runs = 0;
  const auto f = [&](const Var& x) {
    ++runs;
    return x * x;
  };
  checkpoint(f, random({2}, 10));  // off the tape
  CHECK(runs == 1);
  {
    const Tape tape({.record = false});
    CHECK(checkpoint(f, tape.input(random({2}, 11))).training());
    CHECK(runs == 2);
  }
  const Tape tape;
  CHECK_FALSE(checkpoint(f, tape.input(random({2}, 12))).wants_gradient());
  CHECK(runs == 3);
  const Var x = tape.variable(random({2}, 13));
  tape.gradients(sum(checkpoint(f, x)));
  CHECK(runs == 5);
}

TEST_CASE("checkpoint: an identity and a constant") {
  const Tape tape;
  const Var x = tape.variable(random({2}, 14));
  const Var same = checkpoint([](const Var& v) { return v; }, x);
  const Var constant = checkpoint([](const Var& v) { return Var(v.value()); }, x);
  CHECK_FALSE(constant.wants_gradient());
  CHECK(tape.gradients(sum(same * same + constant))[x].to_vector() ==
        (2.0 * Var(x.value())).value().to_vector());
}

TEST_CASE("checkpoint: misuse is an Error that says what to do") {
  const Tensor data = random({2}, 15);
  {
    const Tape tape;
    const Var x = tape.variable(data);
    Var inside;
    const auto leak = [&](const Var& v) {
      inside = exp(v);
      return inside * v;
    };
    const Var y = checkpoint(leak, x);
    CHECK(
        contains(error_of([&] { y + inside; }), "add: an input was computed inside a checkpoint"));
    CHECK(contains(error_of([&] { tape.gradients(sum(y), {inside}); }), "a wanted Var is not"));
    CHECK(contains(error_of([&] { tape.gradients(inside, {}, {.cotangent = data}); }),
                   "the loss was computed inside a checkpoint"));
  }
  {
    const Parameter w(data.clone(), "stem.weight");
    const Tape tape;
    const Var x = tape.variable(data);
    const Var y = checkpoint([&](const Var& v) { return v * v.lift(w); }, x);
    Tensor handle = w.value();
    handle.fill(1);
    CHECK(error_of([&] { tape.gradients(sum(y)); }) ==
          "checkpoint: parameter stem.weight changed after the first run; take gradients first");
  }
  {
    const Tape tape;
    const Tensor own = data.clone();
    const Var y = checkpoint([](const Var& v) { return exp(v); }, tape.variable(own));
    Tensor handle = own;
    handle.fill(1);
    CHECK(contains(error_of([&] { tape.gradients(sum(y)); }),
                   "checkpoint: a tensor that its gradient needs"));
  }
  int calls = 0;
  const Tape tape;
  const Var y =
      checkpoint([&](const Var& v) { return ++calls == 1 ? exp(v) : sum(v); }, tape.variable(data));
  CHECK(contains(error_of([&] { tape.gradients(sum(y)); }),
                 "checkpoint: when run again the function gave float64 [], not float64 [2]"));
  CHECK(error_of([&] { checkpoint(std::function<Var(const Vars&)>(), {y}); }) ==
        "checkpoint: the function is empty");
}
