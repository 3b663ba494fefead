// What is done to gradients after they were taken.
#include <cmath>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/activation.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("gradients: those by variables are multiplied and clipped as well") {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({3.0, -4.0}, {2}));
  Gradients gradients = tape.gradients(sum(square(x)));
  gradients *= 0.5;
  CHECK(gradients[x].to_vector() == std::vector<double>{3, -4});
  gradients.clip_values(3.5);
  CHECK(gradients[x].to_vector() == std::vector<double>{3, -3.5});
}

TEST_CASE("gradients: clipping by a factor that float32 cannot hold") {
  const Parameter weight(Tensor::full({16}, 1), "w");
  for (const double most : {1e-6, 5e-7}) {
    const Tape tape;
    const Var loss = sum(tape(weight) * Var(Tensor::full({16}, 3e38)));
    Gradients gradients = tape.gradients(loss);
    CHECK(gradients.clip(most) == doctest::Approx(1.2e39));
    CHECK(gradients.norm() == doctest::Approx(most).epsilon(1e-5));
  }
}

TEST_CASE("prelu: the derivative at 0 is the weight, and what is above does not see the weight") {
  const auto slopes = [](double x, double weight) {
    const Tape tape;
    const Var at = tape.variable(Tensor::from({x}, {1}));
    const Var w = tape.variable(Tensor::from({weight}, {1}));
    const Gradients gradients = tape.gradients(sum(prelu(at, w)));
    return std::pair(gradients[at].item(), gradients[w].item());
  };
  CHECK(slopes(0, 0.25) == std::pair(0.25, 0.0));
  CHECK(slopes(2, HUGE_VAL) == std::pair(1.0, 0.0));
  CHECK(slopes(-2, 0.25) == std::pair(0.25, -2.0));
}

TEST_CASE("PRelu: in mixed precision its weight stays float32") {
  PRelu layer;
  layer.initialise(Rng(1));
  const Tape tape({.activations = DType::bfloat16});
  const Var y = layer(tape.input(Tensor::from({1.F, -2.F}, {2, 1})));
  CHECK(y.dtype() == DType::bfloat16);
  CHECK(y.value().to_vector() == std::vector<double>{1, -0.5});
  CHECK(tape.gradients(sum(y))[layer.weight].dtype() == DType::float32);
  CHECK(contains(error_of([] { PRelu(0); }), "PRelu: over 0 channels"));
}

TEST_CASE("gelu_tanh: with create_graph its gradient is finite where squares are not") {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({2e19F, -2e19F, 0.5F}, {3}));
  const Gradients gradients = tape.gradients(sum(gelu_tanh(x)), {}, {.create_graph = true});
  CHECK(gradients[x].to_vector()[0] == 1);
  CHECK(gradients[x].to_vector()[1] == 0);
}

TEST_CASE("hardswish: derivatives at -3 and 3 as PyTorch's") {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({-3.0, 3.0}, {2}));
  CHECK(tape.gradients(sum(hardswish(x)))[x].to_vector() == std::vector<double>{0, 1});
}

TEST_CASE("stddev: squares beyond float32, and no slope of what is constant") {
  CHECK(stddev(Tensor::from({1e20F, -1e20F}, {2}), {0}).value().item() ==
        doctest::Approx(1.4142135e20));
  CHECK(stddev(Tensor::from({1e-25F, -1e-25F}, {2}), {0}).value().item() ==
        doctest::Approx(1.4142135e-25));
  const Tape tape;
  const Var x = tape.variable(Tensor::full({2, 3}, 5));
  CHECK(tape.gradients(sum(stddev(x, {1})))[x].to_vector() == std::vector<double>(6, 0.0));
}

TEST_CASE("where: a condition is told in its own dtype") {
  const Tensor one = Tensor::full({1}, 1), two = Tensor::full({1}, 2);
  CHECK(where(Tensor::from({1e-60}, {1}), Var(one), Var(two)).value().item() == 1);
  CHECK(
      where(Tensor::from({1e-42F}, {1}), Var(one.to(DType::bfloat16)), Var(two.to(DType::bfloat16)))
          .value()
          .item() == 1);
}
