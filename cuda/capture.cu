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
    const std::lock_guard turn(stream_turns());
    if (turn_.owns_lock()) {
      cudaGraph_t half_done = nullptr;
      cudaStreamEndCapture(stream(), &half_done);
      if (half_done != nullptr) cudaGraphDestroy(half_done);
      cudaGetLastError();
      turn_.unlock();
    }
    cudaStreamSynchronize(stream());
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
  }

  void begin() {
    // What the function used when it was called lies free in the pool; the arena needs as much.
    trim_pool();
    turn_.lock();
    // Relaxed: the arena's cudaMalloc happens beside the stream.
    const cudaError_t status = cudaStreamBeginCapture(stream(), cudaStreamCaptureModeRelaxed);
    if (status != cudaSuccess) turn_.unlock();
    check(status, kWho, "cudaStreamBeginCapture");
    arena_.begin();
  }

  void end() {
    arena_.end();
    cudaGraph_t graph = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(stream(), &graph);
    turn_.unlock();
    check(ended, kWho, "cudaStreamEndCapture");
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, kWho, "cudaGraphInstantiate");
    check(cudaGraphUpload(executable_, stream()), kWho, "cudaGraphUpload");
  }

  void launch() {
    const Stream queue;
    const Traced traced(kWho, "cudaGraphLaunch");
    check(cudaGraphLaunch(executable_, queue), kWho, "cudaGraphLaunch");
  }

 private:
  Arena arena_;  // destroyed last: the graph has run to its end by then
  cudaGraphExec_t executable_ = nullptr;
  std::unique_lock<std::recursive_timed_mutex> turn_{stream_turns(), std::defer_lock};  // to record
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
