// pliant-mnist under limits of memory, open files, sizes of files and processes: one clear line, no
// crash, no hang, and the net that was there stays.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <pliant/layers/safetensors.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

// A short training under a limit, as the shell sets it.
class Limited {
 public:
  Limited() {
    write_digits(folder_, few_digits(64, 16));
    fs::permissions(folder_.path(), fs::perms::all);
    REQUIRE(run("true") == 0);
    good_ = text_of(out());
  }

  // How often the limits refused what was asked for.
  int refused() const { return refused_; }

  // Returns what the program said.
  std::string check(const std::string& limit, const std::string& as = "") {
    CAPTURE(limit);
    const int status = run(limit, as);
    std::string error = text_of(errors());
    CAPTURE(error);
    CHECK(status != kHung);
    CHECK(status < 128);  // no signal
    CHECK_FALSE(contains(error, "Sanitizer"));
    if (status == 0) return error;
    ++refused_;
    // The last line says why; before it there may be progress.
    CHECK(error.ends_with('\n'));
    const std::size_t last = error.rfind('\n', error.size() - 2) + 1;
    CHECK(error[last] != '[');
    CHECK(text_of(out()) == good_);  // the same options make the same net
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      CHECK_FALSE(contains(entry.path().filename().string(), ".tmp"));
    return error;
  }

 private:
  fs::path out() const { return folder_.path() / "net.safetensors"; }
  fs::path errors() const { return folder_.path() / "errors"; }

  int run(const std::string& limit, const std::string& as = "") const {
    const std::string words =
        " train --net lenet5 --epochs 1 --batch 32 --threads 2 --seed 1 --data '" +
        folder_.path().string() + "' --out '" + out().string() + "'";
    const std::string command = "{ " + limit + " && exec " + as + " '" +
                                std::string(PLIANT_MNIST_PROGRAM) + "'" + words +
                                "; } >/dev/null 2>'" + errors().string() + "'";
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    return wait_for(child, 120);
  }

  TemporaryFolder folder_;
  std::string good_;
  int refused_ = 0;
};

void check_limits(int step) {
  Limited training;
  if (!kSanitized)  // whose shadow is larger than any limit
    for (int megabytes = 20; megabytes <= 300; megabytes += 14 * step)
      training.check("ulimit -v " + std::to_string(megabytes * 1024));
  const int after_memory = training.refused();
  for (int files = 3; files <= 12; files += step)
    training.check("ulimit -n " + std::to_string(files));
  const int after_files = training.refused();
  for (int blocks = 10; blocks <= 610; blocks += 60 * step)  // fewer hold no message
    training.check("ulimit -f " + std::to_string(blocks));
  MESSAGE("limits that were refused with a word: "
          << after_memory << " of memory, " << after_files - after_memory << " of open files, "
          << training.refused() - after_files << " of the size of files");
  CHECK(training.refused() > 0);
  if (::geteuid() != 0) return;  // who alone can become a user without processes
  // Who looks for leaks starts a process for it.
  const std::string error =
      training.check("export ASAN_OPTIONS=detect_leaks=0",
                     "prlimit --nproc=1 setpriv --reuid=65534 --regid=65534 --clear-groups");
  CAPTURE(error);
  if (contains(error, "ermission denied")) return;  // the program lies where only root may look
  CHECK(contains(error, "threads: of 2 that were asked for only 1 could be started"));
}

}  // namespace

TEST_CASE("program faults: limits") { check_limits(5); }
TEST_CASE("program faults, all: limits" * doctest::skip()) { check_limits(1); }
