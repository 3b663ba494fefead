// What cuDNN chooses for our convolutions on a GPU that is described to it: its plans need none.
// What they compute does (cuda_test.cpp).
#include <doctest/doctest.h>

#ifndef PLIANT_WITH_CUDNN
TEST_CASE("cudnn: a build without cuDNN skips the test of its plans, aloud") {
  MESSAGE("skipped: the plans of cuDNN, which this build has not");
}
#else
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/cuda/conv2d_cudnn.h>
#include <pliant/cuda/cudnn_graph.h>
#include <pliant/tests/cases/conv2d.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr std::int64_t kFreeBytes = 141'000'000'000;

// An H200, with the values that are published of it.
std::string h200(int architecture = 900) {
  return R"({"cudaDeviceId":0,"deviceVer":)" + std::to_string(architecture) +
         R"(,"driverVer":13000,"maxGridSize":[2147483647,65535,65535],)"
         R"("maxBlockSize":[1024,1024,64],"regsPerBlock":65536,"multiProcessorCount":132,)"
         R"("warpSize":32,"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,)"
         R"("reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":32,)"
         R"("maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,)"
         R"("supportCoopLaunch":1,"smClockRateKHz":1980000,"memClockRateKHz":3201000,)"
         R"("l2CacheSize":62914560,"totalGlobalMem":150000000000,"deviceName":"NVIDIA H200"})";
}

// Beside the small ones, those of the digit nets and of detection and classification.
std::vector<ConvCase> all_shapes() {
  std::vector<ConvCase> all;
  for (const ConvCase& c : conv_shapes())
    if (c.x[0] != 0) all.push_back(c);  // of nothing cuDNN is told nothing
  const std::vector<ConvCase> real = {
      {"128x28x28, 1 to 32", {128, 28, 28, 1}, {32, 3, 3, 1}, {.padding = 1}},
      {"128x28x28, 32 to 64, stride 2", {128, 28, 28, 32}, {64, 3, 3, 32}, {2, 1}},
      {"128x14x14, 64 to 128", {128, 14, 14, 64}, {128, 3, 3, 64}, {.padding = 1}},
      {"128x14x14, 128 to 128, stride 2", {128, 14, 14, 128}, {128, 3, 3, 128}, {2, 1}},
      {"128x14x14, 64 to 18", {128, 14, 14, 64}, {18, 3, 3, 64}, {.padding = 1}},
      {"128x14x14, 64 to 9", {128, 14, 14, 64}, {9, 3, 3, 64}, {.padding = 1}},
      {"8x118x118, 256 to 256", {8, 118, 118, 256}, {256, 3, 3, 256}, {.padding = 1}},
      {"16x100x136, 256 to 256", {16, 100, 136, 256}, {256, 3, 3, 256}, {.padding = 1}},
      {"32x14x14, 256 in 32 groups",
       {32, 14, 14, 256},
       {256, 3, 3, 8},
       {.padding = 1, .groups = 32}}};
  all.insert(all.end(), real.begin(), real.end());
  return all;
}

using PlanOf = ConvPlan (*)(cuda::ConvPass, const Conv2dGeometry&, bool, const std::string&,
                            std::int64_t);
struct Kind {
  const char* name;
  PlanOf plan_of;
  bool tf32;
};
constexpr std::array kKinds = {Kind{"float32", cuda::conv_plan<float>, false},
                               Kind{"tf32", cuda::conv_plan<float>, true},
                               Kind{"bfloat16", cuda::conv_plan<BFloat16>, false},
                               Kind{"float64", cuda::conv_plan<double>, false}};
constexpr std::array kPasses = {cuda::ConvPass::forward, cuda::ConvPass::data_gradient,
                                cuda::ConvPass::weight_gradient};

Conv2dGeometry geometry(const ConvCase& c) {
  return conv_geometry("conv2d", c.x, c.weight, c.options);
}

// Where the sources are, or, of a program that was carried elsewhere, where it is started.
std::string path_of_plans() {
  const std::string name = "tests/cudnn_plans.json", here = PLIANT_SOURCE_DIR "/" + name;
  return std::filesystem::exists(here) ? here : name;
}

}  // namespace

// tests/cudnn_plans.json holds, by cuDNN's version and the convolution, "engine workspace" of the
// forward pass, the gradient by x and that by the weight. PLIANT_CUDNN_PLANS=file writes what this
// version chooses.
TEST_CASE("cudnn: on an H200 every convolution has a plan, the known one, within its workspace") {
  const std::int64_t limit = cuda::conv_workspace_limit(kFreeBytes);
  const std::string version = std::to_string(cudnnGetVersion());
  nlohmann::ordered_json chosen;
  for (const ConvCase& c : all_shapes())
    for (const Kind& kind : kKinds) {
      std::string& plans =
          (chosen[version][std::string(c.name) + ", " + kind.name] = "").get_ref<std::string&>();
      for (const cuda::ConvPass pass : kPasses) {
        const ConvPlan plan = kind.plan_of(pass, geometry(c), kind.tf32, h200(), limit);
        CHECK_MESSAGE(plan.engine >= 0, plan.convolution, ": ", plan.refusal);
        CHECK(plan.workspace <= limit);
        plans += (plans.empty() ? "" : ", ") + std::to_string(plan.engine) + ' ' +
                 std::to_string(plan.workspace);
      }
    }
  if (const char* const path = std::getenv("PLIANT_CUDNN_PLANS"))
    std::ofstream(path) << chosen.dump(1) << '\n';
  std::ifstream file(path_of_plans());
  const auto known = nlohmann::json::parse(file);
  if (!known.contains(version)) {
    MESSAGE("the plans of cuDNN ", version, " are not known: tests/cudnn_plans.json has others'");
    return;
  }
  CHECK(known[version].size() == chosen[version].size());
  for (const auto& [name, plans] : chosen[version].items()) {
    CAPTURE(name);
    CHECK(known[version].value(name, "") == plans.get<std::string>());
  }
}

TEST_CASE("cudnn: an engine that needs too much room makes way for the next") {
  for (const ConvCase& c : all_shapes())
    for (const cuda::ConvPass pass : kPasses) {
      const ConvPlan plan = cuda::conv_plan<float>(pass, geometry(c), false, h200(), 0);
      CAPTURE(plan.convolution);
      CHECK(plan.workspace == 0);
      CHECK(((plan.engine >= 0) != contains(plan.refusal, "no engine of cuDNN's does it: ")));
    }
  CHECK(cuda::conv_workspace_limit(std::int64_t{1} << 30) == std::int64_t{1} << 28);
  CHECK(cuda::conv_workspace_limit(kFreeBytes) == std::int64_t{4} << 30);
}

TEST_CASE("cudnn: where no engine will do, the reason is kept; a GPU that is none is an Error") {
  const auto plan = [](const std::string& device, std::int64_t limit) {
    return cuda::conv_plan<float>(cuda::ConvPass::forward, geometry(conv_shapes().front()), false,
                                  device, limit);
  };
  const ConvPlan none = plan(h200(), -1);
  CHECK(none.engine == -1);
  CHECK_MESSAGE(contains(none.refusal, "no engine of cuDNN's does it: the last one"), none.refusal);
  CHECK(contains(error_of([&] { plan(h200(100), 0); }), "cudnnBackendFinalize failed: "));
  CHECK(contains(error_of([&] { plan("{", 0); }), "cudnnBackend"));
}

TEST_CASE("cudnn: takes the arrays of a plan, with a workspace and without") {
  const std::array<std::int64_t, 3> ids = {1, 2, 3};
  const std::array<char, 4> memory{};
  const std::array<const void*, 3> arrays = {memory.data(), memory.data() + 1, memory.data() + 2};
  for (const void* const workspace :
       {static_cast<const void*>(nullptr), static_cast<const void*>(memory.data() + 3)})
    CHECK(cuda::make_pack(ids, arrays, workspace).get() != nullptr);
}
#endif
