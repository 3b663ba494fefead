// Ranks of a group that train together, with something going wrong in one of them: for
// tests/ranks_test.cpp, which starts this by mpirun.
//
//   pliant-ranks STEPS CHECKPOINT [fast|FAULT RANK STEP]
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include <pliant/core/crc32.h>
#include <pliant/pliant.h>

using namespace pliant;

namespace {

struct Net : Module {
  Conv2d stem;
  BatchNorm2d norm;
  Dropout drop = own("drop", Dropout(0.2));
  Linear head;

  explicit Net(std::int64_t channels)
      : stem(own("stem", Conv2d(1, channels, {.padding = 1, .bias = Bias::no}))),
        norm(own("norm", BatchNorm2d(channels))),
        head(own("head", Linear(channels, 10))) {}

  Var operator()(const Var& x) const {
    return head(global_avg_pool2d(drop(relu(norm(stem(max_pool2d(x)))))));
  }
};

struct Fault {
  std::string kind;
  int rank = -1;
  std::int64_t step = -1;

  bool is(const char* what, const Group& group) const {
    return kind == what && rank == group.rank();
  }
  // What is to happen in the middle of a step.
  void strike(const Group& group, std::int64_t at) const {
    if (rank != group.rank() || step != at) return;
    if (kind == "throw") fail("the disk is on fire");
    if (kind == "kill") std::raise(SIGKILL);
    if (kind == "stop") std::raise(SIGSTOP);
    if (kind == "exit") std::_Exit(3);
    if (kind == "nan") fail("training: the loss is nan at step ", at);
  }
};

std::uint32_t crc_of(const Module& net) {
  std::uint32_t crc = 0;
  for (const auto& [path, tensor] : net.state())
    crc = crc32_of(tensor.raw(), static_cast<std::size_t>(tensor.bytes()), crc);
  return crc;
}

void train(const Group& group, std::int64_t steps, const std::filesystem::path& file, bool fast,
           const Fault& fault) {
  // Fast: a piece for each rank, and at the end of an epoch of three steps for one rank alone.
  const std::int64_t pieces = fast ? group.size() : 12;
  const std::int64_t images = fast ? 8 * pieces + 4 : fault.is("data", group) ? 200 : 240;
  const LabelledImages set = make_digits(images, Rng(1));
  group.require_same("the data", text_from(set.images.shape()));
  Net net(fault.is("net", group) ? 9 : 8);
  net.initialise(Rng(2));
  Adam adam(net.parameters(), {.lr = 3e-3});
  const TrainingCheckpoint checkpoint(file, {{"lr", "3e-3"}});
  const TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}};
  TrainingPosition at;
  checkpoint.load(parts, at);  // every rank reads what rank 0 wrote
  group.require_same("the checkpoint's step", text_from(at.step));
  group.broadcast(net);

  DataParallel parallel(group, net, {.sums = fast ? GradientSums::fast : GradientSums::strict});
  const Batches batches(
      set, parallel.share(BatchOptions{.size = 4, .shuffle = Rng(3), .parts = pieces}));
  while (at.step < steps) {
    const std::int64_t per_epoch = batches.steps_per_epoch();
    for (const auto& step : batches.steps(at.step / per_epoch, at.step % per_epoch)) {
      const TapeOptions tape{.rng = Rng(4).fork(static_cast<std::uint64_t>(at.step))};
      adam.step(parallel.gradients(
          step.share, step.batches, tape, [&](const Tape& on, const LabelledImages& part) {
            fault.strike(group, at.step);
            return softmax_cross_entropy(net(on.input(part.images)), part.labels);
          }));
      if (++at.step % 3 == 0 && group.leads()) checkpoint.save(parts, at);
      if (at.step == steps) break;
    }
  }
  group.require_same("the trained net", text_from(crc_of(net)));
  if (group.leads()) std::cout << "crc " << crc_of(net) << " loss " << parallel.loss() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  return Group::run([&](const Group& group) {
    const bool fast = argc == 4 && std::string(argv[3]) == "fast";
    Fault fault;
    if (argc == 6) fault = {argv[3], std::atoi(argv[4]), std::atoi(argv[5])};
    train(group, std::atoi(argv[1]), argv[2], fast, fault);
  });
}
