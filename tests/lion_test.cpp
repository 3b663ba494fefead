#include <pliant/layers/train/lion.h>

#include <cmath>
#include <memory>

#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Reference {
  LionOptions o;
  double m = 0;

  void operator()(int /*t*/, double g, double& p) {
    const double towards = o.beta1 * m + (1 - o.beta1) * g;
    p *= 1 - o.lr * o.weight_decay;
    p -= o.lr * (towards > 0 ? 1 : -1);
    m = o.beta2 * m + (1 - o.beta2) * g;
  }
};

}  // namespace

TEST_CASE("Lion: by its formula") {
  for (const LionOptions& options :
       {LionOptions{}, LionOptions{.lr = 0.01, .weight_decay = 1},
        LionOptions{.lr = 0.01, .beta1 = 0.5, .beta2 = 0.7}, LionOptions{.beta1 = 0, .beta2 = 0}})
    check_steps(
        20, [&](const Parameter& p) { return std::make_unique<Lion>(std::vector{p}, options); },
        Reference{options});
}

TEST_CASE("Lion: nothing moves what no gradient moves, and NaN stays NaN") {
  const Parameter p = scalar_parameter("p", 1);
  Lion lion({p}, {.lr = 0.1});
  step(lion, {{p, one(0)}});
  CHECK(p.value().item() == 1);
  step(lion, {{p, one(std::nan(""))}});
  CHECK(std::isnan(p.value().item()));
}

TEST_CASE("Lion: misuse is an Error") {
  const Parameter p = scalar_parameter("p", 1);
  CHECK(contains(error_of([&] { Lion({p}, {.beta2 = 1}); }), "Lion: beta1 0.9 and beta2 1 must"));
}
