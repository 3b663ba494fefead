// The runner of golden cases must not be fooled: what is wrong in a case fails, whatever it is.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>

#include <doctest/doctest.h>

#include <pliant/layers/safetensors.h>
#include <pliant/tests/conformance/ops.h>
#include <pliant/tests/conformance/runner.h>
#include <pliant/tests/op_case.h>

namespace {

namespace fs = std::filesystem;
using namespace pliant;
using namespace pliant::conformance;
using pliant::test::contains;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A folder of its own that goes away with it.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "pliant-conformance-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Tensor vector3(double a, double b, double c) { return Tensor::from({a, b, c}, {3}); }

// y = relu(x), correct in everything.
SafetensorsFile good() {
  SafetensorsFile file;
  file.metadata = {{"op", "relu"},       {"forward_only", "false"}, {"rtol_f64", "1e-9"},
                   {"atol_f64", "1e-9"}, {"rtol_f32", "1e-4"},      {"atol_f32", "1e-5"},
                   {"source", "by hand"}};
  file.tensors = {{"input.x", vector3(-1, 2, 3)},
                  {"output.y", vector3(0, 2, 3)},
                  {"grad_output.y", vector3(5, 6, 7)},
                  {"grad.x", vector3(0, 6, 7)}};
  return file;
}

Tensor& tensor(SafetensorsFile& file, const std::string& name) {
  for (auto& [known, value] : file.tensors)
    if (known == name) return value;
  file.tensors.emplace_back(name, Tensor());
  return file.tensors.back().second;
}

CaseResult run(const SafetensorsFile& file, DType dtype = DType::float64) {
  const Folder folder;
  write_safetensors(folder / "case.safetensors", file);
  return run_file(folder / "case.safetensors", {dtype, Device::cpu()});
}

// Runs the good case after `spoil` was at it, expects a failure and returns its message.
std::string failure(const std::function<void(SafetensorsFile&)>& spoil) {
  SafetensorsFile file = good();
  spoil(file);
  const CaseResult result = run(file);
  CHECK(result.status == Status::failed);
  CHECK_FALSE(contains(result.message, "\n"));
  return result.message;
}

std::string report(const std::vector<CaseResult>& results) {
  std::ostringstream text;
  print_report(text, results);
  return text.str();
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a right case passes in both precisions") {
  CHECK(run(good()).status == Status::passed);
  CHECK(run(good(), DType::float32).status == Status::passed);
}

TEST_CASE("a wrong value fails and names tensor, place and deviation") {
  const std::string value =
      failure([](auto& file) { tensor(file, "output.y") = vector3(0, 2.5, 3); });
  CHECK(contains(value, "output.y: worst deviation 0.5 at [1]"));
  CHECK(contains(value, "1 of 3 elements out"));
  const std::string gradient =
      failure([](auto& file) { tensor(file, "grad.x") = vector3(0, 6, 7.25); });
  CHECK(contains(gradient, "grad.x: worst deviation 0.25 at [2]"));
}

TEST_CASE("tolerances come from the file, by precision") {
  SafetensorsFile file = good();
  tensor(file, "output.y") = vector3(0, 2.0001, 3);
  CHECK(run(file).status == Status::failed);
  CHECK(run(file, DType::float32).status == Status::passed);
  file.metadata["atol_f64"] = "0.001";
  file.metadata["rtol_f32"] = file.metadata["atol_f32"] = "0";
  CHECK(run(file).status == Status::passed);
  CHECK(run(file, DType::float32).status == Status::failed);
  for (const char* text : {"nan", "inf", "-1", "", "1e-9x"})
    CHECK(contains(failure([&](auto& f) { f.metadata["rtol_f64"] = text; }), "rtol_f64"));
}

TEST_CASE("what the op does not know fails") {
  CHECK(contains(failure([](auto& f) { f.metadata["slope"] = "0.1"; }), "unknown attribute slope"));
  for (const char* name : {"input.bias", "output.z", "grad.bias", "grad_output.z", "extra", "in.x"})
    CHECK(contains(failure([&](auto& f) { tensor(f, name) = vector3(1, 2, 3); }),
                   std::string("unknown tensor ") + name));
}

TEST_CASE("what is missing fails") {
  for (const char* name : {"op", "forward_only", "rtol_f64", "atol_f64", "rtol_f32", "atol_f32"})
    CHECK(contains(failure([&](auto& f) { f.metadata.erase(name); }), name));
  for (std::size_t i = 0; i < good().tensors.size(); ++i)
    failure([&](auto& f) { f.tensors.erase(f.tensors.begin() + static_cast<std::ptrdiff_t>(i)); });
  CHECK(contains(failure([](auto& f) { f.metadata["op"] = "sum"; }), "attribute axes is missing"));
}

TEST_CASE("forward_only asks for no gradient and allows none") {
  SafetensorsFile file = good();
  file.metadata["forward_only"] = "true";
  CHECK(contains(run(file).message, "forward_only is true"));
  file.tensors.resize(2);
  CHECK(run(file).status == Status::passed);
}

TEST_CASE("NaN passes only against NaN, an infinity only against itself") {
  for (const char* name : {"output.y", "grad.x"})
    for (const double value : {kNaN, kInfinity, -kInfinity})
      CHECK(contains(failure([&](auto& f) { tensor(f, name) = vector3(0, value, 3); }), name));
  CHECK(contains(failure([](auto& f) { tensor(f, "input.x") = vector3(-1, kNaN, 3); }), "y"));
  SafetensorsFile both = good();
  tensor(both, "input.x") = tensor(both, "output.y") = vector3(0, kNaN, 3);
  both.tensors.resize(2);
  both.metadata["forward_only"] = "true";
  CHECK(run(both).status == Status::passed);
  tensor(both, "input.x") = vector3(0, 1, 3);
  CHECK(run(both).status == Status::failed);
  const Tolerance loose{1, 1e300};
  CHECK(compare("t", vector3(kNaN, 0, 0), vector3(kNaN, 0, 0), {0, 0}).passed);
  CHECK_FALSE(compare("t", vector3(kNaN, 0, 0), vector3(1, 0, 0), loose).passed);
  CHECK_FALSE(compare("t", vector3(1, 0, 0), vector3(kNaN, 0, 0), loose).passed);
  CHECK_FALSE(compare("t", vector3(kInfinity, 0, 0), vector3(kNaN, 0, 0), loose).passed);
  CHECK(compare("t", vector3(kInfinity, 0, 0), vector3(kInfinity, 0, 0), loose).passed);
  CHECK_FALSE(compare("t", vector3(kInfinity, 0, 0), vector3(-kInfinity, 0, 0), loose).passed);
  CHECK_FALSE(compare("t", vector3(1, 0, 0), vector3(kInfinity, 0, 0), loose).passed);
  CHECK_FALSE(compare("t", vector3(kInfinity, 0, 0), vector3(1, 0, 0), loose).passed);
}

TEST_CASE("a float32 result is held against the nearest float32") {
  const Tensor want = Tensor::from({3.7200759760208361e-44}, {1});  // between two subnormals
  const Tolerance strict{.relative = 1e-3};
  CHECK(compare("t", want.to(DType::float32), want, strict).passed);
  CHECK(compare("t", want, want, strict).passed);
  CHECK_FALSE(compare("t", Tensor::full({1}, 0), want, strict).passed);
  CHECK_FALSE(compare("t", want.to(DType::float32).to(DType::float64), want, strict).passed);
}

TEST_CASE("another shape fails although its elements agree") {
  CHECK(contains(failure([](auto& f) {
                   tensor(f, "grad.x") = vector3(0, 6, 7).reshape({1, 3});
                 }),
                 "has shape [3], want [1 3]"));
  failure([](auto& f) {
    tensor(f, "output.y") = vector3(0, 2, 3).reshape({1, 3});
    tensor(f, "grad_output.y") = vector3(5, 6, 7).reshape({1, 3});
  });
}

TEST_CASE("attributes are read to their last letter") {
  CHECK(parse_integers("a", "2,-1") == std::vector<std::int64_t>{2, -1});
  CHECK(parse_reals("a", "0.9,1e-05") == std::vector<double>{0.9, 1e-5});
  CHECK(parse_bool("a", "true"));
  for (const char* text : {"", "1,", ",1", "1.5", "2 ", "two"})
    CHECK_THROWS_AS(parse_integers("a", text), Error);
  CHECK_THROWS_AS(parse_bool("a", "True"), Error);
  CHECK_THROWS_AS(parse_real("a", "1e"), Error);
}

TEST_CASE("files that are missing, cut or no case are failures of one line") {
  const Folder folder;
  write_safetensors(folder / "good.safetensors", good());
  write_text(folder / "empty.safetensors", "");
  write_text(folder / "garbage.safetensors", std::string(64, 'x'));
  fs::copy_file(folder / "good.safetensors", folder / "cut.safetensors");
  fs::resize_file(folder / "cut.safetensors", fs::file_size(folder / "cut.safetensors") - 8);
  std::vector<CaseResult> results;
  for (const fs::path& path : expand({folder.path(), folder / "missing"}))
    results.push_back(run_file(path, {}));
  REQUIRE(results.size() == 5);
  for (const CaseResult& result : results)
    CHECK((result.status == Status::passed) == contains(result.path, "good"));
  const std::string text = report(results);
  CHECK(contains(text, "missing: "));
  CHECK(contains(text, "cut.safetensors: "));
  CHECK(text.ends_with("\n1 passed, 4 failed, 0 skipped\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 5);
  CHECK(exit_code(count(results), Strictness::skips_allowed) == 1);
}

TEST_CASE("an op that is not there yet is skipped, by name") {
  SafetensorsFile file = good();
  file.metadata["op"] = "no_such_op";
  const std::vector<CaseResult> results = {run(file), run(good())};
  CHECK(results[0].status == Status::skipped);
  CHECK(contains(report(results), "skip no_such_op"));
  CHECK(report(results).ends_with("1 passed, 0 failed, 1 skipped\n"));
  CHECK(exit_code(count(results), Strictness::skips_allowed) == 0);
  CHECK(exit_code(count(results), Strictness::no_skips) == 1);
}

TEST_CASE("nothing run is not a success") {
  const Folder folder;
  CHECK(expand({folder.path()}).empty());
  CHECK(exit_code(count({}), Strictness::skips_allowed) == 1);
  CHECK(exit_code({.passed = 0, .failed = 0, .skipped = 3}, Strictness::skips_allowed) == 1);
  CHECK(exit_code({.passed = 1, .failed = 0, .skipped = 0}, Strictness::no_skips) == 0);
  CHECK(contains(report({}), "0 passed, 0 failed, 0 skipped\n"));
}

TEST_CASE("every shipped case can be read, and those of one op pass") {
  const std::vector<fs::path> files = expand({fs::path(PLIANT_SOURCE_DIR) / "tests/golden"});
  CHECK(files.size() > 300);
  int run = 0;
  for (const fs::path& file : files) {
    if (file.parent_path().filename() == "vision") continue;  // vision_conformance_test.cpp
    CAPTURE(file);
    GoldenCase golden;
    CHECK_NOTHROW(golden = read_case(file));
    CHECK((find_op(golden.op) != nullptr));
    if (golden.op != "conv2d") continue;
    const CaseResult result = run_file(file, {});
    CHECK_MESSAGE(result.status == Status::passed, result.message);
    ++run;
  }
  CHECK(run > 10);
}
