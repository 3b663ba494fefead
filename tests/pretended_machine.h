// A machine whose programs only pretend: for tests of tools/gpu-check and tools/gpu-slot.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <pliant/tests/data_files.h>

namespace pliant::test {

// A folder that is first on the PATH, with a GPU, CUDA's tools and our programs: pliant-tests lists
// two test cases and passes both, pliant-cuda-bench copies at 4000 GB/s, there is no PyTorch.
class PretendedMachine {
 public:
  PretendedMachine() {
    for (const char* name : {"nvcc", "cmake", "ninja"}) program(name, "exit 0");
    program("python3", "echo 'no PyTorch'; exit 3");
    program("nvidia-smi", "case $1 in *name*) echo 'Fake GPU 3';; *) echo 1.2.3;; esac");
    program("compute-sanitizer", "while [ \"${1#--}\" != \"$1\" ]; do shift 2; done; exec \"$@\"");
    program("pliant-tests",
            "[ \"$1\" != -ltc ] || exec printf 'cuda: a, b\\ncuda: c\\n'\n"
            "echo \"$1 ${PLIANT_CASES:-}\" >>" +
                at() +
                "/asked\n"
                "echo '[doctest] test cases: 1 | 1 passed | 0 failed'\n"
                "echo '[doctest] assertions: 4 | 4 passed'");
    program("pliant-conformance", "echo '3 passed, 0 failed'");
    program("pliant-mnist", "echo 'NOT MNIST'");
    program("pliant-cuda-bench",
            "while [ $# -gt 1 ]; do [ \"$1\" != --json ] || printf '{\"cases\": [\n {\n"
            "  \"case\": \"copy of 1 GiB\",\n  \"ms\": 0.5,\n  \"gb_per_s\": 4000.0\n }\n]}\n'"
            " >\"$2\"; shift; done; echo copied");
  }

  std::filesystem::path path() const { return folder_.path(); }
  std::string at() const { return path().string(); }
  void program(const std::string& name, const std::string& body) const {
    std::ofstream(path() / name) << "#!/bin/sh\n" << body << '\n';
    std::filesystem::permissions(path() / name, std::filesystem::perms::owner_all);
  }

  // The exit status of a tool of a checkout, started elsewhere; what it says is said().
  int run(const std::string& tool, const std::string& environment = "",
          const std::string& checkout = PLIANT_SOURCE_DIR) const {
    return std::system(("cd / && PATH=" + at() + ":/usr/bin:/bin PLIANT_GPU_BUILD=" + at() +
                        " PLIANT_GPU_STATE=" + at() + "/state PLIANT_GPU_RESULTS=" + at() +
                        "/results CUDA_HOME=/nowhere " + environment + " bash " + checkout +
                        "/tools/" + tool + " >" + at() + "/said 2>&1")
                           .c_str());
  }
  std::string said() const { return text_of(path() / "said"); }
  std::string table() const { return text_of(path() / "results" / "fake-gpu-3.md"); }
  std::string json() const { return text_of(path() / "results" / "fake-gpu-3.json"); }

 private:
  TemporaryFolder folder_;
};

}  // namespace pliant::test
