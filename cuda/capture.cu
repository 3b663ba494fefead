#include <pliant/core/capture.h>

#include <memory>

#include <pliant/cuda/arena.h>
#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

constexpr const char* kWho = "capture";

}  // namespace

class cuda::Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  // Runs in destructors, so it does not throw.
  ~Graph() {
    if (recording_) {
      cudaGraph_t half_done = nullptr;
      cudaStreamEndCapture(stream(), &half_done);
      if (half_done != nullptr) cudaGraphDestroy(half_done);
      cudaGetLastError();
    }
    cudaStreamSynchronize(stream());
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
  }

  void begin() {
    // What the function used when it was called lies free in the pool; the arena needs as much.
    trim_pool();
    // Relaxed: the arena's cudaMalloc happens beside the stream.
    check(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeRelaxed), kWho,
          "cudaStreamBeginCapture");
    recording_ = true;
    arena_.begin();
  }

  void end() {
    arena_.end();
    recording_ = false;
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(stream(), &graph), kWho, "cudaStreamEndCapture");
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, kWho, "cudaGraphInstantiate");
    check(cudaGraphUpload(executable_, stream()), kWho, "cudaGraphUpload");
  }

  void launch() { check(cudaGraphLaunch(executable_, stream()), kWho, "cudaGraphLaunch"); }

 private:
  Arena arena_;  // destroyed last: the graph has run to its end by then
  cudaGraphExec_t executable_ = nullptr;
  bool recording_ = false;
};

cuda::Graph* cuda::begin_recording() {
  auto graph = std::make_unique<Graph>();
  graph->begin();
  return graph.release();  // until destroy()
}

void cuda::end_recording(Graph* graph) { graph->end(); }
void cuda::launch(Graph* graph) { graph->launch(); }
void cuda::destroy(Graph* graph) { const std::unique_ptr<Graph> gone(graph); }

}  // namespace pliant
