// Trainings of any program that stop and go on, bit for bit.
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/tape.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/layers/train/training_checkpoint.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

struct Net : Module {
  Linear body = own("body", Linear(3, 4));
  BatchNorm2d norm = own("norm", BatchNorm2d(4));
  Dropout dropout = own("dropout", Dropout(0.5));
  Linear head = own("head", Linear(4, 2));
  Var operator()(const Var& x) const { return head(dropout(norm(body(x)))); }
};

// Two optimizers that share a net, an average of it and a schedule.
struct Trained {
  Net net;
  Adam adam;
  Sgd sgd;
  MovingAverage average;
  TrainingPosition at;

  explicit Trained(std::uint64_t seed)
      : adam((net.initialise(Rng(seed)), net.body.parameters())),
        sgd(net.head.parameters(), {.momentum = 0.9}),
        average(net, {.decay = 0.9, .warm_up = true}) {}

  TrainingParts parts() {
    return {.net = net, .optimizers = {{"body", adam}, {"head", sgd}}, .average = &average};
  }

  void step() {
    Tape tape({.rng = Rng(7).fork(static_cast<std::uint64_t>(at.step))});
    const Var y = net(tape.input(
        random({2, 2, 2, 3}, static_cast<std::uint64_t>(at.step), -1, 1, DType::float32)));
    const Gradients gradients = tape.gradients(sum(y * y));
    adam.set_lr(exponential_lr(at.step, {.base_lr = 0.01}));
    adam.step(gradients);
    sgd.step(gradients);
    average.update();
    ++at.step;
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
  }

  // All that a step may change.
  State everything() {
    State all;
    for (const State& part : {net.state(), adam.state(), sgd.state(), average.state()})
      for (const auto& [path, tensor] : part) all.emplace_back(path, tensor.clone());
    return all;
  }
};

bool same(const State& a, const State& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].first != b[i].first || !same_bits(a[i].second, b[i].second)) return false;
  return true;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

}  // namespace

TEST_CASE("training checkpoint: what goes on is what was never stopped, at every step") {
  const TemporaryFolder folder;
  const TrainingCheckpoint checkpoint(folder.path() / "c", {{"seed", "1"}});
  Trained calm(1);
  calm.steps(6);
  for (int stop = 0; stop <= 6; ++stop) {
    CAPTURE(stop);
    Trained first(1);
    first.steps(stop);
    checkpoint.save(first.parts(), first.at);
    Trained second(2);
    REQUIRE(checkpoint.load(second.parts(), second.at));
    CHECK(second.at.step == stop);
    CHECK(same(second.everything(), first.everything()));
    second.steps(6 - stop);
    CHECK(same(second.everything(), calm.everything()));
  }
  checkpoint.remove();
  CHECK_FALSE(fs::exists(folder.path() / "c"));
}

TEST_CASE("training checkpoint: the position comes back to the bit") {
  const TemporaryFolder folder;
  const TrainingCheckpoint checkpoint(folder.path() / "c", {});
  Trained one(1);
  one.at = {.step = 5,
            .epoch = 2,
            .batch = 1,
            .keys = {{"a", Rng(3).fork("x")}, {"b", Rng(0)}},
            .counts = {{"seen", std::numeric_limits<std::int64_t>::min()}},
            .numbers = {{"best", -std::numeric_limits<double>::infinity()},
                        {"none", std::nan("")},
                        {"third", 1.0 / 3}},
            .texts = {{"notes", "a \"line\"\nand \x01"}, {"empty", ""}}};
  checkpoint.save(one.parts(), one.at);
  TrainingPosition at;
  at.counts["left over"] = 1;
  REQUIRE(checkpoint.load(one.parts(), at));
  CHECK(at.step == 5);
  CHECK(at.epoch == 2);
  CHECK(at.batch == 1);
  REQUIRE(at.keys.size() == 2);
  for (const auto& [name, rng] : one.at.keys) CHECK(at.keys[name].key() == rng.key());
  CHECK(at.counts == one.at.counts);
  CHECK(at.numbers["best"] == one.at.numbers["best"]);
  CHECK(at.numbers["third"] == 1.0 / 3);
  CHECK(std::isnan(at.numbers["none"]));
  CHECK(at.texts == one.at.texts);
}

TEST_CASE("training checkpoint: without a file there is nothing to load") {
  const TemporaryFolder folder;
  Trained one(1);
  const State before = one.everything();
  one.at.step = 3;
  CHECK_FALSE(TrainingCheckpoint(folder.path() / "c", {}).load(one.parts(), one.at));
  CHECK(one.at.step == 3);
  CHECK(same(one.everything(), before));
}

TEST_CASE("training checkpoint: what is refused says why and changes nothing") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "c";
  const TrainingCheckpoint checkpoint(file, {{"lr", "0.1"}, {"seed", "1"}});
  Trained one(1), two(2);
  one.steps(2);
  checkpoint.save(one.parts(), one.at);
  const std::string whole = bytes_of(file);
  two.steps(1);
  const State before = two.everything();
  const auto refusal = [&](const TrainingCheckpoint& which, const TrainingParts& parts) {
    const std::string text = error_of([&] { which.load(parts, two.at); });
    CHECK(two.at.step == 1);
    CHECK(same(two.everything(), before));
    CHECK(text.starts_with("checkpoint " + file.string() + " cannot be used ("));
    CHECK(text.ends_with("); delete it to start this training over"));
    return text;
  };
  const auto write = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  };

  SUBCASE("another recipe") {
    const auto of = [&](const TrainingRecipe& recipe) {
      return refusal(TrainingCheckpoint(file, recipe), two.parts());
    };
    CHECK(contains(of({{"lr", "0.1"}, {"seed", "2"}}),
                   "it belongs to another training: seed is 1 there and 2 here"));
    CHECK(contains(of({{"lr", "0.1"}}), "seed is 1 there and not given here"));
    CHECK(contains(of({{"lr", "0.1"}, {"seed", "1"}, {"x", "3"}}),
                   "x is not given there and 3 here"));
  }
  SUBCASE("damage") {
    for (const std::size_t at : {whole.size() - 1, whole.size() / 2}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      write(damaged);
      CHECK(contains(refusal(checkpoint, two.parts()), "its checksum is wrong"));
    }
    for (const std::size_t length : {std::size_t{0}, std::size_t{5}, whole.size() - 4}) {
      write(whole.substr(0, length));
      refusal(checkpoint, two.parts());
    }
    for (std::size_t at = 8; at < 400; at += 3) {  // the header: names, types, metadata
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 4);
      write(damaged);
      refusal(checkpoint, two.parts());
    }
  }
  SUBCASE("other parts") {
    CHECK(contains(refusal(checkpoint, {.net = two.net, .optimizers = {{"body", two.adam}}}),
                   "which this training does not have"));
    CHECK(contains(refusal(checkpoint,
                           {.net = two.net, .optimizers = {{"body", two.adam}, {"head", two.sgd}}}),
                   "it has average/"));
    // The last to be loaded refuses what suits all before.
    Sgd plain(two.net.head.parameters());
    CHECK(contains(refusal(checkpoint, {.net = two.net,
                                        .optimizers = {{"body", two.adam}, {"head", plain}},
                                        .average = &two.average}),
                   "Sgd: "));
    Trained wide(3);
    wide.net.to(DType::float64);
    const std::string text = error_of([&] { checkpoint.load({.net = wide.net}, two.at); });
    CHECK(contains(text, "body.weight is float32 there and float64 here"));
  }
  SUBCASE("no checkpoint, or one of another version") {
    two.net.save(file);
    CHECK(contains(refusal(checkpoint, two.parts()),
                   "its format is not given, expected 'pliant training 1'"));
    SafetensorsFile other{two.net.state(), {{"format", "pliant training 0"}}};
    write_safetensors(file, other);
    CHECK(contains(refusal(checkpoint, two.parts()),
                   "its format is 'pliant training 0', expected 'pliant training 1'"));
    write("not a file of tensors");
    refusal(checkpoint, two.parts());
  }
  SUBCASE("the program's own check") {
    const std::string text = error_of([&] {
      checkpoint.load(two.parts(), two.at, [](const TrainingPosition& at) {
        require(at.step == 9, "it stands at step ", at.step);
      });
    });
    CHECK(contains(text, "(it stands at step 2)"));
    CHECK(same(two.everything(), before));
  }
}

TEST_CASE("training checkpoint: what cannot be saved is an Error, and the old file stays") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "c";
  const TrainingCheckpoint checkpoint(file, {});
  Trained one(1);
  checkpoint.save(one.parts(), one.at);
  const std::string before = bytes_of(file);
  CHECK(contains(error_of([&] {
                   checkpoint.save({.net = one.net, .optimizers = {{"a/b", one.adam}}}, one.at);
                 }),
                 "an optimizer is named 'a/b'"));
  CHECK(contains(
      error_of([&] {
        checkpoint.save({.net = one.net, .optimizers = {{"a", one.adam}, {"a", one.sgd}}}, one.at);
      }),
      "an optimizer is named 'a'"));
  {
    const AveragedWeights averaged(one.average);
    CHECK(contains(error_of([&] { checkpoint.save(one.parts(), one.at); }), "swap() back first"));
  }
  one.at.texts["notes"] = "\xFF";
  CHECK(contains(error_of([&] { checkpoint.save(one.parts(), one.at); }), "UTF-8"));
  CHECK(bytes_of(file) == before);
  CHECK(contains(
      error_of([&] { TrainingCheckpoint(folder.path() / "none" / "c", {}).save(one.parts(), {}); }),
      "none"));
}

TEST_CASE("training checkpoint: a pipe in its place is refused, not waited for") {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "net.checkpoint";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  Linear net(2, 2);
  net.initialise(Rng(1));
  TrainingPosition at;
  CHECK(contains(error_of([&] { TrainingCheckpoint(pipe, {}).load({.net = net}, at); }),
                 "it is no regular file"));
  CHECK(contains(error_of([&] { require_training_checkpoint(pipe); }), "it is no regular file"));
}

TEST_CASE("training checkpoint: recipes that print alike are told apart") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "net.checkpoint";
  Linear net(2, 2);
  net.initialise(Rng(1));
  TrainingPosition at;
  TrainingCheckpoint(file, {{"data", "/d/\xfe"}}).save({.net = net}, at);
  CHECK(TrainingCheckpoint(file, {{"data", "/d/\xfe"}}).load({.net = net}, at));
  for (const char* other : {"/d/\xff", "/d/\\xfe", "/d/?"})
    CHECK(contains(error_of([&] {
                     TrainingCheckpoint(file, {{"data", other}}).load({.net = net}, at);
                   }),
                   "it belongs to another training"));
}
