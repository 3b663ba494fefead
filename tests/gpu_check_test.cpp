// tools/gpu-check on a machine that only pretends: what it runs, counts and writes.
#include <filesystem>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <pliant/tests/op_case.h>
#include <pliant/tests/pretended_machine.h>

using namespace pliant::test;

TEST_CASE("gpu-check: a net must be right of 99 in 100 images") {
  const PretendedMachine machine;
  const auto train_to = [&](const std::string& accuracy) {
    machine.program("pliant-mnist",
                    "while [ $# -gt 1 ]; do [ $1 != --json ] || printf '{\n \"mnist\": " +
                        accuracy + ",\n \"scaled\": 0.5\n}\n' >$2; shift; done; echo trained");
    const int status = machine.run("gpu-check to_99");
    return (status == 0 ? "passed " : "failed ") + machine.table();
  };
  const std::string good = train_to("0.9912"), bad = train_to("0.9899");
  CAPTURE(good);
  CHECK(good.starts_with("passed"));
  CHECK(contains(good, "| to_99 | passed | 99.12 % of the test set, "));
  CHECK(contains(good, "| training: 3 epochs on MNIST, whole process | s | 1.75 | "));
  CAPTURE(bad);
  CHECK(bad.starts_with("failed"));
  CHECK(contains(bad, "| to_99 | FAILED | "));
  machine.program("pliant-mnist", "exit 7");  // what it is piped into goes on
  CHECK(machine.run("gpu-check to_99") != 0);
}

TEST_CASE("gpu-check: steps are judged apart, and a table and JSON say how they went") {
  const PretendedMachine machine;
  machine.program("pliant-conformance", "echo 'a \"quoted\" reason'; exit 1");
  CHECK(machine.run("gpu-check tests conformance memcheck") != 0);
  const std::string said = machine.said(), table = machine.table();
  CAPTURE(said);
  CHECK(contains(said, "3 steps run, 1 failed"));
  CAPTURE(table);
  CHECK(contains(table, "| tests | passed | 2 passed, 0 failed |"));
  CHECK(contains(table, "| racecheck | not run yet |"));
  CHECK(table.find("- FAILED conformance: exit 1: ") < table.find("| step |"));
  const auto json = nlohmann::json::parse(machine.json());
  CHECK(json["driver"] == "1.2.3");
  CHECK(json["figures"].empty());
  CHECK(json["steps"][4]["step"] == "conformance");
  CHECK(json["steps"][4]["result"] == "FAILED");
  CHECK(json["steps"][4]["finding"] ==
        "exit 1: f64: a \"quoted\" reason; f32: a \"quoted\" reason");
  CHECK(std::filesystem::exists(machine.path() / "results" / "logs.tar.gz"));

  machine.program(
      "pliant-tests",
      "[ \"$1\" != -ltc ] || exec echo 'cuda: a'\necho '[doctest] test cases: 0 | 0 passed'");
  CHECK(machine.run("gpu-check tests") != 0);  // nothing passed
}

TEST_CASE("gpu-check: every test case runs in a process of its own, one that fails once more") {
  const PretendedMachine machine;
  CHECK(machine.run("gpu-check tests") == 0);
  const std::string asked = text_of(machine.path() / "asked");
  CAPTURE(asked);
  CHECK(contains(asked, "-tc=cuda: a\\, b \n"));
  CHECK(contains(asked, "-tc=cuda: c \n"));
  machine.program(
      "pliant-tests",
      "[ \"$1\" != -ltc ] || exec printf 'cuda: a, b\\ncuda: c\\n'\n"
      "echo \"blocking ${CUDA_LAUNCH_BLOCKING:-no}, needs ${PLIANT_NEEDS_GPU:-none}\"\n"
      "case \"$1\" in *c) echo '1 passed';; *) echo 'ERROR: 1 is not 2'; exit 1;; esac");
  CHECK(machine.run("gpu-check tests") != 0);
  CHECK(
      contains(machine.said(), "-- cuda: a, b\nERROR: 1 is not 2\n1 passed, 1 failed; cuda: a, b"));
  const std::filesystem::path logs = machine.path() / "state" / "logs" / "tests";
  CHECK(text_of(logs / "cuda__a__b.log").starts_with("blocking no, needs 1\n"));
  CHECK(text_of(logs / "cuda__a__b.blocking.log").starts_with("blocking 1, needs 1\n"));
  CHECK(std::filesystem::exists(logs / "cuda__a__b.memcheck.log"));
  CHECK(!std::filesystem::exists(logs / "cuda__c.blocking.log"));
}

TEST_CASE("gpu-check: the sanitizers are told what to look for, in our kernels where they can be") {
  const PretendedMachine machine;
  const auto sanitizer = [&](const std::string& help, const std::string& answer) {
    machine.program(
        "compute-sanitizer",
        "[ \"$1\" != --help ] || exec echo '" + help +
            "'\n"
            "echo \"$*\" >>" +
            machine.at() + "/sanitized\n" + answer +
            "while :; do case $1 in\n"
            "  --tool) case $2 in memcheck|racecheck|initcheck) ;; *) exit 64;; esac;;\n"
            "  --error-exitcode) [ \"$2\" -gt 0 ] || exit 64;;\n"
            "  --kernel-name) case $2 in kns=*) ;; *) exit 64;; esac;;\n"
            "  -*) exit 64;;\n"
            "  *) exec \"$@\";;\n"
            "esac; shift 2; done");
  };
  sanitizer("  --kernel-name arg", "");
  CHECK(machine.run("gpu-check memcheck racecheck") == 0);
  const std::string sanitized = text_of(machine.path() / "sanitized");
  CAPTURE(sanitized);
  const std::string program = machine.at() + "/pliant-tests -tc=cuda: every op\\, reduce\n";
  for (const char* tool : {"memcheck", "racecheck"})
    CHECK(contains(sanitized, std::string("--tool ") + tool +
                                  " --error-exitcode 9 --kernel-name kns=run_ " + program));
  CHECK(contains(text_of(machine.path() / "asked"),
                 "-tc=cuda: every op\\, reduce argmax of long rows\n"));
  sanitizer("  --tool arg", "");
  CHECK(machine.run("gpu-check memcheck") == 0);
  CHECK(contains(text_of(machine.path() / "sanitized"),
                 "--tool memcheck --error-exitcode 9 " + program));
  sanitizer("", "echo 'Error: Device not supported'; exit 1\n");
  CHECK(machine.run("gpu-check memcheck") == 0);
  CHECK(contains(machine.table(), "| memcheck | skipped | Error: Device not supported |"));
  sanitizer("", "case \"$*\" in *reduce*) exit 9;; esac\n");  // it has found something
  CHECK(machine.run("gpu-check memcheck") != 0);
  CHECK(contains(machine.table(), "; cuda: every op, reduce,argmax of long rows"));
}

TEST_CASE("gpu-check: the profiler is told of kernels by the function that they are written in") {
  const PretendedMachine machine;
  machine.program("ncu",
                  "echo \"$*\" >>" + machine.at() +
                      "/profiled\n"
                      "while :; do case $1 in\n"
                      "  --clock-control) [ $2 = none ] || exit 64;;\n"
                      "  -k) case $2 in regex:*) ;; *) exit 64;; esac;;\n"
                      "  --kernel-name-base|--launch-skip|--launch-count|--kill|--section) ;;\n"
                      "  -*) exit 64;;\n"
                      "  *) \"$@\" && exec echo 'Duration us 3';;\n"
                      "esac; shift 2; done");
  CHECK(machine.run("gpu-check profiles") == 0);
  CHECK(contains(machine.table(), "| profiles | passed | 5 of 5 kernels |"));
  const std::string profiled = text_of(machine.path() / "profiled");
  CAPTURE(profiled);
  CHECK(
      contains(profiled, "--kernel-name-base demangled -k regex:gather_columns --launch-skip 3 "));
  CHECK(
      contains(profiled, machine.at() + "/pliant-cuda-bench --cases deform_conv2d v2 8x56x56x128"));
  machine.program("ncu", "echo 'Failed to initialize the profiler'; exit 1");
  CHECK(machine.run("gpu-check profiles") == 0);
  CHECK(contains(machine.table(), "| profiles | skipped | 0 of 5 kernels |"));
}

TEST_CASE("gpu-check: of a step over its limit nothing goes on, nor is what it found lost") {
  const PretendedMachine machine;
  machine.program("pliant-tests",
                  "[ \"$1\" != -ltc ] || exec printf 'cuda: a\\ncuda: c\\n'\n"
                  "case \"$1\" in *a) exec echo '1 passed';; esac\n"
                  "echo $$ >" +
                      machine.at() + "/pid; exec sleep 50");
  CHECK(machine.run("gpu-check tests", "PLIANT_STEP_SECONDS=2") != 0);
  CHECK(contains(machine.table(), "| tests | FAILED | exit 124: over 2 s: passed cuda: a |"));
  // Gone, or not yet waited for.
  const std::string process = text_of(machine.path() / "pid");
  const std::string state = text_of("/proc/" + process.substr(0, process.size() - 1) + "/stat");
  CHECK((state.empty() || contains(state, ") Z ")));
}

TEST_CASE("gpu-check: what the machine lacks is said in one line") {
  const PretendedMachine machine;
  machine.program("nvidia-smi", "exit 9");
  CHECK(machine.run("gpu-check") != 0);
  CHECK(machine.said() ==
        "pliant: gpu-check cannot run here: this machine lacks a GPU (nvidia-smi names none)\n");
  CHECK(machine.run("gpu-check nothing") != 0);
  CHECK(machine.said().starts_with("pliant: there is no step 'nothing'"));
  machine.program("nvidia-smi", "echo Fake GPU 3");
  std::filesystem::remove(machine.path() / "ninja");
  CHECK(machine.run("gpu-check smoke") == 0);  // only a build needs it
}

TEST_CASE("gpu-check: CUDA's libraries are looked for where Python keeps them") {
  const PretendedMachine machine;
  machine.program("python3", "[ \"$1\" != - ] || echo /of/python/lib");
  machine.program("pliant-cuda-bench", "echo \"found by $LD_LIBRARY_PATH, $PLIANT_NEEDS_GPU\"");
  CHECK(machine.run("gpu-check smoke", "LD_LIBRARY_PATH=") == 0);
  CHECK(contains(machine.table(), "| found by /nowhere/lib64:/of/python/lib, 1 |"));
}
