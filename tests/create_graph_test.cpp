// What create_graph gives on the tape, and that gradgradcheck can fail.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("create_graph: third derivatives, and gradients as often as wanted") {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({2.0}, {1}));
  const Var y = x * x * x * x;
  const Var first = tape.gradients(y, {}, {.create_graph = true}).var(x);
  const Var second = tape.gradients(first, {}, {.create_graph = true}).var(x);
  const Gradients third = tape.gradients(second, {}, {.create_graph = true});
  CHECK(first.value().item() == doctest::Approx(32));
  CHECK(second.value().item() == doctest::Approx(48));
  CHECK(third[x].item() == doctest::Approx(48));
  CHECK(tape.gradients(y)[x].item() == doctest::Approx(32));
  CHECK(contains(error_of([&] { tape.gradients(y); }), "taken already"));
}

TEST_CASE("create_graph: a gradient penalty trains") {
  // d/dw of |d(w x^2)/dx|^2 = d/dw (2 w x)^2 = 8 w x^2.
  const Parameter w(Tensor::from({3.0}, {1}), "w");
  const Tape tape;
  const Var x = tape.variable(Tensor::from({0.5}, {1}));
  const Var y = x.lift(w) * square(x);
  const Gradients gradients = tape.gradients(y, {}, {.create_graph = true});
  const Var penalty = square(gradients.var(x));
  CHECK(tape.gradients(sum(penalty))[w].item() == doctest::Approx(8 * 3 * 0.25));
}

TEST_CASE("create_graph: without it the gradients are constants") {
  const Tape tape;
  const Var x = tape.variable(random({3}, 40));
  const Gradients gradients = tape.gradients(sum(exp(x)));
  CHECK_FALSE(gradients.var(x).on_tape());
  CHECK(contains(error_of([&] { gradients.var(Parameter(Shape{1}, "p")); }), "none for p"));
}

TEST_CASE("create_graph: a saved tensor that was changed in place") {
  Tensor a = random({3}, 41);
  const Tape tape;
  const Var x = tape.variable(random({3}, 42));
  const Var first = tape.gradients(sum(exp(x * a)), {}, {.create_graph = true}).var(x);
  a.mutable_data<double>()[0] = 0;
  CHECK(contains(error_of([&] { tape.gradients(sum(first)); }), "was changed in place"));
}

TEST_CASE("gradgradcheck finds a wrong second derivative") {
  // The gradient of x^3 with and without create_graph: only the latter is right.
  const auto wrong = [](double factor) {
    return [factor](const Vars& v) {
      return record(
          "wrong", (v[0] * v[0] * v[0]).value(), {v[0]}, {v[0]},
          [factor](const NodeView& node) -> Vars {
            const Var x = node.saved(0);
            if (node.creates_graph())  // the right value, with another derivative
              return {node.cotangent() * (3.0 * square(x.value()) + factor * (x - x.value()))};
            return {node.cotangent() * 3.0 * square(x)};
          },
          Derivatives::all);
    };
  };
  const GradcheckResult result = gradgradcheck(wrong(1.0), {random({3}, 48, 0.5, 1.0)});
  CHECK_FALSE(result);
  CHECK(contains(result.message, "gradgradcheck: input 0 element"));
  CHECK(contains(result.message, "central difference"));
  CHECK(gradgradcheck(wrong(6.0 * 0.7), {Tensor::from({0.7}, {1})}));
  CHECK(
      contains(error_of([&] { gradgradcheck(wrong(1.0), {random({3}, 1, 0, 1, DType::float32)}); }),
               "gradgradcheck: inputs must be float64, got float32"));
}
