// Groups of processes that mpirun starts: the same bits on 1 to 4 ranks, and what goes wrong in one
// of them ends all, in one line, with the last checkpoint whole.
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pliant/tests/child_process.h>
#include <pliant/tests/program.h>

using namespace pliant::test;

namespace {

constexpr int kSteps = 10;

// Under a sanitizer MPI's own doings are told of; the ranks of tests/data_parallel_test.cpp are threads.
bool no_mpirun() {
#ifdef PLIANT_MPIRUN
  return kSanitized;
#else
  return true;
#endif
}

#ifndef PLIANT_MPIRUN
#define PLIANT_MPIRUN "mpirun"
#define PLIANT_RANKS "pliant-ranks"
#endif

// Runs the program on so many ranks, of one thread each.
Ended on_ranks(int ranks, const std::string& checkpoint, const std::string& fault = "") {
  std::vector<std::string> words = {"/usr/bin/env",
                                    "PLIANT_THREADS=1",
                                    "OMPI_ALLOW_RUN_AS_ROOT=1",
                                    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                    "OMPI_MCA_rmaps_base_oversubscribe=1",
                                    "OMPI_MCA_hwloc_base_binding_policy=none"};
  if (ranks > 1) words.insert(words.end(), {PLIANT_MPIRUN, "-n", std::to_string(ranks)});
  words.insert(words.end(), {PLIANT_RANKS, std::to_string(kSteps), checkpoint});
  std::istringstream rest(fault);
  for (std::string word; rest >> word;) words.push_back(word);
  return run_program(std::move(words));
}

// mpirun has words of its own.
std::string lines_of_ours(const Ended& run) {
  std::string ours;
  std::istringstream lines(run.err);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("pliant: ")) ours += line + '\n';
  return ours;
}

}  // namespace

TEST_CASE("ranks: the same net on any number of them, also after going on with another" *
          doctest::skip(no_mpirun())) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "net.checkpoint";
  const Ended one = on_ranks(1, file);
  CHECK(one.status == 0);
  REQUIRE(one.out.starts_with("crc "));
  for (const int ranks : {2, 3, 4}) {
    CAPTURE(ranks);
    std::filesystem::remove(file);
    CHECK(on_ranks(ranks, file).out == one.out);
  }
  for (const char* fault : {"kill 1 4", "throw 2 7", "exit 0 5"}) {
    CAPTURE(fault);
    std::filesystem::remove(file);
    CHECK(on_ranks(3, file, fault).status != 0);
    CHECK(std::filesystem::exists(file));
    CHECK(on_ranks(2, file).out == one.out);
  }
}

TEST_CASE("ranks: fast sums, also where a rank has no part of a step" *
          doctest::skip(no_mpirun())) {
  const TemporaryFolder folder;
  for (const int ranks : {2, 3}) {
    CAPTURE(ranks);
    const std::string file = folder.path() / std::to_string(ranks);
    const Ended run = on_ranks(ranks, file, "fast");  // the ranks compare their nets at the end
    CHECK(run.status == 0);
    CHECK(run.out.starts_with("crc "));
  }
}

TEST_CASE("ranks: what goes wrong in one is said once" * doctest::skip(no_mpirun())) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "net.checkpoint";
  CHECK(lines_of_ours(on_ranks(3, file, "throw 1 4")) == "pliant: rank 1: the disk is on fire\n");
  std::filesystem::remove(file);
  CHECK(lines_of_ours(on_ranks(3, file, "throw 0 2")) == "pliant: rank 0: the disk is on fire\n");
  std::filesystem::remove(file);
  CHECK(lines_of_ours(on_ranks(2, file, "net 1 0")) ==
        "pliant: broadcast: the net differs: 'stem.weight float32 [9 3 3 1]' of rank 1, "
        "'stem.weight float32 [8 3 3 1]' of rank 0\n");
  CHECK(lines_of_ours(on_ranks(2, file, "data 1 0")) ==
        "pliant: the data differs: '[200 28 28 1]' of rank 1, '[240 28 28 1]' of rank 0\n");
}

TEST_CASE("ranks: one that stops is noticed" * doctest::skip(no_mpirun())) {
  const TemporaryFolder folder;
  const Ended run = on_ranks(2, folder.path() / "net.checkpoint", "stop 1 4");
  CHECK(run.status != 0);
  CHECK(lines_of_ours(run).starts_with("pliant: rank 0: rank 1 has not been heard for "));
}
