#include <pliant/core/capture.h>

#include <utility>
#include <vector>

namespace pliant {
namespace {

struct DestroyGraph {
  void operator()(cuda::Graph* graph) const {
    if constexpr (kHasCuda) cuda::destroy(graph);
  }
};

thread_local CapturedStep::State* replaying = nullptr;

}  // namespace

struct CapturedStep::State {
  Device device;
  std::function<void()> step;
  std::vector<std::function<void()>> on_host;  // of the recording
  std::unique_ptr<cuda::Graph, DestroyGraph> graph;
  bool called = false, recording = false;

  void replay() {
    if (device.is_cpu() || !called) {
      step();
      called = true;
      return;
    }
    if constexpr (kHasCuda) {
      if (graph == nullptr) record();
      for (const auto& f : on_host) f();
      cuda::launch(graph.get());
    }
  }

  void record() {
    std::unique_ptr<cuda::Graph, DestroyGraph> begun(cuda::begin_recording());
    on_host.clear();
    recording = true;
    try {
      step();
    } catch (...) {
      recording = false;
      throw;
    }
    recording = false;
    cuda::end_recording(begun.get());
    graph = std::move(begun);
  }
};

CapturedStep::CapturedStep(std::unique_ptr<State> state) : state_(std::move(state)) {}
CapturedStep::CapturedStep(CapturedStep&&) noexcept = default;
CapturedStep& CapturedStep::operator=(CapturedStep&&) noexcept = default;
CapturedStep::~CapturedStep() = default;

CapturedStep capture(Device device, std::function<void()> step) {
  require(step != nullptr, "capture: there is no function");
  auto state = std::make_unique<CapturedStep::State>();
  state->device = device;
  state->step = std::move(step);
  return CapturedStep(std::move(state));
}

void CapturedStep::replay() {
  require(state_ != nullptr, "replay: the step was moved away");
  require(replaying == nullptr, "replay: a step may not replay another");
  struct Inside {
    explicit Inside(State* state) { replaying = state; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { replaying = nullptr; }
  };
  const Inside inside(state_.get());
  state_->replay();
}

void at_every_replay(std::function<void()> f) {
  require(f != nullptr, "at_every_replay: the function is empty");
  if (replaying == nullptr || !replaying->recording) return f();
  replaying->on_host.push_back(std::move(f));
}

void require_no_replay(const char* op) {
  require(replaying == nullptr, op,
          ": a captured step reads nothing on the host, which does not take part in its replays; "
          "leave the tensor in a variable and read it after replay()");
}

void require_not_recording(const char* op) {
  require(replaying == nullptr || !replaying->recording, op,
          ": a captured step takes nothing from the host, which does not take part in its replays; "
          "numbers come from a StepState, tensors are made before");
}

}  // namespace pliant
