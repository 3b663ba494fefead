#include <pliant/tests/conformance/runner.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include <pliant/tests/conformance/ops.h>
#include <pliant/tests/conformance/vision.h>
#include <pliant/tests/conformance/vision_nets.h>

namespace pliant::conformance {

namespace {

namespace fs = std::filesystem;

const char* const kVision = ".json";

const char* name_of(Status status) {
  return status == Status::passed ? "passed" : status == Status::failed ? "failed" : "skipped";
}

void run(const fs::path& path, const Target& target, CaseResult& result) {
  const GoldenCase golden = read_case(path);
  result.op = golden.op;
  const OpFunction op = find_op(golden.op);
  if (op == nullptr) {
    result.status = Status::skipped;
    result.message = "the op " + golden.op + " is not there yet";
    return;
  }
  Call call(golden, target);
  op(call);
  judge(call.compare_all(), result);
}

// The block of a file that has several.
std::string where(const CaseResult& result) {
  const std::size_t slash = result.op.find('/');
  return slash == std::string::npos ? "" : ' ' + printable(result.op.substr(slash + 1));
}

void add_folder(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    if (const fs::path kind = at->path().extension(); kind == ".safetensors" || kind == kVision)
      found.push_back(at->path());
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
  if (error) files.push_back(folder);  // run as a file it fails, and so does not go unseen
}

}  // namespace

void judge(const std::vector<Deviation>& deviations, CaseResult& result) {
  const Deviation* furthest = &deviations.front();
  std::string others;
  for (const Deviation& deviation : deviations) {
    const bool worse = !deviation.passed && furthest->passed;
    const bool alike = deviation.passed == furthest->passed;
    if (worse || (alike && deviation.ratio > furthest->ratio)) furthest = &deviation;
  }
  for (const Deviation& deviation : deviations)
    if (!deviation.passed && &deviation != furthest) others += " " + deviation.tensor;
  result.tensor = furthest->tensor;
  result.worst = furthest->worst;
  result.status = furthest->passed ? Status::passed : Status::failed;
  if (!furthest->passed)
    result.message = furthest->tensor + ": " + furthest->message +
                     (others.empty() ? "" : "; also out:" + others);
}

CaseResult run_file(const fs::path& path, const Target& target) {
  CaseResult result;
  result.path = path.string();
  try {
    run(path, target, result);
  } catch (const std::exception& error) {
    result.status = Status::failed;
    result.message = printable(error.what());
  }
  return result;
}

std::vector<CaseResult> run_path(const fs::path& path, const Target& target) {
  if (path.extension() == kVision) return run_vision_file(path, target);
  if (is_vision_net(path)) return run_vision_net(path, target);
  return {run_file(path, target)};
}

std::vector<fs::path> expand(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error))
      add_folder(path, files);
    else
      files.push_back(path);
  }
  return files;
}

Counts count(const std::vector<CaseResult>& results) {
  Counts counts;
  for (const CaseResult& result : results)
    ++(result.status == Status::passed   ? counts.passed
       : result.status == Status::failed ? counts.failed
                                         : counts.skipped);
  return counts;
}

void print_report(std::ostream& out, const std::vector<CaseResult>& results) {
  std::map<std::string, int> skipped;
  for (const CaseResult& result : results) {
    if (result.status == Status::failed)
      out << "FAIL " << printable(result.path) << where(result) << ": " << result.message << '\n';
    else if (!where(result).empty() && result.status == Status::passed)
      out << "pass " << printable(result.path) << where(result) << '\n';
    if (result.status == Status::skipped) ++skipped[printable(result.op)];
  }
  for (const auto& [op, cases] : skipped)
    out << "skip " << op << ": not there yet (" << cases << (cases == 1 ? " case)\n" : " cases)\n");
  const Counts counts = count(results);
  if (counts.passed + counts.failed == 0) out << "no case was run\n";
  out << counts.passed << " passed, " << counts.failed << " failed, " << counts.skipped
      << " skipped\n";
}

int exit_code(const Counts& counts, Strictness strictness) {
  if (counts.passed == 0 || counts.failed > 0) return 1;
  return strictness == Strictness::no_skips && counts.skipped > 0 ? 1 : 0;
}

void write_json(const fs::path& path, const std::vector<CaseResult>& results,
                const Target& target) {
  Json cases = Json::array();
  for (const CaseResult& result : results)
    cases.push_back({{"file", result.path},
                     {"op", result.op},
                     {"status", name_of(result.status)},
                     {"tensor", result.tensor},
                     {"worst", result.worst},
                     {"message", result.message}});
  std::ostringstream device;
  device << target.device;
  const Counts counts = count(results);
  const Json report = {
      {"device", device.str()},    {"dtype", target.dtype == DType::float64 ? "f64" : "f32"},
      {"passed", counts.passed},   {"failed", counts.failed},
      {"skipped", counts.skipped}, {"cases", cases}};
  std::ofstream file(path);
  file << report.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  file.close();
  require(!file.fail(), "cannot write ", path.string());
}

}  // namespace pliant::conformance
