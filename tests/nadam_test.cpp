#include <pliant/layers/train/nadam.h>

#include <cmath>
#include <memory>

#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// PyTorch's rule, with the product of the momenta kept from step to step.
struct Reference {
  NAdamOptions o;
  double m = 0, v = 0, product = 1;

  double momentum(double t) const {
    return o.beta1 * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay));
  }
  void operator()(int t, double g, double& p) {
    if (o.decoupled_weight_decay)
      p *= 1 - o.lr * o.weight_decay;
    else
      g += o.weight_decay * p;
    const double mu = momentum(t), next = momentum(t + 1);
    product *= mu;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double below = std::sqrt(v / (1 - std::pow(o.beta2, t))) + o.eps;
    p -= o.lr * (1 - mu) / (1 - product) * g / below;
    p -= o.lr * next / (1 - product * next) * m / below;
  }
};

}  // namespace

TEST_CASE("NAdam: by its formula") {
  for (const NAdamOptions& options :
       {NAdamOptions{}, NAdamOptions{.lr = 0.05, .weight_decay = 0.1},
        NAdamOptions{.lr = 0.05, .weight_decay = 0.1, .decoupled_weight_decay = true},
        NAdamOptions{.lr = 0.03, .beta1 = 0.6, .beta2 = 0.8, .eps = 1e-3, .momentum_decay = 3},
        NAdamOptions{.beta1 = 0, .momentum_decay = 0}})
    check_steps(
        100, [&](const Parameter& p) { return std::make_unique<NAdam>(std::vector{p}, options); },
        Reference{options});
}

TEST_CASE("NAdam: goes on after any number of steps") {
  const Parameter p = scalar_parameter("p", 1);
  NAdam nadam({p}, {.lr = 0.5});
  const Tensor many = Tensor::full({}, 1e15, DType::int64);
  nadam.load({{"p/steps", many}, {"p/first_moment", one(0)}, {"p/second_moment", one(0)}});
  step(nadam, {{p, one(1)}});
  // (1 - 0.9) g + 0.9 * 0.1 g over sqrt(0.001) g, every correction being 1
  CHECK(p.value().item() == doctest::Approx(1 - 0.5 * (0.1 + 0.09) / std::sqrt(1e-3)));
}

TEST_CASE("NAdam: misuse is an Error") {
  const Parameter p = scalar_parameter("p", 1);
  CHECK(contains(error_of([&] { NAdam({p}, {.beta1 = 1}); }), "NAdam: beta1 1 and beta2 0.999"));
  CHECK(contains(error_of([&] { NAdam({p}, {.eps = -1}); }), "NAdam: eps -1"));
  CHECK(contains(error_of([&] { NAdam({p}, {.momentum_decay = -2}); }), "momentum_decay -2"));
}
