// cuDNN's graph API, as far as cuda/cudnn_graph.cu calls it: one convolution, by engines that compute
// the same and differ in what speaks against them.
#include <array>
#include <stdexcept>

#include <pliant/tests/gpu_on_cpu/cudnn_convolution.h>
#include <pliant/tests/gpu_on_cpu/device.h>

using namespace pliant::gpu_on_cpu;

namespace {

using Shared = std::shared_ptr<Descriptor>;
Shared& of(cudnnBackendDescriptor_t handle) { return *static_cast<Shared*>(handle); }

std::size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
      return 8;
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
      return sizeof(void*);
    case CUDNN_TYPE_CHAR:
      return 1;
    default:
      return sizeof(int);  // enumerations and float
  }
}

// ---- engines ----

// In the order in which they are offered: the first rounds its factors, the second wants more room
// than there could be, all others will do, with a workspace and without.
constexpr std::int64_t kEngines = 6;
std::int64_t workspace_of(std::int64_t engine) {
  return engine == 1 ? std::int64_t{1} << 40 : engine % 2 == 0 ? 64 : 0;
}

const Descriptor& operation_of(const Descriptor& plan) {
  return plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)
      .part(CUDNN_ATTR_ENGINECFG_ENGINE)
      .part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH)
      .part(CUDNN_ATTR_OPERATIONGRAPH_OPS);
}
std::int64_t engine_of(const Descriptor& plan) {
  return plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)
      .part(CUDNN_ATTR_ENGINECFG_ENGINE)
      .one<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
}

Shared configuration(const Shared& graph, std::int64_t engine) {
  const auto chosen = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  chosen->put(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, engine);
  chosen->values[CUDNN_ATTR_ENGINE_OPERATION_GRAPH].part = graph;
  if (engine == 0)
    chosen->put(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                CUDNN_NUMERICAL_NOTE_WINOGRAD);
  else
    chosen->values[CUDNN_ATTR_ENGINE_NUMERICAL_NOTE] = {CUDNN_TYPE_NUMERICAL_NOTE, 0, {}, nullptr};
  const auto config = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config->values[CUDNN_ATTR_ENGINECFG_ENGINE].part = chosen;
  chosen->is_final = config->is_final = true;
  return config;
}

cudnnStatus_t finalize(Descriptor& descriptor) {
  if (const auto described = convolution_of(descriptor); described && !described->fits())
    return CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  if (descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    const std::int64_t engine = engine_of(descriptor);
    if (engine < faults().unloadable_engines) return CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED;
    descriptor.put(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                   workspace_of(engine));
  }
  descriptor.is_final = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t execute(const Descriptor& plan, const Descriptor& pack) {
  if (faults().plans == Plans::lose_the_device) faults().is_lost = true;
  if (faults().plans != Plans::run) return CUDNN_STATUS_EXECUTION_FAILED;
  const Shared operation = std::make_shared<Descriptor>(operation_of(plan));  // outlives the plan
  const auto described = convolution_of(*operation);
  const auto ids = pack.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto arrays = pack.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  const auto array_of = [&](const Tensor& t) {
    const auto at = std::find(ids.begin(), ids.end(), t.id) - ids.begin();
    return arrays.at(static_cast<std::size_t>(at));
  };
  std::array<void*, 3> memory{};
  const std::array tensors = {&described->x, &described->w, &described->y};
  for (std::size_t i = 0; i < memory.size(); ++i) {
    memory[i] = array_of(*tensors[i]);
    if (reinterpret_cast<std::uintptr_t>(memory[i]) %
            static_cast<std::uintptr_t>(tensors[i]->alignment) !=
        0)
      return CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER;
  }
  const std::int64_t bytes = plan.one<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  auto* const workspace = pack.one<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  if (bytes > 0 && workspace == nullptr) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  const auto work = [=](Order) {
    if (bytes > 0) std::memset(workspace, 0xff, static_cast<std::size_t>(bytes));
    convolution_of(*operation)->run(memory[0], memory[1], memory[2]);
  };
  return launch(work) == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED_CUDART;
}

}  // namespace

extern "C" {

const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED ? "CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED"
         : status == CUDNN_STATUS_EXECUTION_FAILED        ? "CUDNN_STATUS_EXECUTION_FAILED"
                                                          : "CUDNN_STATUS_BAD_PARAM";
}
void cudnnGetLastErrorString(char* message, std::size_t) { *message = '\0'; }

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = nullptr;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* handle) {
  *handle = new Shared(std::make_shared<Descriptor>(type));
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t handle) {
  delete &of(handle);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count,
                                       const void* values) {
  if (of(handle)->is_final) return CUDNN_STATUS_BAD_PARAM;
  Values& held = of(handle)->values[name];
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    held.part = of(*static_cast<const cudnnBackendDescriptor_t*>(values));
    return count == 1 && held.part->is_final ? CUDNN_STATUS_SUCCESS
                                             : CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
  }
  const auto* const from = static_cast<const char*>(values);
  held = {type, count, {from, from + static_cast<std::size_t>(count) * size_of(type)}, nullptr};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t handle) try {
  return finalize(*of(handle));
} catch (const std::out_of_range&) {  // of what it must have
  return CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const handle,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t room,
                                       std::int64_t* count, void* to) {
  const Descriptor& from = *of(handle);
  auto* const handles = static_cast<cudnnBackendDescriptor_t*>(to);
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS) {
    const Shared& graph = from.values.at(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH).part;
    const bool is_fallback =
        from.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE) == CUDNN_HEUR_MODE_FALLBACK;
    const std::int64_t first = is_fallback ? kEngines - 1 : 0;
    *count = std::min(room, is_fallback ? 1 : kEngines - 1);
    for (std::int64_t i = 0; i < *count; ++i) of(handles[i]) = configuration(graph, first + i);
    return CUDNN_STATUS_SUCCESS;
  }
  if (!from.is_final || !from.has(name)) return CUDNN_STATUS_BAD_PARAM;
  const Values& held = from.values.at(name);
  *count = held.part ? 1 : held.count;
  if (held.part)
    of(*handles) = held.part;
  else if (type != held.type || held.count > room)
    return CUDNN_STATUS_BAD_PARAM;
  else
    std::memcpy(to, held.bytes.data(), held.bytes.size());
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) try {
  return execute(*of(plan), *of(pack));
} catch (const std::out_of_range&) {
  return CUDNN_STATUS_BAD_PARAM;
}

}  // extern "C"
