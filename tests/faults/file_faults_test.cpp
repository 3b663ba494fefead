// The n-th write, flush, rename or new file fails: an Error, and the file that was there stays. And
// threads that cannot be made.
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/batches.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/faults/faults.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;
using faults::Kind;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

struct Net : Sequential {
  explicit Net(std::uint64_t seed)
      : Sequential(Conv2d(1, 8, {.kernel = 3}), BatchNorm2d(8), Linear(8, 10)) {
    initialise(Rng(seed));
  }
};

// Saves with the first, second, ... call of `kind` failing until no call is left; returns how many
// failed.
long save_with_every_failure(const fs::path& file, Kind kind, int error, bool on) {
  const Net old(1), next(2);
  for (long n = 1;; ++n) {
    old.save(file);
    const std::string before = bytes_of(file);
    faults::fail(kind, n, error, on);
    const std::string text = error_of([&] { next.save(file); });
    const bool came = faults::came(kind);
    faults::fail(kind, 0);
    if (!came) {
      CHECK(text.empty());
      CHECK(bytes_of(file) != before);
      return n - 1;
    }
    CAPTURE(n);
    // What follows the rename may fail: the file is there, whole.
    if (text.empty()) {
      CHECK(error_of([&] { Net(3).load(file); }).empty());
    } else {
      CHECK(contains(text, file.string()));
      CHECK(contains(text, std::strerror(error)));
      CHECK(bytes_of(file) == before);
    }
    CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);
  }
}

}  // namespace

TEST_CASE("file faults: a net that cannot be saved leaves the one before") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "net.safetensors";
  long failures = 0;
  for (const bool on : {false, true})
    for (const int error : {ENOSPC, EIO, EDQUOT})
      failures += save_with_every_failure(file, Kind::write, error, on) +
                  save_with_every_failure(file, Kind::sync, error, on) +
                  save_with_every_failure(file, Kind::rename, error, on);
  for (const int error : {EROFS, EMFILE, ENFILE, EACCES, ENOSPC})
    failures += save_with_every_failure(file, Kind::open, error, true);
  MESSAGE("writes, flushes, renames and new files: " << failures << " failures");
  CHECK(failures >= 6 * 3 + 5);
}

TEST_CASE("thread faults: a pool that cannot grow says so and goes on as it was") {
  const int before = thread_count();
  for (const int from : {1, 2, 4})
    for (long n = 1; n <= 5; ++n) {
      set_thread_count(from);
      faults::fail(Kind::thread, n, 0, true);
      const std::string text = error_of([&] { set_thread_count(from + 5); });
      faults::fail(Kind::thread, 0);
      CHECK(contains(text, "threads: of " + std::to_string(from + 5) +
                               " that were asked for only " + std::to_string(from + n - 1)));
      CHECK(thread_count() == from);
      std::vector<std::atomic<int>> calls(100);
      parallel_for(100, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
      for (const auto& count : calls) CHECK(count == 1);
    }
  set_thread_count(before);
}

TEST_CASE("thread faults: an epoch without a thread of its own gives the same batches") {
  const LabelledImages set{random({10, 4, 4, 1}, 1, 0, 1, DType::float32),
                           Tensor::zeros({10}, DType::int64)};
  const Batches batches(set, {.size = 4, .shuffle = Rng(1)});
  std::vector<Tensor> with, without;
  for (const LabelledImages& batch : batches.epoch(0)) with.push_back(batch.images);
  faults::fail(Kind::thread, 1, 0, true);
  for (const LabelledImages& batch : batches.epoch(0)) without.push_back(batch.images);
  CHECK(faults::came(Kind::thread));
  faults::fail(Kind::thread, 0);
  REQUIRE(with.size() == without.size());
  for (std::size_t i = 0; i < with.size(); ++i) CHECK(same_bits(with[i], without[i]));
}
