#include <pliant/autograd/custom_op.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// x / (1 + |x|), and its slope 1 / (1 + |x|)^2.
Var softsign(const Var& x) {
  const CustomOp op{.name = "softsign",
                    .forward = [](const Vars& in) { return in[0] / (1.0 + abs(in[0])); },
                    .backward = [](const Vars& in, const Var&, const Var& dy) -> Vars {
                      return {dy / square(1.0 + abs(in[0]))};
                    },
                    .derivatives = Derivatives::all};
  return op({x});
}

// By hand on the elements: rounds, and lets the gradient pass as if it did not.
Var round_through(const Var& x) {
  const CustomOp op{.name = "round_through",
                    .forward =
                        [](const Vars& in) {
                          Tensor y = in[0].value().clone();
                          for (float& element : y.mutable_span<float>())
                            element = std::nearbyint(element);
                          return Var(y);
                        },
                    .backward = [](const Vars&, const Var&, const Var& dy) { return Vars{dy}; }};
  return op({x});
}

}  // namespace

TEST_CASE("custom op: first and second derivatives") {
  const Tensor x = Tensor::from({-1.5, -0.2, 0.3, 2.0}, {2, 2});
  check({"softsign", [](const Vars& v) { return softsign(v[0]); }, {x}});
  const GradcheckResult twice =
      gradgradcheck([](const Vars& v) { return softsign(square(v[0])); }, {x});
  CHECK_MESSAGE(twice.passed, twice.message);
}

TEST_CASE("custom op: written on the elements") {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({0.4F, 1.6F}, {2}));
  const Var y = round_through(x);
  CHECK(y.value().to_vector() == std::vector<double>{0, 2});
  CHECK(contains(error_of([&] { tape.gradients(sum(y), {}, {.create_graph = true}); }),
                 "round_through: no second derivative"));
}

TEST_CASE("custom op: a straight-through gradient, and constants keep nothing") {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({0.4F, 1.6F}, {2}));
  CHECK(tape.gradients(sum(round_through(x) * 3.0))[x].to_vector() == std::vector<double>{3, 3});
  CHECK_FALSE(softsign(Tensor::from({1.0}, {1})).on_tape());
  const Tape other;
  const Var input = other.input(Tensor::from({1.0}, {1}));
  CHECK(softsign(input).on_tape());
  CHECK(other.saved_bytes() == 0);
}

TEST_CASE("custom op: several inputs, one of them without a gradient") {
  const CustomOp scaled{.name = "scaled",
                        .forward = [](const Vars& in) { return in[0] * in[1]; },
                        .backward = [](const Vars& in, const Var&, const Var& dy) -> Vars {
                          return {dy * in[1], Var()};
                        }};
  const Tape tape;
  const Var a = tape.variable(Tensor::from({2.0}, {1})),
            b = tape.variable(Tensor::from({5.0}, {1}));
  const Vars both{a, b};
  const Gradients gradients = tape.gradients(scaled(both));
  CHECK(gradients[a].item() == 5);
  CHECK_FALSE(gradients.contains(b));
}

TEST_CASE("custom op: mistakes are Errors that name it") {
  const auto pass = [](const Vars& in, const Var&, const Var&) { return in; };
  const auto twice = [](const Vars& in) { return in[0] + in[0]; };
  const Tape tape;
  const Var x = tape.variable(random({2}, 1));
  CHECK(error_of([&] { apply({.name = "a"}, {x}); }) == "a: it has no forward function");
  CHECK(error_of([&] { apply({.name = "b", .forward = twice}, {x}); }) ==
        "b: it has no backward function");
  CHECK(error_of([&] {
          apply({.name = "c", .forward = [](const Vars&) { return Var(); }, .backward = pass}, {x});
        }) == "c: its forward function returned an undefined Var");
  CHECK(error_of([&] {
          apply({.name = "d", .forward = [&](const Vars&) { return x + x; }, .backward = pass},
                {x});
        }) == "d: its forward function used a Var that is not among its inputs");
  const auto gradients_of = [](const CustomOp& op) {
    return error_of([&] {
      const Tape own;
      own.gradients(sum(apply(op, {own.variable(random({2}, 2))})));
    });
  };
  CHECK(gradients_of(
            {.name = "e", .forward = twice, .backward = [](const Vars&, const Var&, const Var&) {
               return Vars();
             }}) == "e: its gradient function returned 0 gradients for 1 inputs");
  CHECK(gradients_of({.name = "f",
                      .forward = twice,
                      .backward =
                          [](const Vars&, const Var&, const Var& dy) {
                            return Vars{reshape(dy, {1, 2})};
                          }}) ==
        "f: the gradient by input 0 is float64 [1 2] on cpu, expected float64 [2] on cpu");
}
