// Saving and loading nets, and trainings that go on where they were stopped.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Net : Module {
  Linear hidden = own("hidden", Linear(4, 16));
  Linear head = own("head", Linear(16, 2));
  Var operator()(const Var& x) const { return head(relu(hidden(x))); }
};

bool equal(const State& a, const State& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].second.to_vector() != b[i].second.to_vector()) return false;
  return a.size() == b.size();
}

void a_net() {
  Net net;
  net.initialise(Rng(1));
  net.save("net.safetensors", {{"trained on", "nothing"}});  // written whole or not at all

  Net again;
  const auto metadata = again.load("net.safetensors");
  std::cout << std::boolalpha << equal(net.state(), again.state()) << ", trained on "
            << metadata.at("trained on") << '\n';

  Net in_memory;
  in_memory.load(net.state());  // a State is a list of paths and tensors
  for (const auto& [path, tensor] : net.state()) std::cout << path << ' ' << tensor.shape() << '\n';
}

// Trains to `steps`, from the checkpoint if there is one; leaves it there if it is to be stopped.
State train(std::int64_t steps, std::int64_t stop_at) {
  const Rng rng(1);
  Net net;
  net.initialise(rng.fork("net"));
  Adam adam(net.parameters(), {.lr = 1e-2});
  const TrainingCheckpoint checkpoint("net.checkpoint", {{"lr", "1e-2"}, {"seed", "1"}});
  const TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}};
  TrainingPosition at;
  if (checkpoint.load(parts, at)) std::cout << "goes on from step " << at.step << '\n';
  while (at.step < steps) {
    const Rng draw = rng.fork("data").fork(static_cast<std::uint64_t>(at.step));
    const Tape tape;
    const Var x = tape.input(Tensor::randn({8, 4}, draw));
    adam.step(tape.gradients(mean(square(net(x)))));
    if (++at.step % 10 == 0) checkpoint.save(parts, at);
    if (at.step == stop_at) return net.state();  // as a power cut would
  }
  checkpoint.remove();
  return net.state();
}

int main() {
  a_net();
  const State undisturbed = train(50, -1);
  train(50, 25);
  const State resumed = train(50, -1);
  std::cout << "the same bits: " << equal(undisturbed, resumed) << '\n';
}
