// The n-th allocation fails: an exception, nothing leaked, nets and files as before.
#include <doctest/doctest.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <vector>

#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/core/memory.h>
#include <pliant/data/batches.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/faults/faults.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;
using faults::Kind;

namespace {

struct Net : Sequential {
  Net()
      : Sequential(Conv2d(1, 8, {.kernel = 3, .padding = 1}), BatchNorm2d(8), Relu(),
                   DeformConv2d(8, 8, {.kernel = 3, .stride = 2, .padding = 1}), Relu(),
                   Dropout(.2), GlobalAvgPool2d(), Linear(8, 10)) {
    initialise(Rng(1));
  }
};

// Blocks and bytes in use.
struct Use {
  long blocks;
  std::int64_t bytes;
};

Use use() { return {faults::blocks(), memory_use(Device::cpu()).current}; }

std::vector<Tensor> values(const State& state, bool statistics) {
  std::vector<Tensor> copies;
  for (const auto& [path, tensor] : state)
    if (statistics || path.find("running_") == std::string::npos) copies.push_back(tensor.clone());
  return copies;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bits(a[i], b[i])) return false;
  return true;
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Runs `f` with its first, second, ... (every `stride`-th) allocation failing, until it needs
// fewer; with `on` all that follow fail too. After a failure nothing may be leaked and `as_before`
// must hold; `restore` makes the next round begin as the first.
template <class F, class Check, class Restore>
void with_every_failure(const std::string& name, long stride, bool on, F&& f, Check&& as_before,
                        Restore&& restore) {
  f();  // what is made once
  restore();
  long failures = 0, leaks = 0, changes = 0;
  std::string first;
  for (long n = 1;; n += stride) {
    cpu::trim_memory_pool();  // so that tensors ask the system too
    const Use before = use();
    bool failed = false;
    faults::fail(Kind::memory, n, ENOMEM, on);
    try {
      f();
    } catch (const std::bad_alloc&) {
      failed = true;
    } catch (const Error&) {
      failed = true;
    }
    const bool came = faults::came(Kind::memory);
    faults::fail(Kind::memory, 0);
    cpu::trim_memory_pool();
    const Use after = use();
    failures += failed ? 1 : 0;
    if (failed) {
      const bool leaks_here = after.blocks != before.blocks || after.bytes != before.bytes;
      const bool changes_here = !as_before();
      leaks += leaks_here ? 1 : 0;
      changes += changes_here ? 1 : 0;
      if ((leaks_here || changes_here) && first.empty())
        first = "; the first is allocation " + std::to_string(n);
    }
    restore();
    if (!came) break;
  }
  MESSAGE(name << std::string(on ? ", no more memory: " : ": ") << failures << " failures, "
               << leaks << " leak, " << changes << " change what should be as before" << first);
  CHECK(failures > 0);
  CHECK(leaks == 0);
  CHECK(changes == 0);
}

State copy_of(const State& state) {
  State copy;
  for (const auto& [path, tensor] : state) copy.emplace_back(path, tensor.clone());
  return copy;
}

void training_steps(long stride) {
  const Tensor images = random({4, 8, 8, 1}, 5, 0, 1, DType::float32),
               labels = Tensor::zeros({4}, DType::int64);
  Net net;
  Adam adam(net.parameters(), {.lr = 1e-2});
  const auto step = [&] {
    Tape tape({.rng = Rng(3)});
    const Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
    adam.step(tape.gradients(loss));
  };
  step();
  const State start = copy_of(net.state()), start_adam = copy_of(adam.state());
  // The statistics of a forward that was done are those of that forward, as after an evaluation.
  const std::vector<Tensor> before = values(net.state(), false),
                            memory = values(adam.state(), true);
  for (const bool on : {false, true})
    with_every_failure(
        "training step", stride, on, step,
        [&] {
          return same(before, values(net.state(), false)) &&
                 same(memory, values(adam.state(), true));
        },
        [&] {
          net.load(start);
          adam.load(start_adam);
        });
  step();
  const std::vector<Tensor> after = values(net.state(), true);
  net.load(start);
  adam.load(start_adam);
  step();
  CHECK(same(after, values(net.state(), true)));
}

// Whether the folder holds `file`, of these bytes, and nothing else.
bool holds_alone(const TemporaryFolder& folder, const std::filesystem::path& file,
                 const std::string& bytes) {
  return std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1 &&
         bytes_of(file) == bytes;
}

void files(long stride) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  Net net, changed;
  for (const auto& parameter : changed.parameters()) Tensor(parameter.value()).fill(.25);
  changed.save(file);
  const std::string other = bytes_of(file);
  net.save(file);
  const std::string old = bytes_of(file);
  const State kept = copy_of(net.state());
  const std::vector<Tensor> before = values(kept, true);
  for (const bool on : {false, true}) {
    with_every_failure(
        "save", stride, on, [&] { changed.save(file); },
        [&] { return holds_alone(folder, file, old); }, [&] { net.save(file); });
    changed.save(file);
    with_every_failure(
        "load", stride, on, [&] { net.load(file); },
        [&] { return same(before, values(net.state(), true)) && holds_alone(folder, file, other); },
        [&] { net.load(kept); });
    net.save(file);
  }
}

void batches(long stride) {
  const LabelledImages set{Tensor::zeros({10, 4, 4, 1}, DType::uint8),
                           Tensor::zeros({10}, DType::int64)};
  with_every_failure(
      "an epoch of batches", stride, false,
      [&] {
        Batches all(set, {.size = 4, .shuffle = Rng(1)});
        for (const LabelledImages& batch : all.epoch(0)) CHECK(batch.images.defined());
      },
      [] { return true; }, [] {});
}

}  // namespace

TEST_CASE("memory faults: a training step") { training_steps(7); }
TEST_CASE("memory faults: saving and loading") { files(11); }
TEST_CASE("memory faults: batches that are made ahead") { batches(3); }

TEST_CASE("memory faults, all: a training step" * doctest::skip()) { training_steps(1); }
TEST_CASE("memory faults, all: saving and loading" * doctest::skip()) { files(1); }
TEST_CASE("memory faults, all: batches that are made ahead" * doctest::skip()) { batches(1); }
