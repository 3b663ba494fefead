// Saving and loading nets, and trainings that go on where they were stopped.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Net : Module {
  Linear hidden = own("hidden", Linear(28 * 28, 16));
  Linear head = own("head", Linear(16, 10));
  Var operator()(const Var& images) const { return head(relu(hidden(flatten(images, 1)))); }
};

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

// Trains three epochs, from the checkpoint if there is one; leaves it there if it is to be stopped.
State train(std::int64_t stop_at) {
  const Rng rng(1);
  Net net;
  net.initialise(rng.fork("net"));
  Adam adam(net.parameters(), {.lr = 1e-2});
  const Batches batches(make_digits(300, rng.fork("digits")),
                        {.size = 20, .shuffle = rng.fork("shuffle")});
  const TrainingCheckpoint checkpoint("net.checkpoint", {{"lr", "1e-2"}, {"seed", "1"}});
  const TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}};
  TrainingPosition at;
  if (checkpoint.load(parts, at))
    std::cout << "goes on with batch " << at.batch << " of epoch " << at.epoch << '\n';
  for (; at.epoch < 3; ++at.epoch, at.batch = 0)
    for (const LabelledImages& batch : batches.epoch(at.epoch, at.batch)) {
      const Tape tape({.rng = rng.fork("random layers").fork(static_cast<std::uint64_t>(at.step))});
      const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
      adam.step(tape.gradients(loss));
      ++at.step;
      ++at.batch;  // the next one, also of a checkpoint that is saved now
      if (at.step % 10 == 0) checkpoint.save(parts, at);
      if (at.step == stop_at) return net.state();  // as a power cut would
    }
  checkpoint.remove();
  return net.state();
}

int main() {
  a_net();
  const State undisturbed = train(-1);
  train(25);
  const State resumed = train(-1);
  std::cout << "the same bits: " << equal(undisturbed, resumed) << '\n';
}
