// tools/gpu-slot on a machine that only pretends: its halves, their limits and what was carried.
#include <array>
#include <filesystem>

#include <doctest/doctest.h>

#include <pliant/tests/op_case.h>
#include <pliant/tests/pretended_machine.h>

using namespace pliant::test;

namespace fs = std::filesystem;

namespace {

constexpr std::array kPrograms = {"pliant-tests", "pliant-conformance", "pliant-mnist",
                                  "pliant-cuda-bench"};

}  // namespace

TEST_CASE("gpu-slot: stages stand beside predictions, and what does not fit is skipped") {
  const PretendedMachine machine;
  // What was found so far is there while a stage runs.
  machine.program("pliant-conformance", "grep -q '| tests | passed |' " + machine.at() +
                                            "/results/fake-gpu-3.md && echo '3 passed, 0 failed'");
  machine.run("gpu-slot one");
  const std::string table = machine.table();
  CAPTURE(table);
  CHECK(contains(table, "| facts | passed | Fake GPU 3, driver 1.2.3, "));
  CHECK(contains(table,
                 "| conformance | passed | f64: 3 passed, 0 failed; f32: 3 passed, 0 failed |"));
  CHECK(contains(table, "| to_99 | skipped | no MNIST here (PLIANT_DATA) |"));
  CHECK(contains(table, "| memcheck | not run yet |"));
  CHECK(contains(table, "| bench: copy of 1 GiB | gb_per_s | 4200 | 4000 | 0.95 |"));

  machine.run("gpu-slot two");
  CHECK(contains(machine.table(), "| ratios_mixed | skipped | no PyTorch |"));
  CHECK(contains(machine.table(), "| profiles | skipped | no ncu here |"));
  machine.run("gpu-slot two", "PLIANT_SLOT_SECONDS=5");
  CHECK(contains(machine.table(), "| racecheck | skipped | no time left of 5 s |"));
  CHECK(machine.run("gpu-slot three") != 0);
}

TEST_CASE("gpu-slot: takes the programs that were carried, of the newest archive, or builds") {
  const PretendedMachine machine;
  const TemporaryFolder elsewhere;
  const fs::path checkout = elsewhere.path();
  fs::copy(PLIANT_SOURCE_DIR "/tools", checkout / "tools", fs::copy_options::recursive);
  const auto carry = [&](const std::string& commit) {
    fs::remove_all(checkout / ".carry");
    fs::create_directories(checkout / ".carry" / "bin");
    for (const char* name : kPrograms)
      fs::copy(machine.path() / name, checkout / ".carry" / "bin" / name);
    std::ofstream(checkout / ".carry" / "commit") << commit << '\n';
    fs::create_directory(checkout / ".carry" / "mnist");
    const std::string pack = "cd " + checkout.string() + " && tar czf carry.tgz .carry";
    REQUIRE(std::system(pack.c_str()) == 0);
    fs::remove_all(checkout / ".carry");
  };
  const std::string environment = "PLIANT_GPU_BUILD=build/none PLIANT_DATA= ";
  const auto facts = [&] {  // of a first half that has time for little else
    machine.run("gpu-slot one", environment + "PLIANT_SLOT_SECONDS=20", checkout.string());
    const std::string table = machine.table();
    const auto begin = table.find("| facts ");
    return table.substr(begin, table.find('\n', begin) - begin);
  };
  machine.program("pliant-mnist", "echo \"NOT MNIST in $PLIANT_DATA\"; exit 1");
  carry("first");
  const std::string first = facts();
  CHECK_MESSAGE(contains(first, " cores, programs of .carry/bin | "), first);
  CHECK(contains(first, " | first |"));
  machine.run("gpu-check to_99", environment, checkout.string());
  CHECK(contains(machine.table(), "NOT MNIST in " + checkout.string() + "/.carry/mnist"));
  carry("second");  // while the first lies there unpacked
  CHECK(contains(facts(), " | second |"));

  // One that does not start.
  const std::string at = machine.at();
  fs::create_directory(machine.path() / "built");
  for (const char* name : kPrograms)
    fs::copy(machine.path() / name, machine.path() / "built" / name);
  machine.program("cmake",
                  "[ \"$1\" = --build ] || exec mkdir -p build/none\n"
                  "echo CMAKE_CXX_COMPILER:FILEPATH=/bin/true >build/none/CMakeCache.txt\n"
                  "exec cp " +
                      at + "/built/* build/none");
  machine.program("pliant-tests", "echo 'pliant-tests: lacks a library' >&2; exit 127");
  carry("third");
  machine.run("gpu-slot one", environment, checkout.string());
  CHECK(contains(machine.table(), "| facts | FAILED | exit 1: pliant-tests: lacks a library |"));
  CHECK(contains(machine.table(), "| bench | skipped | the time went into the build |"));
  CHECK(contains(machine.table(), "| build | passed | "));
  CHECK(contains(machine.table(), "| tests | passed | 2 passed, 0 failed |"));
}

TEST_CASE("gpu-slot: what one of PyTorch's processes breaks is its own") {
  if (std::system("/usr/bin/env python3 -c 'import multiprocessing' 2>/dev/null") != 0) {
    MESSAGE("skipped: no python3");
    return;
  }
  const TemporaryFolder folder;
  const fs::path script = folder.path() / "work.py", said = folder.path() / "said";
  std::ofstream(script) << "import os, signal, sys\n"
                           "sys.path.insert(0, '" PLIANT_SOURCE_DIR
                           "/bench')\n"
                           "sys.dont_write_bytecode = True\n"
                           "from apart import Ended, apart\n"
                           "def work(how):\n"
                           "    yield 1\n"
                           "    if how == 'raises': raise ValueError\n"
                           "    if how == 'exits': os._exit(5)\n"
                           "    if how == 'dies': os.kill(os.getpid(), signal.SIGKILL)\n"
                           "    yield 2\n"
                           "for how in ('raises', 'exits', 'dies', 'ends'):\n"
                           "    got = [how]\n"
                           "    try:\n"
                           "        for value in apart(work, how): got.append(value)\n"
                           "    except Ended as ended: got.append(ended)\n"
                           "    print(*got)\n";
  const std::string command = "python3 " + script.string() + " >" + said.string() + " 2>/dev/null";
  CHECK(std::system(command.c_str()) == 0);
  CHECK(text_of(said) == "raises 1 exit 1\nexits 1 exit 5\ndies 1 exit -9\nends 1 2\n");
}
