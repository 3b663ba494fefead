// The programs on a full disk, with streams closed, on a terminal, under limits and signals.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/progress.h>
#include <pliant/apps/mnist/results.h>
#include <pliant/core/file_lock.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

// A training of a moment in a folder of its own; $train is its command line, $base its beginning.
struct Workshop {
  TemporaryFolder folder;
  fs::path data = folder.path() / "data", net = folder.path() / "net";
  Workshop() {
    const TemporaryFolder made;
    write_digits(made, few_digits(40, 10));
    fs::copy(made.path(), data);
  }
  Ended shell(const std::string& line) const {
    return run_shell("cd '" + folder.path().string() +
                     "'; base=\"$mnist train --data data --threads 1\"; "
                     "train=\"$base --out net --epochs 1 --batch 8\"; " +
                     line);
  }
};

int lines_in(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("program: what cannot be printed is a failure") {
  const Workshop workshop;
  for (const std::string command : {"$mnist --version", "$mnist --help", "$train"}) {
    const Ended ended = workshop.shell(command + " >/dev/full");
    CHECK(ended.status == 1);
    CHECK(contains(ended.err, "pliant-mnist: standard output could not be written completely\n"));
  }
  CHECK(fs::exists(workshop.net));  // all the same
  const Ended errors = workshop.shell("$train 2>/dev/full");
  CHECK(errors.status == 1);
  CHECK(contains(errors.out, "pliant-mnist: standard error could not be written completely\n"));
  CHECK(workshop.shell("$mnist --nonsense >/dev/full").status != 0);
}

TEST_CASE("program: no file takes the place of a closed stream") {
  const Workshop workshop;
  const std::string json = " --json r.json";
  const Ended out = workshop.shell("$train" + json + " >&-");
  CHECK(out.status == 1);
  CHECK(out.err == "pliant-mnist: standard output is closed\n");
  const Ended errors = workshop.shell("$train" + json + " 2>&-");
  CHECK(errors.status == 1);
  CHECK(errors.out == "pliant-mnist: standard error is closed\n");
  CHECK(workshop.shell("$train" + json + " >&- 2>&-").status == 1);
  CHECK_FALSE(fs::exists(workshop.folder.path() / "r.json"));

  CHECK(workshop.shell("$train" + json + " <&-").status == 0);
  std::ifstream in(workshop.folder.path() / "r.json");
  CHECK(nlohmann::json::parse(in)["images_seen"] == 40);
}

TEST_CASE("program: the bar is one line of the terminal") {
  const Workshop workshop;
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  REQUIRE(::grantpt(terminal) == 0);
  REQUIRE(::unlockpt(terminal) == 0);
  const std::string name = ::ptsname(terminal);
  for (const std::uint16_t columns : {std::uint16_t{30}, std::uint16_t{80}}) {
    const winsize size{24, columns, 0, 0};
    REQUIRE(::ioctl(terminal, TIOCSWINSZ, &size) == 0);
    const int kept = ::open(name.c_str(), O_RDWR | O_NOCTTY);  // else what was written is dropped
    CHECK(workshop.shell("TERM= $train 2>" + name).status == 0);
    std::string text(1 << 16, '\0');
    const ssize_t got = ::read(terminal, text.data(), text.size());
    ::close(kept);
    REQUIRE(got > 0);
    text.resize(static_cast<std::size_t>(got));
    CHECK(contains(text, "\r[####"));
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find('\033') == std::string::npos);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\r', at), text.size());
      CHECK(end - at < columns);
      at = end + 1;
    }
  }
  ::close(terminal);
}

TEST_CASE("progress: times of any length") {
  CHECK(clock_time(75) == "1:15");
  CHECK(clock_time(3700) == "1:01:40");
  CHECK(clock_time(-3) == "0:00");
  CHECK(clock_time(1e300) == "277777777777:46:40");
}

TEST_CASE("program: a signal that is ignored stays so; SIGHUP stops in good order") {
  const Workshop workshop;
  const std::string words = "--data data --rows none --threads 1 --checkpoint ";
  for (const std::string signal : {"INT", "TERM", "HUP"}) {
    const Ended ended =
        workshop.shell("trap '' " + signal + "; $mnist --epochs 1 " + words + signal +
                       " & child=$!; for i in 1 2 3 4 5 6 7 8; do sleep 0.02; "
                       "kill -" +
                       signal + " $child; done; wait $child");
    CHECK(ended.status == 0);
  }
  const Ended stopped = workshop.shell("$mnist " + words +
                                       "run --epochs 1000000 --resume "
                                       "& sleep 0.5; kill -HUP $!; wait $!");
  CHECK(stopped.status == 128 + SIGHUP);
  CHECK(contains(stopped.err, "--resume goes on with it"));
}

TEST_CASE("program: an empty path is refused before anything is trained") {
  const Workshop workshop;
  for (const std::string words :
       {"$mnist train --out ''", "$base --out net --json ''", "$mnist --save ''",
        "$mnist --checkpoint ''", "$mnist --report ''", "$mnist table x --json ''"}) {
    const Ended ended = workshop.shell(words);
    CHECK(ended.status != 0);
    CHECK(contains(ended.err, "is empty, expected a path"));
  }
}

TEST_CASE("program: numbers are what they look like") {
  const Workshop workshop;
  const auto refusal = [&](const std::string& words) {
    const Ended ended = workshop.shell("$base --out net " + words);
    CHECK(ended.status != 0);
    return ended.err;
  };
  CHECK(contains(refusal("--seed -1"), "--seed: '-1' is not a whole number from 0 to "));
  CHECK(contains(refusal("--seed 18446744073709551616"), "is not a whole number from 0 to 18446"));
  for (const std::string number : {"0x10", "1.5", "1e3", "''", "5x", "' 5'", "1_000", "nan"})
    CHECK(contains(refusal("--seed " + number), "is not a whole number"));
  for (const std::string option : {"--epochs", "--batch", "--train-images", "--threads"})
    for (const std::string number : {"0", "-1", "99999999999999999999", "2x"})
      CHECK(contains(refusal(option + ' ' + number), option + ": '" + number + "' is not a whole"));
  for (const std::string number : {"0,01", "0", "-1", "nan", "inf", "1e400", "1e-400", "x", "''"})
    CHECK(contains(refusal("--lr " + number), " is not a number above 0; see --help\n"));
  CHECK(contains(refusal("--checkpoint-seconds -1"), "is not a number of 0 or more"));
  CHECK(contains(workshop.shell("$mnist --seeds 1,-1 2>&1").out, "'-1' is not a whole number"));
  for (const std::string list : {"1,,2", "1,2,", ",1", "''"})
    for (const std::string option : {"--seeds", "--rows", "--deform"})
      CHECK(contains(workshop.shell("$mnist --data data " + option + ' ' + list + " 2>&1").out,
                     "has an empty item"));
  CHECK(contains(refusal("--net lenet5 --deform-stages 1,,2"), "'1,,2' has an empty item"));
  CHECK(contains(workshop.shell("$mnist --finetune-lr 0 2>&1").out, "is not a number above 0"));
  CHECK(contains(workshop.shell("$mnist --test-draws 1001 2>&1").out, "from 1 to 1000"));

  CHECK(
      workshop.shell("$base --out net --epochs 1 --seed 18446744073709551615 --batch 010").status ==
      0);
  CHECK(read_safetensors(workshop.net).metadata.at("seed") == "18446744073709551615");
  const std::string odd = workshop.shell("$train \"$(printf 'a\\033[2Jb')\" 2>&1").out;
  CHECK(odd.find('\033') == std::string::npos);
}

TEST_CASE("program: a limit on the size of files, and a checkpoint that does not fit") {
  const Workshop workshop;
  const Ended small = workshop.shell("ulimit -f 200; $train");  // blocks of 512 bytes
  CHECK(small.status == 1);
  CHECK(contains(small.err, "net: cannot be written: File too large\n"));
  CHECK(entries(workshop.folder.path()) == 1);

  const std::string several = "$base --out net --batch 8 --epochs 3 --checkpoint-seconds 0";
  const Ended fits = workshop.shell("ulimit -f 2500; " + several);
  CHECK(fits.status == 0);
  CHECK(contains(fits.err, "warning: no checkpoint was written: safetensors: "));
  CHECK(contains(fits.err, "net.checkpoint: cannot be written: File too large"));
  CHECK(lines_in(fits.err) > 10);  // it was tried again
  CHECK(entries(workshop.folder.path()) == 2);
  const SafetensorsFile kept = read_safetensors(workshop.net);
  CHECK(kept.find("conv11.weight") != nullptr);

  // None after the last epoch, when the net itself is about to be written.
  const Ended last = workshop.shell("ulimit -f 2500; $train");
  CHECK(last.status == 0);
  CHECK_FALSE(contains(last.err, "warning"));
}

TEST_CASE("program: files keep their modes, and read-only ones their content") {
  const Workshop workshop;
  const Ended ended = workshop.shell(
      "umask 022; echo old >net; chmod 600 net; echo old >r.json; "
      "chmod 640 r.json; $train --json r.json");
  CHECK(ended.status == 0);
  CHECK(fs::status(workshop.net).permissions() == fs::perms(0600));
  CHECK(fs::status(workshop.folder.path() / "r.json").permissions() == fs::perms(0640));
  const Ended refused = workshop.shell("chmod 444 net; $train");
  CHECK(refused.status == 1);
  CHECK(contains(refused.err, "net: is read-only"));
}

TEST_CASE("program: names as long as the file system takes") {
  const Workshop workshop;
  for (const int length : {240, 250, 255}) {
    const std::string name(static_cast<std::size_t>(length), 'n');
    const Ended ended = workshop.shell("$base --out " + name + " --json j" + name.substr(1) +
                                       " --epochs 2 --checkpoint-seconds 0");
    CHECK(ended.status == 0);
    CHECK(fs::exists(workshop.folder.path() / name));
  }
  CHECK(entries(workshop.folder.path()) == 7);
  const Ended ended = workshop.shell("$base --out " + std::string(256, 'n'));
  CHECK(ended.status == 1);
  CHECK(contains(ended.err, "File name too long"));
  CHECK_FALSE(contains(ended.err, "filesystem"));
}

TEST_CASE("program: one run at a time in a folder of checkpoints, one training into a file") {
  const Workshop workshop;
  const fs::path run = workshop.folder.path() / "run";
  const std::string command =
      "$mnist --data data --rows none --epochs 1 --threads 1 "
      "--checkpoint run";
  fs::create_directory(run);
  {
    const FileLock other(run / "lock", "");
    for (const std::string resume : {"", " --resume"}) {
      const Ended ended = workshop.shell(command + resume);
      CHECK(ended.status == 1);
      CHECK(contains(ended.err, "--checkpoint: another run is writing into this folder (run/lock"));
    }
    CHECK(entries(run) == 1);
  }
  CHECK(workshop.shell(command).status == 0);
  CHECK_FALSE(fs::exists(run / "lock"));
  {
    const FileLock other(workshop.folder.path() / "net.lock", "");
    CHECK(contains(workshop.shell("$train").err, "--out: another process is training into"));
  }
  // Two that start together: all rows are there, or one was refused.
  const Ended both = workshop.shell(
      "b=\"$mnist --data data --epochs 1 --finetune-epochs 1 --threads 1 --checkpoint both\"; "
      "$b --rows none & first=$!; $b --rows none,bn; second=$?; wait $first; echo $? $second");
  const bool refused =
      contains(both.err, "another run is writing") || contains(both.err, "--resume");
  CHECK(refused);
  CHECK((contains(both.out, "0 1\n") || contains(both.out, "1 0\n")));
}

TEST_CASE("program: a word is said of tensors that are skipped, and the net is used") {
  const Workshop workshop;
  REQUIRE(workshop.shell("$train").status == 0);
  std::ifstream in(workshop.net, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  auto header = nlohmann::json::parse(bytes.substr(8, length));
  const std::size_t end = bytes.size() - 8 - length;
  header["extra"] = {{"dtype", "C64"}, {"shape", {0}}, {"data_offsets", {end, end}}};
  const std::string text = header.dump();
  const std::uint64_t longer = text.size();
  std::ofstream(workshop.net, std::ios::binary)
      << std::string(reinterpret_cast<const char*>(&longer), 8) << text << bytes.substr(8 + length);
  const Ended ended = workshop.shell("$mnist eval --data data --weights net");
  CHECK(ended.status == 0);
  CHECK(contains(ended.err, "net: skipped 'extra' (it is of C64, which cannot be read)\n"));
}
