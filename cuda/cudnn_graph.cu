#include <pliant/cuda/cudnn_graph.h>

#include <algorithm>
#include <array>
#include <optional>

#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

using namespace cuda;

// Statuses come in families of a thousand.
bool declines(cudnnStatus_t status) {
  const int family = static_cast<int>(status) / 1000;
  return family == static_cast<int>(CUDNN_STATUS_NOT_SUPPORTED) / 1000 ||
         family == static_cast<int>(CUDNN_STATUS_BAD_PARAM) / 1000;
}

CudnnDescriptor make_graph(const CudnnDescriptor& operation) {
  return CudnnDescriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, cudnn())
      .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation)
      .finalize();
}

// The configurations that one of cuDNN's heuristics offers, best first.
std::vector<CudnnDescriptor> offered(const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode) {
  constexpr std::size_t kMost = 64;
  const CudnnDescriptor heuristic = CudnnDescriptor(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)
                                        .set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
                                        .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode)
                                        .finalize();
  std::vector<CudnnDescriptor> configs;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::size_t i = 0; i < kMost; ++i)
    handles.push_back(configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  const std::int64_t count = heuristic.fill(CUDNN_ATTR_ENGINEHEUR_RESULTS, handles);
  configs.erase(configs.begin() + count, configs.end());
  return configs;
}

bool has_any_note(const CudnnDescriptor& config,
                  std::span<const cudnnBackendNumericalNote_t> notes) {
  const CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  std::array handle = {engine.get()};
  config.fill(CUDNN_ATTR_ENGINECFG_ENGINE, handle);
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> held{};
  const std::int64_t count =
      engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, std::span<cudnnBackendNumericalNote_t>(held));
  return std::find_first_of(held.begin(), held.begin() + count, notes.begin(), notes.end()) !=
         held.begin() + count;
}

// The plan of a configuration, unless cuDNN cannot make it after all.
std::optional<CudnnDescriptor> make_plan(const CudnnDescriptor& config) {
  try {
    return CudnnDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)
        .set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, cudnn())
        .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config)
        .finalize();
  } catch (const CudnnDeclined&) {
    return std::nullopt;
  }
}

}  // namespace

void cuda::check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  if (declines(status)) throw CudnnDeclined{call, status};
  std::array<char, 256> details{};
  cudnnGetLastErrorString(details.data(), details.size());
  fail(call, " failed: ", cudnnGetErrorString(status), details[0] == '\0' ? "" : ": ",
       details.data());
}

cudnnHandle_t cuda::cudnn() {
  static const cudnnHandle_t handle = [] {
    cudnnHandle_t made = nullptr;
    check(cudnnCreate(&made), "cudnnCreate");
    return made;
  }();
  return handle;
}

CudnnPlan cuda::choose_plan(const CudnnDescriptor& operation,
                            std::span<const cudnnBackendNumericalNote_t> without,
                            std::int64_t workspace) {
  CudnnDescriptor graph = make_graph(operation);
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (CudnnDescriptor& config : offered(graph, mode)) {
      if (has_any_note(config, without)) continue;
      std::optional<CudnnDescriptor> plan = make_plan(config);
      if (!plan) continue;
      std::int64_t bytes = 0;
      plan->get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, std::span(&bytes, 1));
      if (bytes <= workspace) return {std::move(graph), std::move(config), std::move(*plan), bytes};
    }
  throw CudnnDeclined{"the choice of an engine", CUDNN_STATUS_NOT_SUPPORTED};
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
  check(cudnnSetStream(cudnn(), stream()), "cudnnSetStream");
  check(cudnnBackendExecute(cudnn(), plan.plan.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace pliant
