// A whole process that trains: reads MNIST from a folder, takes some steps with the regular digit
// net at batch 64 and prints one line of JSON: when the first step was done, on the clock that
// compare.py started by (seconds of CLOCK_MONOTONIC), the process's peak memory in kB, the loss.
// training_run.py is the same there.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/mnist/nets.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/core/program.h>
#include <pliant/data/batches.h>
#include <pliant/data/mnist.h>
#include <pliant/layers/train/optimizer.h>

namespace {

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;

// As Linux counts it; 0 elsewhere.
long peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  return 0;
}

void train(const std::string& folder, int steps) {
  const DigitSet digits = read_digit_directory(folder);
  DigitNet net;
  net.initialise(Rng(1).fork("net"));
  Adam adam(net.parameters(), {.lr = 1e-3});
  const Batches batches(digits.train, {.size = 64, .shuffle = Rng(1).fork("shuffle")});
  double first = 0, loss_value = 0;
  int step = 0;
  for (const LabelledImages& batch : batches.epoch(0)) {
    const Tape tape;
    const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
    adam.step(tape.gradients(loss));
    if (step == 0)
      first = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
                  .count();
    loss_value = loss.value().item();
    if (++step == steps) break;
  }
  std::printf("{\"first_step\": %.6f, \"peak_kb\": %ld, \"loss\": %.4f}\n", first, peak_memory(),
              loss_value);
}

}  // namespace

int main(int count, char** arguments) {
  return pliant::run_program("training_run", [&] {
    const auto steps = count == 3 ? pliant::kit::number_in<int>(arguments[2]) : std::nullopt;
    pliant::require(steps.has_value(), "expected MNIST_FOLDER STEPS");
    train(arguments[1], *steps);
    return 0;
  });
}
