// tools/gpu-check around programs that only pretend: what it runs, counts and writes.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <pliant/tests/data_files.h>

using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

void make_program(const fs::path& path, const std::string& body) {
  std::ofstream(path) << "#!/bin/sh\n" << body << '\n';
  fs::permissions(path, fs::perms::owner_all);
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Exit status of tools/gpu-check in a world made of `folder`; what it says is in folder/said.
int gpu_check(const fs::path& folder, const std::string& steps) {
  const std::string at = folder.string();
  return std::system(
      ("PATH=" + at + ":/usr/bin:/bin PLIANT_GPU_BUILD=" + at + " PLIANT_GPU_RESULTS=" + at +
       "/results bash " PLIANT_SOURCE_DIR "/tools/gpu-check " + steps + " >" + at + "/said 2>&1")
          .c_str());
}

void make_machine(const fs::path& folder) {
  for (const char* name : {"nvcc", "cmake", "ninja"}) make_program(folder / name, "exit 0");
  make_program(folder / "nvidia-smi",
               "case $1 in *name*) echo 'Fake GPU 3';; *) echo 1.2.3;; esac");
  make_program(folder / "compute-sanitizer",
               "while [ \"${1#--}\" != \"$1\" ]; do shift 2; done; exec \"$@\"");
  make_program(folder / "pliant-tests",
               "echo '[doctest] test cases:  3 |  3 passed | 0 failed | 1 skipped'");
  make_program(folder / "pliant-conformance", "echo 'a \"quoted\" reason'; exit 1");
}

}  // namespace

TEST_CASE("gpu-check: a net must be right of 99 in 100 pictures") {
  const TemporaryFolder folder;
  make_machine(folder.path());
  const auto train_to = [&](const std::string& accuracy) {
    make_program(folder.path() / "pliant-mnist",
                 "while [ $# -gt 1 ]; do [ $1 != --json ] || printf '{\n \"mnist\": " + accuracy +
                     ",\n \"scaled\": 0.5\n}\n' >$2; shift; done; echo trained");
    const int status = gpu_check(folder.path(), "to_99");
    return (status == 0 ? "passed " : "failed ") +
           text_of(folder.path() / "results" / "fake-gpu-3.md");
  };
  const std::string good = train_to("0.9912"), bad = train_to("0.9899");
  CAPTURE(good);
  CHECK(good.starts_with("passed"));
  CHECK(good.find("| to_99 | passed | 99.12 % of the test set, ") != std::string::npos);
  CAPTURE(bad);
  CHECK(bad.starts_with("failed"));
  CHECK(bad.find("| to_99 | FAILED | ") != std::string::npos);
}

TEST_CASE("gpu-check: steps are judged apart, and a table and JSON say how they went") {
  const TemporaryFolder folder;
  make_machine(folder.path());
  CHECK(gpu_check(folder.path(), "tests conformance memcheck") != 0);
  const std::string said = text_of(folder.path() / "said");
  CAPTURE(said);
  CHECK(said.find("3 steps run, 1 failed") != std::string::npos);
  const std::string table = text_of(folder.path() / "results" / "fake-gpu-3.md");
  CHECK(table.find("| tests | passed | 3 , 3 passed , 0 failed , 1 skipped |") !=
        std::string::npos);
  CHECK(table.find("| racecheck | not run yet |") != std::string::npos);
  const auto json = nlohmann::json::parse(text_of(folder.path() / "results" / "fake-gpu-3.json"));
  CHECK(json["driver"] == "1.2.3");
  CHECK(json["bench"].is_null());
  CHECK(json["steps"][2]["result"] == "FAILED");
  CHECK(json["steps"][2]["finding"] == "exit 1: a \"quoted\" reason");
  CHECK(json["steps"][4]["result"] == "passed");

  make_program(folder.path() / "pliant-tests",
               "echo '[doctest] test cases: 0 | 0 passed | 0 failed'");
  CHECK(gpu_check(folder.path(), "parity") != 0);  // nothing passed
}

TEST_CASE("gpu-check: what the machine lacks is said in one line") {
  const TemporaryFolder folder;
  make_machine(folder.path());
  make_program(folder.path() / "nvidia-smi", "exit 9");
  CHECK(gpu_check(folder.path(), "") != 0);
  CHECK(text_of(folder.path() / "said") ==
        "pliant: gpu-check cannot run here: this machine lacks a GPU (nvidia-smi names none)\n");
  CHECK(gpu_check(folder.path(), "nothing") != 0);
  CHECK(text_of(folder.path() / "said").starts_with("pliant: there is no step 'nothing'"));
}
