// Who may include whom: third_party <- core <- autograd <- layers <- apps, tests, bench;
// core <- data <- apps; cuda sees the kernels' headers and a few of core's, never a Tensor.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using Names = std::vector<std::string>;
namespace fs = std::filesystem;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string first_part(const std::string& path) { return path.substr(0, path.find('/')); }

// What each room may include of the project itself.
const std::map<std::string, Names>& rooms() {
  static const std::map<std::string, Names> rooms = {
      {"core", {"core"}},
      {"autograd", {"core", "autograd"}},
      {"layers", {"core", "autograd", "layers"}},
      {"data", {"core", "data"}},
      {"apps", {"core", "autograd", "layers", "data", "apps"}},
      {"tests", {"core", "autograd", "layers", "data", "apps", "cuda", "tests"}},
      {"bench", {"core", "autograd", "layers", "data", "apps", "bench"}},
      {"cuda", {"cuda"}},
  };
  return rooms;
}

// The rooms that may include each foreign header, by the first part of its name.
const std::map<std::string, Names>& foreign_headers() {
  static const std::map<std::string, Names> headers = {
      {"Eigen", {"core", "tests", "bench"}},
      {"zlib.h", {"core", "data", "tests"}},
      {"curl", {"data"}},
      {"openssl", {"data"}},
      {"png.h", {"data"}},
      {"jpeglib.h", {"data"}},
      {"jerror.h", {"data"}},
      {"pugixml.hpp", {"data"}},
      {"mpi.h", {"layers"}},
      {"archive.h", {"data"}},
      {"archive_entry.h", {"data"}},
      {"nlohmann", {"layers", "data", "apps", "tests", "bench"}},
      {"CLI", {"apps", "tests", "bench"}},
      {"doctest", {"tests"}},
      {"benchmark", {"bench"}},
  };
  return headers;
}

// core/kernels has what both devices read, core/cpu who computes on the CPU.
bool is_contract(const std::string& path) { return path.starts_with("core/kernels/"); }
bool is_cpu(const std::string& path) { return path.starts_with("core/cpu/"); }

// What users must not see: x/internal is for room x alone; neither it nor core/cpu is installed.
bool is_internal(const std::string& path) { return path.find("/internal/") != std::string::npos; }
bool is_installed(const std::string& path) {
  static const Names rooms = {"core", "autograd", "layers", "data", "pliant.h"};
  return path.ends_with(".h") && contains(rooms, first_part(path)) && !is_internal(path) &&
         !is_cpu(path);
}

// They test, measure and draw what stands behind the public functions.
bool looks_inside(const std::string& path) {
  return path.starts_with("tests/") || path.starts_with("bench/") ||
         path.starts_with("apps/figures/");
}

// Compiled by nvcc too. shape.h is for the plans that a kernel's header makes on the host.
bool seen_by_cuda(const std::string& path) {
  static const Names core = {"core/portable.h", "core/error.h",       "core/text.h",
                             "core/random.h",   "core/device.h",      "core/column_memory.h",
                             "core/memory.h",   "core/shape.h",       "core/timing.h",
                             "core/capture.h",  "core/gpu_options.h", "core/bfloat16.h",
                             "core/sizes.h",    "core/kernel.h",      "core/conv_plans.h"};
  return is_contract(path) || contains(core, path);
}

// Training stands on the layers, and no layer on it; layers.h is all of both for a program.
bool may_train(const std::string& path) {
  return path.starts_with("layers/train/") || path == "layers/layers.h";
}

// kit and page know no program, and no program another.
bool may_share_app(const std::string& path, const std::string& target) {
  const auto app = [](const std::string& of) { return first_part(of.substr(5)); };
  const std::string own = app(path), other = app(target);
  const bool library = own == "kit" || own == "page";
  return own == other || (!library && (other == "kit" || other == "page"));
}

bool may_include_foreign(const std::string& path, const std::string& header) {
  const std::string room = first_part(path);
  static const std::regex cuda_header("(cuda|cub|cudnn|cublas|thrust|mma|cooperative_groups).*");
  if (std::regex_match(header, cuda_header))
    return room == "cuda" || path.starts_with("tests/gpu_on_cpu/");
  const auto found = foreign_headers().find(first_part(header));
  return found == foreign_headers().end() || contains(found->second, room);
}

// Whether the file `path` (relative to the root) may include what stands between <> or "".
bool may_include(const std::string& path, const std::string& included) {
  const std::string prefix = "pliant/", room = first_part(path);
  if (!included.starts_with(prefix)) return may_include_foreign(path, included);
  const std::string target = included.substr(prefix.size());
  if (room == "cuda") return target.starts_with("cuda/") || seen_by_cuda(target);
  if (is_contract(path)) return seen_by_cuda(target);
  if (is_cpu(path) && target == "core/tensor.h") return false;
  if (is_installed(path) && !is_installed(target)) return false;
  if (is_internal(target) && first_part(target) != room) return looks_inside(path);
  if (target == "pliant.h") return room == "tests" || room == "apps" || room == "bench";
  if (room == "layers" && !may_train(path) && target.starts_with("layers/train/")) return false;
  if (room == "apps" && target.starts_with("apps/")) return may_share_app(path, target);
  return contains(rooms().at(room), first_part(target));
}

struct Include {
  std::string header;
  bool quoted;
};

std::vector<Include> includes_of(std::istream& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> includes;
  std::smatch match;
  for (std::string line; std::getline(file, line);)
    if (std::regex_match(line, match, pattern)) includes.push_back({match[2], match[1] == "\""});
  return includes;
}

// The project's own headers that `path` includes, and those that they include.
void add_closure(const fs::path& root, const std::string& path, std::set<std::string>& seen) {
  const std::string prefix = "pliant/";
  std::ifstream file(root / path);
  for (const Include& include : includes_of(file))
    if (const std::string own =
            include.header.substr(std::min(prefix.size(), include.header.size()));
        include.header.starts_with(prefix) && seen.insert(own).second)
      add_closure(root, own, seen);
}

std::vector<fs::path> sources_in(const fs::path& folder) {
  static const Names kinds = {".h", ".cpp", ".cu", ".cuh"};
  std::vector<fs::path> sources;
  if (!fs::exists(folder)) return sources;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && contains(kinds, entry.path().extension().string()))
      sources.push_back(entry.path());
  return sources;
}

}  // namespace

TEST_CASE("layering: the rules tell right from wrong") {
  CHECK(may_include("core/cpu/gemm.cpp", "Eigen/Core"));
  CHECK(may_include("layers/conv2d.h", "pliant/autograd/var.h"));
  CHECK(may_include("layers/train/optimizer.h", "pliant/layers/module.h"));
  CHECK(may_include("apps/mnist/main.cpp", "pliant/data/mnist.h"));
  CHECK(may_include("cuda/deform_conv2d.cu", "pliant/core/kernels/deform_conv2d.h"));
  CHECK(may_include("apps/mnist/main.cpp", "pliant/apps/kit/interrupt.h"));
  CHECK(may_include("cuda/runtime.cu", "cuda_runtime.h"));
  CHECK(may_include("core/tensor.cpp", "vector"));

  CHECK_FALSE(may_include("core/tensor.cpp", "pliant/autograd/var.h"));
  CHECK_FALSE(may_include("autograd/var.h", "pliant/layers/module.h"));
  CHECK_FALSE(may_include("data/idx.cpp", "pliant/autograd/var.h"));
  CHECK_FALSE(may_include("layers/conv2d.cpp", "pliant/data/mnist.h"));
  CHECK_FALSE(may_include("layers/module.cpp", "pliant/layers/train/optimizer.h"));
  CHECK_FALSE(may_include("layers/conv2d.cpp", "Eigen/Core"));
  CHECK_FALSE(may_include("cuda/deform_conv2d.cu", "pliant/core/tensor.h"));
  CHECK_FALSE(may_include("apps/kit/training_steps.h", "pliant/apps/mnist/nets.h"));
  CHECK_FALSE(may_include("apps/kit/training_steps.h", "pliant/apps/page/chart.h"));
  CHECK_FALSE(may_include("apps/figures/main.cpp", "pliant/apps/mnist/nets.h"));
  CHECK_FALSE(may_include("core/kernels/relu.h", "pliant/core/tensor.h"));
  CHECK_FALSE(may_include("core/cpu/relu.cpp", "pliant/core/tensor.h"));
  CHECK_FALSE(may_include("core/kernels/relu.h", "pliant/core/cpu/vectors.h"));
  CHECK_FALSE(may_include("autograd/tape.h", "pliant/autograd/internal/tape_state.h"));
  CHECK_FALSE(may_include("layers/module.cpp", "pliant/autograd/internal/tape_state.h"));
  CHECK_FALSE(may_include("layers/module.cpp", "pliant/pliant.h"));
  CHECK(may_include("tests/consumer/main.cpp", "pliant/pliant.h"));
  CHECK_FALSE(may_include("cuda/conv2d.cu", "pliant/core/cpu/conv2d_taps.h"));
  CHECK_FALSE(may_include("core/memory.cpp", "cuda_runtime.h"));
  CHECK_FALSE(may_include("core/memory.cpp", "pliant/tests/op_case.h"));
}

TEST_CASE("layering: no file includes what its room may not see") {
  const fs::path root = PLIANT_SOURCE_DIR;
  std::size_t files = 0, own = 0;
  for (const auto& [room, allowed] : rooms())
    for (const fs::path& source : sources_in(root / room)) {
      const std::string path = fs::relative(source, root).generic_string();
      std::ifstream file(source);
      ++files;
      for (const Include& include : includes_of(file)) {
        const std::string& header = include.header;
        if (header.starts_with("pliant/")) ++own;
        CHECK_MESSAGE(may_include(path, header), path, " must not include ", header);
        CHECK_MESSAGE(!include.quoted, path, " includes \"", header, "\": write <pliant/...>");
      }
    }
  CHECK(files > 20);  // else the files were not found and nothing was checked
  CHECK(own > files);
}

TEST_CASE("layering: pliant.h has every public op, layer and net, and nothing that is hidden") {
  const fs::path root = PLIANT_SOURCE_DIR;
  std::set<std::string> seen;
  add_closure(root, "pliant.h", seen);
  for (const std::string& path : seen) CHECK_MESSAGE(is_installed(path), path);
  std::size_t files = 0;
  for (const char* const room : {"autograd/ops", "layers"})
    for (const fs::path& source : sources_in(root / room)) {
      const std::string path = fs::relative(source, root).generic_string();
      if (!is_installed(path)) continue;
      ++files;
      CHECK_MESSAGE(seen.count(path) == 1, path, " is not in pliant.h");
    }
  CHECK(files > 60);
}
