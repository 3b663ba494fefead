#include <pliant/autograd/anomaly.h>

#include <limits>

#include <pliant/autograd/checkpoint.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

const double kNan = std::nan("");
constexpr double kInf = std::numeric_limits<double>::infinity();

Tensor row(std::initializer_list<double> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

TEST_CASE("anomaly: forward, on a tape and off it") {
  const AnomalyMode guard;
  const Tape tape;
  const std::string expected =
      "anomaly: log made the first NaN: element 1 of its result, float64 [3]; its inputs hold none";
  CHECK(error_of([&] { exp(log(tape.variable(row({1, -1, 2})))); }) == expected);
  CHECK(error_of([&] { exp(log(row({1, -1, 2}))); }) == expected);
  CHECK(contains(error_of([&] { div(row({1}), row({0})); }), "div made the first infinity"));
  CHECK(contains(error_of([&] {
                   exp(Tensor::from({1.0F, 100.0F}, {2}));
                 }),
                 "exp made the first infinity: element 1 of its result, float32 [2]"));
  CHECK(exp(row({1, 2})).size() == 2);
}

TEST_CASE("anomaly: what came in with data is not blamed on the op") {
  const AnomalyMode guard;
  CHECK(error_of([&] {
          add(row({1, 2}), row({3, kNan}));
        }) ==
        "anomaly: add was given NaN by no op that was looked at: element 1 of its input 1, "
        "float64 [2] (data, a parameter, or computed before the AnomalyMode)");
}

TEST_CASE("anomaly: backward, where the forward pass is finite") {
  const auto slope_of_sqrt = [](const Tape& tape, const Var& x) {
    tape.gradients(sum(sqrt(square(x))));
  };
  const AnomalyMode guard;
  const Tape tape;
  const Var x = tape.variable(row({1, 0}));
  CHECK(error_of([&] { slope_of_sqrt(tape, x); }) ==
        "anomaly: the gradient of sqrt made the first infinity: element 1 of the gradient by its "
        "input 0, float64 [2]; the gradient by its result holds none");
  const Tape other;
  const Var y = other.variable(row({2, 0}));
  CHECK(contains(error_of([&] {
                   other.gradients(y * y, {}, {.cotangent = row({1, kNan})});
                 }),
                 "the gradient by the result of mul is the first NaN: element 1"));
}

TEST_CASE("anomaly: infinities may be meant") {
  const AnomalyMode guard({.infinities = false});
  const Var scores = row({1, 2}) + Var(row({0, -kInf}));
  CHECK(softmax(scores).value().to_vector() == std::vector<double>{1, 0});
  CHECK(contains(error_of([&] { sub(scores, scores); }), "sub was given infinity") == false);
  CHECK(contains(error_of([&] { sub(scores, scores); }), "sub made the first NaN"));
}

TEST_CASE("anomaly: modes nest, and off nothing is looked at") {
  CHECK(log(row({-1})).size() == 1);
  {
    const AnomalyMode outer;
    {
      const AnomalyMode inner({.infinities = false});
      CHECK(div(row({1}), row({0})).size() == 1);
    }
    CHECK(error_of([] { div(row({1}), row({0})); }) != "");
  }
  CHECK(div(row({1}), row({0})).size() == 1);
}

TEST_CASE("anomaly: the gradient function is one op, whatever it is made of") {
  const AnomalyMode guard;
  const auto risky = [](const Var& x) {
    return record("risky", x.value(), {x}, {x},
                  [](const NodeView& node) -> Vars { return {log(-node.saved(0)) * 0.0}; });
  };
  const Tape tape;
  const Var x = tape.variable(row({3}));
  CHECK(contains(error_of([&] { tape.gradients(sum(relu(risky(x)))); }),
                 "the gradient of risky made the first NaN"));
}

TEST_CASE("anomaly: inside a checkpoint, on the way there and back") {
  const AnomalyMode guard;
  const auto root = [](const Var& x) { return sqrt(square(x)); };
  const auto logarithm = [](const Var& x) { return log(x) + 1.0; };
  const Tape tape;
  const Var x = tape.variable(row({1, 0}));
  CHECK(contains(error_of([&] { checkpoint(logarithm, -x - 1.0); }), "log made the first NaN"));
  CHECK(contains(error_of([&] { tape.gradients(sum(checkpoint(root, x))); }),
                 "the gradient of sqrt made the first infinity"));
}

TEST_CASE("anomaly: bfloat16 is looked at too") {
  const AnomalyMode guard;
  const Tape tape({.activations = DType::bfloat16});
  CHECK(error_of([&] {
          exp(tape.input(row({1, 100})));
        }) ==
        "anomaly: exp made the first infinity: element 1 of its result, bfloat16 [2]; its inputs "
        "hold none");
  CHECK(contains(
      error_of([&] {
        exp(tape.input(row({1, kNan})));
      }),
      "exp was given NaN by no op that was looked at: element 1 of its input 0, bfloat16"));
  const Var x = tape.variable(row({1, 0}).to(DType::bfloat16));
  CHECK(contains(error_of([&] { tape.gradients(sum(sqrt(square(x)))); }),
                 "the gradient of sqrt made the first infinity: element 1 of the gradient by its "
                 "input 0, bfloat16"));
}
