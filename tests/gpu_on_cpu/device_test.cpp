// That the CPU in the place of a GPU notices what it is there to notice.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/core/capture.h>
#include <pliant/core/conv_plans.h>
#include <pliant/core/gpu_options.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/cuda_check.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/gpu_on_cpu/device.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct DeviceFloats {
  float* memory = nullptr;
  explicit DeviceFloats(std::size_t count) {
    cudaMalloc(reinterpret_cast<void**>(&memory), count * sizeof(float));
  }
  DeviceFloats(const DeviceFloats&) = delete;
  DeviceFloats& operator=(const DeviceFloats&) = delete;
  ~DeviceFloats() { cudaFree(memory); }
};

// A device with faults, for a while.
struct WithFaults {
  explicit WithFaults(const gpu_on_cpu::Faults& faults) { gpu_on_cpu::faults() = faults; }
  WithFaults(const WithFaults&) = delete;
  WithFaults& operator=(const WithFaults&) = delete;
  ~WithFaults() { gpu_on_cpu::faults() = {}; }
};

// Products of shapes that nothing else here has: what is chosen for one is kept.
void check_product(std::int64_t n) {
  check_case({"product",
              [](const Vars& v) { return matmul(v[0], v[1]); },
              {random({3, 6, 16}, 1), random({3, 16, n}, 2)}},
             DType::float32);
}
void check_layer(std::int64_t n) {
  check_case({"layer",
              [](const Vars& v) { return linear(v[0], v[1], v[2], Activation::relu); },
              {random({6, 16}, 1), random({n, 16}, 2), random({n}, 3)}},
             DType::float32);
}
void check_groups(std::int64_t n) {
  set_gpu_options({.convolution = ConvPath::columns});
  check_case({"groups",
              [](const Vars& v) { return conv2d(v[0], v[1], v[2], {.padding = 1, .groups = 2}); },
              {random({2, 5, 4, 6}, 1), random({n, 3, 3, 3}, 2), random({n}, 3)}},
             DType::float32);
  set_gpu_options({});
}

// Convolutions of shapes that nothing else here has, by cuDNN where it has a way.
OpCase convolution(std::int64_t filters) {
  return {"convolution",
          [](const Vars& v) { return conv2d(v[0], v[1], v[2], {.padding = 1}); },
          {random({2, 5, 4, 3}, 1), random({filters, 3, 3, 3}, 2), random({filters}, 3)}};
}
// What was chosen for its three passes.
std::vector<ConvPlan> plans_of(std::int64_t filters) {
  std::vector<ConvPlan> all = conv_plans();
  const std::string weight = "weight [" + std::to_string(filters) + " 3 3 3]";
  std::erase_if(all, [&](const ConvPlan& p) { return !contains(p.convolution, weight); });
  return all;
}
// Whether this build knows cuDNN at all; says so where it does not.
bool has_cudnn() {
  run(convolution(11), DType::float32, gpu());
  if (!plans_of(11).empty()) return true;
  MESSAGE("skipped: this build has no cuDNN");
  return false;
}

// What is said on standard error meanwhile.
std::string said_on_errors(const std::function<void()>& work) {
  const std::ostringstream text;
  std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
  work();
  std::cerr.rdbuf(before);
  return text.str();
}

}  // namespace

TEST_CASE("gpu on cpu: a product whose first algorithms refuse takes the next") {
  const WithFaults faults({.refused_algorithms = 3});
  check_product(11);
  check_layer(24);
}

TEST_CASE("gpu on cpu: a product without an algorithm for its epilogue adds the bias before it") {
  const WithFaults faults({.no_epilogues = true});
  check_layer(40);
}

TEST_CASE("gpu on cpu: a batch of products that is refused is taken one by one") {
  const WithFaults faults({.no_batches = true});
  check_product(13);
  check_groups(10);
}

TEST_CASE("gpu on cpu: a product that nothing computes says all that it is") {
  const WithFaults faults({.refused_algorithms = 100, .no_batches = true});
  const std::string message = error_of([] {
    matmul(random({2, 3, 5}, 1).to(DType::float32).to(gpu()),
           random({2, 5, 17}, 2).to(DType::float32).to(gpu()));
  });
  CHECK_MESSAGE(message.starts_with("matmul: cublasLtMatmul of 2 times a [3 5] (row stride 5, "),
                message);
  CHECK(contains(message, "by b [5 17] (row stride 17, matrix stride 85, aligned to 4 bytes)"));
  CHECK(contains(message, "float32 to float32 failed: "));
}

TEST_CASE("gpu on cpu: cuDNN computes by the first engine that nothing speaks against") {
  if (!has_cudnn()) return;
  check_case(convolution(12), DType::float32);
  REQUIRE(plans_of(12).size() == 3);
  for (const ConvPlan& plan : plans_of(12)) {
    CHECK(plan.engine == 2);  // the first is not exact, the next wants a terabyte
    CHECK(plan.workspace == 64);
  }
}

TEST_CASE("gpu on cpu: an engine of cuDNN's that cannot be loaded makes way for the next") {
  if (!has_cudnn()) return;
  {
    const WithFaults faults({.unloadable_engines = 4});
    check_case(convolution(13), DType::float32);
  }
  for (const ConvPlan& plan : plans_of(13)) CHECK(plan.engine == 4);
  const WithFaults faults({.unloadable_engines = 100});
  check_case(convolution(14), DType::float32);
  REQUIRE(plans_of(14).size() == 3);
  for (const ConvPlan& plan : plans_of(14)) {
    CHECK(plan.engine == -1);
    CHECK(contains(plan.refusal, "no engine of cuDNN's does it: cudnnBackendFinalize failed: "));
  }
}

TEST_CASE("gpu on cpu: a plan of cuDNN's that fails makes way for columns, said once") {
  if (!has_cudnn()) return;
  const std::string said = said_on_errors([] {
    const WithFaults faults({.plans = gpu_on_cpu::Plans::refuse});
    check_case(convolution(15), DType::float32);
  });
  const std::string pass =
      "pliant: conv2d (input [2 5 4 3], weight [15 3 3 3], output [2 5 4 15], "
      "float32) goes on without cuDNN: cudnnBackendExecute failed: ";
  CHECK_MESSAGE(contains(said, pass), said);
  CHECK(std::count(said.begin(), said.end(), '\n') == 3);  // each pass once, of two runs
  // It stays so, and who wants cuDNN alone is told.
  set_gpu_options({.convolution = ConvPath::cudnn});
  const std::string refusal = error_of([] { run(convolution(15), DType::float32, gpu()); });
  set_gpu_options({});
  CHECK_MESSAGE(contains(refusal, "float32): cudnnBackendExecute failed: "), refusal);
}

TEST_CASE("gpu on cpu: a plan of cuDNN's that fails with the device is no plan's fault") {
  if (!has_cudnn()) return;
  std::string error;
  const std::string said = said_on_errors([&] {
    const WithFaults faults({.plans = gpu_on_cpu::Plans::lose_the_device});
    error = error_of([] { run(convolution(16), DType::float32, gpu()); });
  });
  CHECK_MESSAGE(
      contains(error, "conv2d: a kernel before this one failed: an illegal memory access"), error);
  CHECK(said.empty());
}

TEST_CASE("gpu on cpu: a recording that waits for another thread's work does not wait for ever") {
  std::string failure;
  int calls = 0;
  CapturedStep step = capture(gpu(), [&] {
    if (++calls == 1) return;
    std::thread([&] {
      failure = error_of([] { Tensor::zeros({1}, DType::float32, gpu()); });
    }).join();
  });
  for (int i = 0; i < 3; ++i) step.replay();
  CHECK_MESSAGE(failure.starts_with("cuda: another thread has recorded a step for 10 s"), failure);
}

TEST_CASE("gpu on cpu: errors of calls before are not a kernel's") {
  CHECK(cudaFree(&gpu_on_cpu::faults()) != cudaSuccess);  // as nobody may
  CHECK(relu(Var(Tensor::full({3}, 2, DType::float32, gpu()))).value().to_vector() ==
        std::vector<double>(3, 2.0));
  cudaGetLastError();
}

// Run anew, with a driver that finds no device.
TEST_CASE("gpu on cpu: what needs a device" * doctest::skip()) {
  CHECK(no_device() == (std::getenv("PLIANT_NEEDS_GPU") == nullptr));
  CHECK(error_of([] { Tensor::zeros({1}, DType::float32, gpu()); }) == "");
}
TEST_CASE("gpu on cpu: where the driver finds no device, its words are those of the Error") {
  for (const char* needs : {"", "PLIANT_NEEDS_GPU=1"}) {
    const Anew anew = run_anew(std::string("GPU_ON_CPU_OLD_DRIVER=1 ") + needs,
                               "gpu on cpu: what needs a device");
    CAPTURE(anew.output);
    CHECK(contains(anew.output,
                   "there is no cuda:0 (0 found); the driver says: the driver is too old"));
    CHECK(!contains(anew.output, "no_device()"));  // a CHECK that fails is printed
  }
}

// Run anew, in a process of its own, where it ends at the first case.
TEST_CASE("gpu on cpu: cases on a device that is lost" * doctest::skip()) {
  const auto lose = [](const Vars& v) {
    gpu_on_cpu::faults().is_lost = v[0].device().is_cuda();
    return relu(v[0]);
  };
  check_case({"the culprit", lose, {random({3}, 1)}}, DType::float32);
  check_case({"another", lose, {random({3}, 1)}}, DType::float32);
}
TEST_CASE("gpu on cpu: the case that loses the device is named, and ends the process") {
  const Anew lost = run_anew("", "gpu on cpu: cases on a device that is lost");
  CAPTURE(lost.output);
  CHECK(lost.status != 0);
  CHECK(contains(lost.output, "the GPU is lost to this process since the case \"the culprit\" in"));
  CHECK(contains(lost.output, "an illegal memory access"));
  CHECK(!contains(lost.output, "another"));
  const Anew filtered =
      run_anew("PLIANT_CASES=nothing", "gpu on cpu: cases on a device that is lost");
  CHECK(filtered.status == 0);  // it ran none of them
}

// Run anew, under a trace.
TEST_CASE("gpu on cpu: some launches" * doctest::skip()) {
  const Tensor x = Tensor::full({30}, 1, DType::float32, gpu());
  for (int i = 0; i < 5000; ++i) relu(Var(x));  // more than wait for their times at once
  CapturedStep step = capture(gpu(), [&] { relu(Var(x)); });
  for (int i = 0; i < 4; ++i) step.replay();
  matmul(x.reshape({5, 6}), x.reshape({6, 5}));
}
TEST_CASE("gpu on cpu: PLIANT_GPU_TRACE counts and times launches by op and kernel") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "trace").string();
  const Anew traced = run_anew("PLIANT_GPU_TRACE='" + path + "'", "gpu on cpu: some launches");
  CAPTURE(traced.output);
  CHECK(traced.status == 0);
  std::istringstream table(text_of(path));
  std::string line;
  std::getline(table, line);
  CHECK(line == "op\tkernel\tlaunches\trecorded\ttotal ms\tmean us");
  double before = std::numeric_limits<double>::infinity();
  std::string all;
  while (std::getline(table, line)) {
    all += line + '\n';
    std::istringstream row(line.substr(line.find('\t', line.find('\t') + 1)));
    std::int64_t launches = 0, recorded = 0;
    double total = 0, mean = 0;
    row >> launches >> recorded >> total >> mean;
    CHECK(total <= before);
    before = total;
    if (launches > 0) CHECK(mean == doctest::Approx(1e3 * total / double(launches)).epsilon(1e-3));
  }
  CAPTURE(all);
  CHECK(all.find("unary\t") != std::string::npos);
  CHECK(all.find("\t5001\t1\t") != std::string::npos);  // one called, one recorded
  CHECK(all.find("capture\tcudaGraphLaunch\t3\t0\t") != std::string::npos);
  CHECK(all.find("matmul\tcublasLtMatmul\t1\t0\t") != std::string::npos);
}

TEST_CASE("gpu on cpu: a kernel may catch values and device memory, not variables of the host") {
  const DeviceFloats floats(4);
  float* const there = floats.memory;
  float here = 1;
  const std::vector<float> heap(100);
  const char* const text = "a text of the program";
  gpu_on_cpu::check_kernel("test",
                           [there, text, n = std::int64_t{7}] { return there + n + *text; });
  if (!kSanitized) {
    MESSAGE("skipped: which addresses are the host's, AddressSanitizer alone knows");
    return;
  }
  const std::string refusal = "test: a kernel has caught the address of a variable on the host";
  CHECK(contains(error_of([&] { gpu_on_cpu::check_kernel("test", [&here] { return here; }); }),
                 refusal));
  CHECK(contains(
      error_of([at = heap.data()] { gpu_on_cpu::check_kernel("test", [at] { return *at; }); }),
      refusal));
}

TEST_CASE("gpu on cpu: memory holds NaN at first, and the order of elements changes") {
  const DeviceFloats floats(4);
  float held = 0;
  CHECK(cudaMemcpyAsync(&held, floats.memory + 3, sizeof held, cudaMemcpyDefault, nullptr) ==
        cudaSuccess);
  CHECK(std::isnan(held));
  gpu_on_cpu::Order first{}, second{};
  gpu_on_cpu::launch([&](gpu_on_cpu::Order order) { first = order; });
  gpu_on_cpu::launch([&](gpu_on_cpu::Order order) { second = order; });
  CHECK(first != second);
}

TEST_CASE("gpu on cpu: a recording stream keeps work and refuses to wait, to ask and to copy") {
  const DeviceFloats floats(1);
  float here = 0;
  int runs = 0;
  CHECK(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeRelaxed) == cudaSuccess);
  gpu_on_cpu::launch([&](gpu_on_cpu::Order) { ++runs; });
  CHECK(cudaStreamSynchronize(nullptr) == cudaErrorStreamCaptureUnsupported);
  void* more = nullptr;
  CHECK(cudaMallocAsync(&more, 4, nullptr) == cudaErrorStreamCaptureUnsupported);
  CHECK(cudaMemcpyAsync(&here, floats.memory, 4, cudaMemcpyDefault, nullptr) ==
        cudaErrorStreamCaptureUnsupported);
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(nullptr, &graph) == cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  cudaGraphInstantiate(&executable, graph, 0);
  CHECK(runs == 0);
  cudaGraphLaunch(executable, nullptr);
  cudaGraphLaunch(executable, nullptr);
  CHECK(runs == 2);
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(executable);
  cudaGetLastError();
}
