// A GRU (Cho et al. 2014) that reads two marked numbers from a sequence and adds them.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Adder : Module {
  GRU gru = own("gru", GRU(2, 32));
  Linear head = own("head", Linear(32, 1));

  Var operator()(const Var& x) const {  // [N T 2]: numbers and marks -> [N]
    const GRUResult read = gru(x);
    return reshape(head(slice_axis(read.hidden, 0, 0, 1)), {x.dim(0)});
  }
};

struct Sums {
  Tensor x, sum;  // [N T 2], [N]
};

Sums draw(std::int64_t count, std::int64_t steps, const Rng& rng) {
  const Tensor numbers = Tensor::rand({count, steps}, rng.fork("numbers"));
  Tensor marks = Tensor::zeros({count, steps});
  for (std::int64_t i = 0; i < count; ++i) {  // one in each half
    const auto at = [&](std::uint64_t which) {
      const auto half = static_cast<std::uint64_t>(steps / 2);
      return rng.fork("marks").fork(static_cast<std::uint64_t>(i)).below(which, half) +
             which * half;
    };
    for (const std::uint64_t which : {0U, 1U})
      marks.mutable_span<float>()[static_cast<std::size_t>(i * steps) + at(which)] = 1;
  }
  return {stack({numbers, marks}, -1).value(), sum(Var(numbers) * marks, {1}).value()};
}

int main() {
  const Rng rng(1);
  Adder net;
  net.initialise(rng.fork("net"));
  std::cerr << net.parameter_count() << " parameters\n";
  Adam adam(net.parameters(), {.lr = 1e-2});
  for (std::int64_t step = 0; step < 300; ++step) {
    const Sums batch = draw(64, 8, rng.fork("train").fork(static_cast<std::uint64_t>(step)));
    const Tape tape;
    const Var loss = mse_loss(net(tape.input(batch.x)), batch.sum);
    Gradients gradients = tape.gradients(loss);
    gradients.clip(1.0);
    adam.step(gradients);
    if (step % 10 == 0) std::cerr << "step " << step << ": loss " << loss.item() << '\n';
  }
  const Sums test = draw(500, 8, rng.fork("test"));
  std::cout << std::boolalpha << "mean squared error below 0.02 (0.17 by chance): "
            << (mse_loss(net(test.x), test.sum).item() < 0.02) << '\n';
}
