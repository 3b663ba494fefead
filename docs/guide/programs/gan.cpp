// A generative adversarial net (Goodfellow et al. 2014) that learns a ring of points.
#include <pliant/pliant.h>

#include <iostream>
#include <numbers>
using namespace pliant;

Sequential mlp(std::int64_t in, std::int64_t out) {
  return Sequential(Linear(in, 64), LeakyRelu(0.2), Linear(64, 64), LeakyRelu(0.2),
                    Linear(64, out));
}

// Points [N 2] at distance 1 from the origin, a little off.
Tensor ring(std::int64_t count, const Rng& rng) {
  const Var angle = Tensor::rand({count, 1}, rng.fork("angle"));
  const Var turn = angle * (2 * std::numbers::pi);
  const Var noise = Tensor::randn({count, 2}, rng.fork("noise"));
  return (concat({cos(turn), sin(turn)}, 1) + noise * 0.05).value();
}

int main() {
  const Rng rng(1);
  Sequential generator = mlp(8, 2), critic = mlp(2, 1);
  generator.initialise(rng.fork("generator"));
  critic.initialise(rng.fork("critic"));
  std::cerr << generator.parameter_count() + critic.parameter_count() << " parameters\n";
  Adam makes(generator.parameters(), {.lr = 1e-3, .beta1 = 0.5}),
      judges(critic.parameters(), {.lr = 1e-3, .beta1 = 0.5});
  const std::int64_t n = 128;
  const Tensor real = Tensor::full({n, 1}, 1), made_up = Tensor::zeros({n, 1});
  for (std::uint64_t step = 0; step < 1500; ++step) {
    const Rng key = rng.fork("step").fork(step);
    {  // The critic's step: what was made is a constant to it, for it was made off its tape.
      const Tensor fake = generator(Tensor::randn({n, 8}, key.fork("code"))).value();
      const Tape tape;
      const Var loss = binary_cross_entropy_with_logits(critic(tape.input(ring(n, key))), real) +
                       binary_cross_entropy_with_logits(critic(tape.input(fake)), made_up);
      judges.step(tape.gradients(loss));
    }
    // The generator's, through the critic, whose own gradients nobody takes.
    const Tape tape;
    const Var fake = generator(tape.input(Tensor::randn({n, 8}, key.fork("again"))));
    const Var loss = binary_cross_entropy_with_logits(critic(fake), real);
    makes.step(tape.gradients(loss));
    if (step % 10 == 0) std::cerr << "step " << step << ": loss " << loss.item() << '\n';
  }
  const Var points = generator(Tensor::randn({1000, 8}, rng.fork("test")));
  const Var distance = sqrt(sum(square(points), {1}));
  std::cout << std::boolalpha
            << "mean distance within 0.1 of 1: " << (std::abs(mean(distance).item() - 1) < 0.1)
            << '\n';
}
