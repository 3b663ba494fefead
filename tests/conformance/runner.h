// Runs golden cases from files and folders and says how they went.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include <pliant/tests/conformance/call.h>

namespace pliant::conformance {

enum class Status : unsigned char {
  passed,
  failed,   // a deviation, an Error, an unreadable file
  skipped,  // the op is not there yet
};

struct CaseResult {
  std::string path = {};
  std::string op = {};  // empty if the file could not be read; of a block FILE/BLOCK
  Status status = Status::failed;
  std::string tensor = {};   // the one furthest out, of a case that was compared
  double worst = 0;          // its deviation
  std::string message = {};  // of a failure or a skip
};

struct Counts {
  int passed = 0, failed = 0, skipped = 0;
};

enum class Strictness : unsigned char {
  skips_allowed,
  no_skips,
};

// The furthest out of the deviations, of which there is at least one, decides.
void judge(const std::vector<Deviation>& deviations, CaseResult& result);

// Runs one file. Throws nothing: whatever goes wrong is a failure of the case.
CaseResult run_file(const std::filesystem::path& path, const Target& target);

// The same, and of golden numbers for vision (.json files, little nets) a result for each block.
std::vector<CaseResult> run_path(const std::filesystem::path& path, const Target& target);

// The files that PATHs mean: a file itself, every .safetensors and .json file below a folder in the
// order of their names. A PATH that is missing stands for itself, and fails when run.
std::vector<std::filesystem::path> expand(const std::vector<std::filesystem::path>& paths);

Counts count(const std::vector<CaseResult>& results);

// One line per failure and per block of a file that has several, one per op that was skipped, then "N passed, M failed, K skipped".
void print_report(std::ostream& out, const std::vector<CaseResult>& results);

// 0 if at least one case was run and none failed (or, strictly, was skipped), else 1.
int exit_code(const Counts& counts, Strictness strictness);

// The report as JSON: device, dtype, passed, failed, skipped, and cases with file, op, status,
// tensor, worst (null if not finite) and message. A file that cannot be written is an Error.
void write_json(const std::filesystem::path& path, const std::vector<CaseResult>& results,
                const Target& target);

}  // namespace pliant::conformance
