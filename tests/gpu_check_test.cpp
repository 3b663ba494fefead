// tools/gpu-check and tools/gpu-slot around programs that only pretend: what they run, count and
// write.
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

// Exit status of `tool` in a world made of `folder`; what it says is in folder/said.
int run_tool(const fs::path& folder, const std::string& tool, const std::string& environment = "") {
  const std::string at = folder.string();
  return std::system(("cd / && PATH=" + at + ":/usr/bin:/bin PLIANT_GPU_BUILD=" + at +
                      " PLIANT_GPU_STATE=" + at + "/state PLIANT_GPU_RESULTS=" + at +
                      "/results CUDA_HOME=/nowhere " + environment +
                      " bash " PLIANT_SOURCE_DIR "/tools/" + tool + " >" + at + "/said 2>&1")
                         .c_str());
}
int gpu_check(const fs::path& folder, const std::string& steps) {
  return run_tool(folder, "gpu-check " + steps);
}

// pliant-tests lists two test cases and passes both; pliant-cuda-bench copies at 4000 GB/s.
void make_machine(const fs::path& folder) {
  for (const char* name : {"nvcc", "cmake", "ninja"}) make_program(folder / name, "exit 0");
  make_program(folder / "python3", "exit 1");
  make_program(folder / "nvidia-smi",
               "case $1 in *name*) echo 'Fake GPU 3';; *) echo 1.2.3;; esac");
  make_program(folder / "compute-sanitizer",
               "while [ \"${1#--}\" != \"$1\" ]; do shift 2; done; exec \"$@\"");
  make_program(folder / "pliant-tests",
               "[ \"$1\" != -ltc ] || exec printf 'cuda: a, b\\ncuda: c\\n'\n"
               "echo \"$1\" >>" +
                   (folder / "asked").string() +
                   "\n"
                   "echo '[doctest] test cases: 1 | 1 passed | 0 failed'\n"
                   "echo '[doctest] assertions: 4 | 4 passed'");
  make_program(folder / "pliant-conformance", "echo 'a \"quoted\" reason'; exit 1");
  make_program(folder / "pliant-cuda-bench",
               "while [ $# -gt 1 ]; do [ $1 != --json ] || printf '{\"cases\": [\n {\n"
               "  \"case\": \"copy of 1 GiB\",\n  \"ms\": 0.5,\n  \"gb_per_s\": 4000.0\n }\n]}\n'"
               " >$2; shift; done; echo copied");
}

}  // namespace

TEST_CASE("gpu-check: a net must be right of 99 in 100 images") {
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
  make_program(folder.path() / "pliant-mnist", "exit 7");  // what it is piped into goes on
  CHECK(gpu_check(folder.path(), "to_99") != 0);
}

TEST_CASE("gpu-check: steps are judged apart, and a table and JSON say how they went") {
  const TemporaryFolder folder;
  make_machine(folder.path());
  CHECK(gpu_check(folder.path(), "tests conformance memcheck") != 0);
  const std::string said = text_of(folder.path() / "said");
  CAPTURE(said);
  CHECK(said.find("3 steps run, 1 failed") != std::string::npos);
  const std::string table = text_of(folder.path() / "results" / "fake-gpu-3.md");
  CAPTURE(table);
  CHECK(table.find("| tests | passed | 2 passed, 0 failed |") != std::string::npos);
  CHECK(table.find("| racecheck | not run yet |") != std::string::npos);
  const auto json = nlohmann::json::parse(text_of(folder.path() / "results" / "fake-gpu-3.json"));
  CHECK(json["driver"] == "1.2.3");
  CHECK(json["figures"].empty());
  CHECK(json["steps"][4]["step"] == "conformance");
  CHECK(json["steps"][4]["result"] == "FAILED");
  CHECK(json["steps"][4]["finding"] ==
        "exit 1: f64: a \"quoted\" reason; f32: a \"quoted\" reason");
  CHECK(fs::exists(folder.path() / "results" / "logs.tar.gz"));

  make_program(
      folder.path() / "pliant-tests",
      "[ \"$1\" != -ltc ] || exec echo 'cuda: a'\necho '[doctest] test cases: 0 | 0 passed'");
  CHECK(gpu_check(folder.path(), "tests") != 0);  // nothing passed
}

TEST_CASE("gpu-check: every test case runs in a process of its own, one that fails once more") {
  const TemporaryFolder folder;
  make_machine(folder.path());
  CHECK(gpu_check(folder.path(), "tests") == 0);
  const std::string asked = text_of(folder.path() / "asked");
  CAPTURE(asked);
  CHECK(asked.find("-tc=cuda: a\\, b\n") != std::string::npos);
  CHECK(asked.find("-tc=cuda: c\n") != std::string::npos);
  make_program(folder.path() / "pliant-tests",
               "[ \"$1\" != -ltc ] || exec printf 'cuda: a, b\\ncuda: c\\n'\n"
               "echo \"blocking ${CUDA_LAUNCH_BLOCKING:-no}, needs ${PLIANT_NEEDS_GPU:-none}\"\n"
               "case \"$1\" in *c) echo '1 passed';; *) exit 1;; esac");
  CHECK(gpu_check(folder.path(), "tests") != 0);
  CHECK(text_of(folder.path() / "said").find("1 passed, 1 failed; cuda: a, b") !=
        std::string::npos);
  const fs::path logs = folder.path() / "state" / "logs" / "tests";
  CHECK(text_of(logs / "cuda__a__b.log") == "blocking no, needs 1\n");
  CHECK(text_of(logs / "cuda__a__b.blocking.log") == "blocking 1, needs 1\n");
  CHECK(fs::exists(logs / "cuda__a__b.memcheck.log"));
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

TEST_CASE("gpu-slot: stages stand beside predictions, and what does not fit is skipped") {
  const TemporaryFolder folder;
  make_machine(folder.path());
  make_program(folder.path() / "pliant-conformance", "echo '3 passed, 0 failed'");
  make_program(folder.path() / "pliant-mnist", "echo 'NOT MNIST'");
  run_tool(folder.path(), "gpu-slot one");
  const std::string table = text_of(folder.path() / "results" / "fake-gpu-3.md");
  CAPTURE(table);
  CHECK(table.find("| facts | passed | Fake GPU 3, driver 1.2.3, ") != std::string::npos);
  CHECK(table.find("| conformance | passed | f64: 3 passed, 0 failed; f32: 3 passed, 0 failed |") !=
        std::string::npos);
  CHECK(table.find("| to_99 | skipped | no MNIST here (PLIANT_DATA) |") != std::string::npos);
  CHECK(table.find("| memcheck | not run yet |") != std::string::npos);
  CHECK(table.find("| bench: copy of 1 GiB | gb_per_s | 4200 | 4000 | 0.95 |") !=
        std::string::npos);
  const auto json = nlohmann::json::parse(text_of(folder.path() / "results" / "fake-gpu-3.json"));
  CHECK(json.at("figures").at("bench").at("cases").at(0).at("ms") == 0.5);

  run_tool(folder.path(), "gpu-slot two", "PLIANT_SLOT_SECONDS=5");
  CHECK(text_of(folder.path() / "results" / "fake-gpu-3.md")
            .find("| racecheck | skipped | no time left of 5 s |") != std::string::npos);
  CHECK(run_tool(folder.path(), "gpu-slot three") != 0);
}
