// That the CPU in the place of a GPU notices what it is there to notice.
#include <cmath>
#include <string>
#include <vector>

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

}  // namespace

TEST_CASE("gpu on cpu: a kernel may catch values and device memory, not variables of the host") {
  const DeviceFloats floats(4);
  float* const there = floats.memory;
  float here = 1;
  const std::vector<float> heap(100);
  const char* const text = "a text of the program";
  gpu_on_cpu::check_kernel("test",
                           [there, text, n = std::int64_t{7}] { return there + n + *text; });
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
