#include <pliant/cuda/cudnn_graph.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

using namespace cuda;

// For the GPU by its handle, or for one that is described.
CudnnDescriptor make_graph(const CudnnDescriptor& operation, const CudnnDescriptor* device) {
  CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (device == nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, cudnn());
  return graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation).finalize();
}

// The configurations that one of cuDNN's heuristics offers, best first.
std::vector<CudnnDescriptor> offered(const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode,
                                     const CudnnDescriptor* device) {
  constexpr std::size_t kMost = 64;
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (device != nullptr) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device);
  heuristic = heuristic.finalize();
  std::vector<CudnnDescriptor> configs;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::size_t i = 0; i < kMost; ++i)
    handles.push_back(configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  const std::int64_t count = heuristic.fill(CUDNN_ATTR_ENGINEHEUR_RESULTS, handles);
  configs.erase(configs.begin() + count, configs.end());
  return configs;
}

CudnnDescriptor engine_of(const CudnnDescriptor& config) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  std::array handle = {engine.get()};
  config.fill(CUDNN_ATTR_ENGINECFG_ENGINE, handle);
  return engine;
}

bool has_any_note(const CudnnDescriptor& engine,
                  std::span<const cudnnBackendNumericalNote_t> notes) {
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> held{};
  const std::int64_t count =
      engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, std::span<cudnnBackendNumericalNote_t>(held));
  return std::find_first_of(held.begin(), held.begin() + count, notes.begin(), notes.end()) !=
         held.begin() + count;
}

std::int64_t number(const CudnnDescriptor& from, cudnnBackendAttributeName_t name) {
  std::int64_t value = 0;
  from.get(name, std::span(&value, 1));
  return value;
}

CudnnDescriptor make_plan(const CudnnDescriptor& config, const CudnnDescriptor* device) {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  if (device != nullptr)
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *device);
  else
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, cudnn());
  return plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config).finalize();
}

}  // namespace

void cuda::check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 256> details{};
  cudnnGetLastErrorString(details.data(), details.size());
  std::string text = std::string(call) + " failed: " + cudnnGetErrorString(status);
  if (details[0] != '\0') text += std::string(": ") + details.data();
  throw CudnnRefusal(text);
}

cudnnHandle_t cuda::cudnn() {
  static const cudnnHandle_t handle = [] {
    cudnnHandle_t made = nullptr;
    check(cudnnCreate(&made), "cudnnCreate");
    return made;
  }();
  return handle;
}

CudnnDescriptor cuda::cudnn_device(const std::string& properties) {
  return CudnnDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR)
      .set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<const char>(properties))
      .finalize();
}

CudnnPlan cuda::choose_plan(const CudnnDescriptor& operation,
                            std::span<const cudnnBackendNumericalNote_t> without,
                            std::int64_t workspace, const CudnnDescriptor* device) {
  CudnnDescriptor graph = make_graph(operation, device);
  std::string last = "none is offered";
  const auto plan_of = [&](CudnnDescriptor& config) -> std::optional<CudnnPlan> {
    const CudnnDescriptor engine = engine_of(config);
    if (has_any_note(engine, without)) {
      last = "the last one's results are not of the kind asked for";
      return std::nullopt;
    }
    CudnnDescriptor plan = make_plan(config, device);
    const std::int64_t bytes = number(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    if (bytes > workspace) {
      last = "the last one needs " + std::to_string(bytes) + " bytes of workspace";
      return std::nullopt;
    }
    return CudnnPlan{std::move(graph), std::move(config), std::move(plan),
                     number(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX), bytes};
  };
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    std::vector<CudnnDescriptor> configs;
    try {
      configs = offered(graph, mode, device);
    } catch (const CudnnRefusal& refusal) {
      last = refusal.reason();
    }
    for (CudnnDescriptor& config : configs) try {
        if (auto plan = plan_of(config)) return std::move(*plan);
      } catch (const CudnnRefusal& refusal) {  // an engine that this machine cannot load, say
        last = refusal.reason();
      }
  }
  throw CudnnRefusal("no engine of cuDNN's does it: " + last);
}

CudnnDescriptor cuda::make_pack(std::span<const std::int64_t> ids,
                                std::span<const void* const> arrays, const void* workspace) {
  return CudnnDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
      .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, arrays)
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
      .finalize();
}

void cuda::execute(const CudnnPlan& plan, const CudnnDescriptor& pack) {
  const Stream queue;
  check(cudnnSetStream(cudnn(), queue), "cudnnSetStream");
  check(cudnnBackendExecute(cudnn(), plan.plan.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace pliant
