// Runs that are stopped: by exceptions, by signals, by kill -9, at any moment.
#include <cmath>
#include <csignal>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/mnist/experiment.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

// Whether two nets' files hold the same bits; what they say of times may differ.
bool same_net(const fs::path& a, const fs::path& b) {
  const SafetensorsFile first = read_safetensors(a), second = read_safetensors(b);
  if (first.tensors.size() != second.tensors.size()) return false;
  for (std::size_t i = 0; i < first.tensors.size(); ++i) {
    if (first.tensors[i].first != second.tensors[i].first ||
        !same_bits(first.tensors[i].second, second.tensors[i].second))
      return false;
  }
  return true;
}

// Everything but times.
nlohmann::ordered_json without_times(const Results& results) {
  nlohmann::ordered_json json = json_of(results);
  for (auto& row : json["table"])
    for (const char* key : {"seconds", "wait_seconds", "images_per_second"}) row.erase(key);
  return json;
}

// One start of pliant-mnist, ended by `signal` after so many milliseconds unless it ends before.
Ended run_program(const fs::path& data, const fs::path& folder, int signal, int milliseconds) {
  return run_mnist({"--data", data, "--rows", "none,bn,offsets", "--epochs", "2",
                    "--finetune-epochs", "2", "--batch", "32", "--threads", "1", "--checkpoint",
                    folder, "--resume", "--checkpoint-seconds", "0"},
                   signal, milliseconds);
}

// What a stop left under a final name is whole.
void check_whole(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".safetensors")
      CHECK(error_of([&] { read_safetensors(entry.path()); }).empty());
    if (entry.path().filename() == "results.json")
      CHECK(error_of([&] { read_results(entry.path()); }).empty());
  }
}

// Stops and restarts the program at random moments until it ends by itself; then it must have made
// the same nets and results as an undisturbed run. Returns how often it was stopped.
int check_survives(int signal, std::uint64_t seed) {
  const TemporaryFolder data, runs;
  write_digits(data, few_digits(160, 40));
  const fs::path calm = runs.path() / "calm", rough = runs.path() / "rough";
  REQUIRE(run_program(data.path(), calm, 0, 0).status == 0);
  int stops = 0;
  for (std::uint64_t i = 0;; ++i) {
    REQUIRE(i < 400);
    // At first short, then longer and longer lives, so that it ends on any machine.
    const double longest = 40 * std::pow(1.08, static_cast<double>(i));
    const int life = static_cast<int>(Rng(seed).uniform(i, 1, longest));
    if (run_program(data.path(), rough, signal, life).status == 0) break;
    check_whole(rough);
    ++stops;
  }
  MESSAGE(stops << " stops");
  CHECK(stops >= 3);
  CHECK(without_times(read_results(calm / "results.json")) ==
        without_times(read_results(rough / "results.json")));
  int nets = 0;
  for (const auto& entry : fs::directory_iterator(calm)) {
    const fs::path name = entry.path().filename();
    CHECK_MESSAGE(fs::exists(rough / name), name.string());
    if (name.extension() != ".safetensors") continue;
    CHECK_MESSAGE(same_net(calm / name, rough / name), name.string());
    ++nets;
  }
  CHECK(nets == 3);
  for (const auto& entry : fs::directory_iterator(rough))
    CHECK_MESSAGE(fs::exists(calm / entry.path().filename()), entry.path().string());
  return stops;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

struct Trained {
  DigitNet net;
  Adam adam;
  TrainingState state;
  TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}};
  explicit Trained(std::uint64_t seed) : adam((net.initialise(Rng(seed)), net.parameters())) {}
};

}  // namespace

TEST_CASE("resume: kill -9 at random moments changes no bit") { check_survives(SIGKILL, 1); }

TEST_CASE("resume: SIGTERM and Ctrl-C at random moments change no bit") {
  check_survives(SIGTERM, 2);
  check_survives(SIGINT, 3);
}

TEST_CASE("resume, all: two hundred stops change no bit" * doctest::skip()) {
  int stops = 0;
  for (std::uint64_t seed = 4; stops < 200; ++seed)
    for (const int signal : {SIGKILL, SIGTERM, SIGINT}) stops += check_survives(signal, seed);
  MESSAGE("in all: " << stops << " stops by SIGKILL, SIGTERM and SIGINT");
}

TEST_CASE("resume: an asked stop keeps the step that was done") {
  const TemporaryFolder folder;
  const DigitSet digits = few_digits(160, 40);
  DigitNet net;
  net.initialise(Rng(1));
  TrainingPlan plan{.epochs = 1, .batch = 32};
  Checkpoint checkpoint(folder.path() / "c", {{"a", "1"}}, 1e9);
  Progress progress(1);
  int status = 0;
  {
    const StopOnSignal stop;
    ::raise(SIGTERM);
    try {
      train(net, digits.train, plan, 1, progress, &checkpoint);
    } catch (const Interrupted& interrupted) {
      status = interrupted.signal();
    }
  }
  CHECK(status == SIGTERM);
  Trained other(2);
  REQUIRE(checkpoint.load(other.parts, other.state));
  CHECK(other.state.step == 1);
  CHECK(other.state.training.images_seen == 32);
}

TEST_CASE("checkpoint: what suits the net and not the optimizer changes neither") {
  const TemporaryFolder folder;
  Trained one(1);
  {
    Tape tape;
    one.adam.step(tape.gradients(sum(one.net(tape.input(Tensor::zeros({2, 28, 28, 1}))))));
  }
  Checkpoint checkpoint(folder.path() / "c", {{"seed", "1"}}, 60);
  checkpoint.save(one.parts, one.state);
  DigitNet net;
  net.initialise(Rng(2));
  const Tensor before = net.state().front().second.clone();
  Sgd sgd(net.parameters());
  CHECK(contains(error_of([&] {
                   checkpoint.load({.net = net, .optimizers = {{"adam", sgd}}}, one.state);
                 }),
                 "Sgd: "));
  CHECK(max_difference(net.state().front().second, before) == 0);
}

TEST_CASE("checkpoint: a damaged or foreign one is refused and changes nothing") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "c.checkpoint";
  Trained one(1);
  one.state.step = 7;
  one.state.steps = 7;
  Checkpoint checkpoint(file, {{"seed", "1"}}, 60);
  CHECK_FALSE(checkpoint.load(one.parts, one.state));
  checkpoint.save(one.parts, one.state);

  Trained two(2);
  State before = two.net.state();
  for (auto& [path, tensor] : before) tensor = tensor.clone();
  const auto refusal = [&](Checkpoint& which) {
    std::string text = error_of([&] { which.load(two.parts, two.state); });
    CHECK(two.state.step == 0);
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK(max_difference(before[i].second, two.net.state()[i].second) == 0);
    return text;
  };
  Checkpoint foreign(file, {{"seed", "2"}}, 60);
  CHECK(contains(refusal(foreign), "it belongs to another training: seed is 1 there and 2 here"));

  std::ifstream in(file, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto write = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  };
  for (const std::size_t at : {whole.size() - 1, whole.size() / 2}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write(damaged);
    CHECK(contains(refusal(checkpoint), "its checksum is wrong"));
  }
  std::string other = whole;
  other.replace(other.find("\\\"steps\\\":7"), 11, "\\\"steps\\\":8");
  write(other);
  CHECK(contains(refusal(checkpoint), "its checksum is wrong"));
  for (const std::size_t length : {std::size_t{0}, std::size_t{5}, whole.size() - 4}) {
    write(whole.substr(0, length));
    CHECK(contains(refusal(checkpoint), "delete it to start this training over"));
  }
  write(whole);
  CHECK(checkpoint.load(two.parts, two.state));
  CHECK(two.state.step == 7);
}

TEST_CASE("checkpoint: a folder is gone on with only if asked, and only by the same options") {
  const TemporaryFolder folder;
  ExperimentOptions options;
  options.epochs = options.finetune_epochs = 1;
  options.rows = rows_from("none,bn", {Deform::dcn2});
  options.ledger = {.folder = folder.path() / "run", .checkpoints = true};
  const DigitSet digits = few_digits(160, 40);
  const Results first = run_experiment(digits, options);
  CHECK(contains(error_of([&] { run_experiment(digits, options); }), "add --resume"));
  options.ledger.resume = true;
  int earlier = 0;
  const ExperimentEvents count{.row = [&](const RowResult&, bool was) { earlier += was ? 1 : 0; }};
  CHECK(json_of(run_experiment(digits, options, count)) == json_of(first));
  CHECK(earlier == 2);

  // More draws: measured again, not trained again.
  options.test_draws = 2;
  const Results more = run_experiment(digits, options);
  CHECK(more.find("bn", 1)->scaled == first.find("bn", 1)->scaled);
  CHECK(more.find("bn", 1)->seconds == first.find("bn", 1)->seconds);
  CHECK(more.find("bn", 1)->scaled_draws.size() == 2);

  options.batch = 32;
  CHECK(contains(error_of([&] { run_experiment(digits, options); }),
                 "was begun with other options: batch is 64 there and 32 here"));
}

TEST_CASE("checkpoint: a recipe may hold names that are not UTF-8") {
  const TemporaryFolder folder;
  Trained one(1);
  Checkpoint checkpoint(folder.path() / "c", {{"start", "a\xFF.safetensors"}}, 60);
  checkpoint.save(one.parts, one.state);
  CHECK(checkpoint.load(one.parts, one.state));
}

TEST_CASE("experiment: a net that was trained otherwise is not overwritten") {
  const TemporaryFolder folder;
  ExperimentOptions options;
  options.epochs = options.finetune_epochs = 1;
  options.rows = rows_from("none,bn", {Deform::dcn2});
  options.ledger.folder = folder.path();
  const DigitSet digits = few_digits(160, 40);
  const auto refusal = [&] { return error_of([&] { run_experiment(digits, options); }); };
  const fs::path file = folder.path() / "regular-none-seed1.safetensors";
  CHECK(refusal() == "");
  const fs::path first = folder.path() / "first";
  fs::copy_file(file, first);
  CHECK(refusal() == "");  // the same options again
  CHECK(same_net(file, first));

  const std::string before = bytes_of(file);
  options.lr = 1e-4;
  CHECK(refusal() == file.string() +
                         " cannot be used (it was trained otherwise: lr is 0.003 there and 0.0001 "
                         "here); move it away to train that net anew");
  CHECK(bytes_of(file) == before);
  std::ofstream(file) << "a file of somebody else";
  CHECK(contains(refusal(), "cannot be used (safetensors: "));
  CHECK(bytes_of(file) == "a file of somebody else");
  fs::remove(file);
  CHECK(contains(refusal(), "regular-bn-seed1.safetensors cannot be used"));
}

TEST_CASE("resume: a single net's training, by train and by --net, on the same data alone") {
  const TemporaryFolder data, nets;
  DigitSet digits = few_digits(160, 20);
  write_digits(data, digits);
  const auto run = [&](const std::vector<std::string>& start, const fs::path& of,
                       const std::vector<std::string>& more, int life = 0) {
    std::vector<std::string> words = start;
    words.insert(words.end(), {"--net", "lenet5", "--data", of, "--epochs", "20", "--batch", "8",
                               "--threads", "1"});
    words.insert(words.end(), more.begin(), more.end());
    return run_mnist(words, life > 0 ? SIGTERM : 0, life);
  };
  const fs::path rough = nets.path() / "lenet5.safetensors", calm = nets.path() / "calm";
  const std::string left = rough.string() + ".checkpoint";
  REQUIRE(run({"train"}, data.path(), {"--out", calm}).status == 0);

  // Interrupted until it has a checkpoint, by the one command, and finished by the other.
  for (int life = 20; !fs::exists(left); life += life / 4)
    REQUIRE(run({}, data.path(), {"--save", nets.path()}, life).status != 0);
  const Ended again = run({"train"}, data.path(), {"--out", rough});
  CHECK(again.status == 1);
  CHECK(contains(again.err, left + ": holds an interrupted training; add --resume to go on with "
                                   "it, or delete it"));
  const TemporaryFolder other_images, other_labels;
  digits.train.images.mutable_data<std::uint8_t>()[5] ^= 1;
  write_digits(other_images, digits);
  digits.train.images.mutable_data<std::uint8_t>()[5] ^= 1;
  digits.train.labels.mutable_data<std::int64_t>()[5] ^= 1;
  write_digits(other_labels, digits);
  const std::vector<std::string> resumed = {"--out", rough, "--resume"};
  CHECK(
      contains(run({"train"}, other_images.path(), resumed).err, "another training: images_crc32"));
  CHECK(
      contains(run({"train"}, other_labels.path(), resumed).err, "another training: labels_crc32"));
  CHECK(run({}, data.path(), {"--save", nets.path(), "--resume"}).status == 0);
  CHECK(same_net(rough, calm));
  CHECK_FALSE(fs::exists(left));
}
