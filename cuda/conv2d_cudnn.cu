#include <pliant/cuda/conv2d_cudnn.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <type_traits>

#include <pliant/core/gpu_options.h>
#include <pliant/core/shape.h>
#include <pliant/cuda/cudnn_graph.h>
#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

using namespace cuda;

constexpr std::array<std::int64_t, 3> kIds = {1, 2, 3};  // of x, weight and y

const char* name_of(ConvPass pass) {
  return pass == ConvPass::forward         ? "conv2d"
         : pass == ConvPass::data_gradient ? "conv2d's gradient by x"
                                           : "conv2d's gradient by the weight";
}

// What a plan is chosen by, and kept under.
struct Request {
  ConvPass pass;
  cudnnDataType_t type;
  bool tf32;
  std::int64_t alignment;  // bytes, of every array
  Conv2dGeometry g;

  using Key = std::array<std::int64_t, 20>;
  Key key() const {
    return {static_cast<std::int64_t>(pass),
            static_cast<std::int64_t>(type),
            tf32,
            alignment,
            g.n,
            g.h,
            g.w,
            g.c,
            g.k,
            g.r,
            g.s,
            g.p,
            g.q,
            g.stride_h,
            g.stride_w,
            g.pad_top,
            g.pad_left,
            g.dilation_h,
            g.dilation_w,
            g.groups};
  }
  bool is_double() const { return type == CUDNN_DATA_DOUBLE; }
};

// Padding after an axis such that cuDNN counts `out` outputs: as before it where that does, since
// most engines want it so; none where no padding does.
std::optional<std::int64_t> padding_after(std::int64_t in, std::int64_t out, std::int64_t before,
                                          std::int64_t kernel, std::int64_t stride,
                                          std::int64_t dilation) {
  const std::int64_t reach = (kernel - 1) * dilation + 1;
  const std::int64_t least = std::max<std::int64_t>((out - 1) * stride + reach - in - before, 0);
  for (const std::int64_t after : {before, least})
    if (after >= least && (in + before + after - reach) / stride + 1 == out) return after;
  return std::nullopt;
}

// Maps lie as [n h w c] and weights as [k r s c]; cuDNN names the axes n c h w.
CudnnDescriptor tensor(const Request& request, std::int64_t id, std::int64_t n, std::int64_t h,
                       std::int64_t w, std::int64_t c) {
  using Axes = std::array<std::int64_t, 4>;
  const Axes sizes = {n, c, h, w}, strides = {h * w * c, 1, w * c, c};
  return CudnnDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, request.type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span<const std::int64_t>(sizes))
      .set(CUDNN_ATTR_TENSOR_STRIDES, std::span<const std::int64_t>(strides))
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, request.alignment)
      .finalize();
}

CudnnDescriptor convolution(const Request& request) {
  const Conv2dGeometry& g = request.g;
  using Axes = std::array<std::int64_t, 2>;
  const auto below = padding_after(g.h, g.p, g.pad_top, g.r, g.stride_h, g.dilation_h);
  const auto right = padding_after(g.w, g.q, g.pad_left, g.s, g.stride_w, g.dilation_w);
  if (!below || !right) throw CudnnRefusal("cuDNN counts other outputs whatever the padding");
  const Axes strides = {g.stride_h, g.stride_w}, dilations = {g.dilation_h, g.dilation_w};
  const Axes before = {g.pad_top, g.pad_left}, after = {*below, *right};
  using Span = std::span<const std::int64_t>;
  return CudnnDescriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
      .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE,
           request.is_double() ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Span(strides))
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Span(dilations))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Span(before))
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Span(after))
      .finalize();
}

// How each pass's descriptor calls its parts.
struct PassNames {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t convolution, x, weight, y, alpha, beta;
};

PassNames names_of(ConvPass pass) {
  if (pass == ConvPass::forward)
    return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  if (pass == ConvPass::data_gradient)
    return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
}

// The groups follow from the channels that a weight reads.
CudnnDescriptor operation(const Request& request) {
  const Conv2dGeometry& g = request.g;
  const PassNames names = names_of(request.pass);
  CudnnDescriptor result(names.type);
  result.set(names.convolution, convolution(request))
      .set(names.x, tensor(request, kIds[0], g.n, g.h, g.w, g.c))
      .set(names.weight, tensor(request, kIds[1], g.k, g.r, g.s, g.c / g.groups))
      .set(names.y, tensor(request, kIds[2], g.n, g.p, g.q, g.k));
  if (request.is_double())
    result.set(names.alpha, 1.0).set(names.beta, 0.0);
  else
    result.set(names.alpha, 1.0F).set(names.beta, 0.0F);
  return result.finalize();
}

// At full precision no transform and no rounding of factors will do.
CudnnPlan choose(const Request& request, std::int64_t workspace,
                 const CudnnDescriptor* device = nullptr) {
  constexpr std::array kNever = {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC,
                                 CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
                                 CUDNN_NUMERICAL_NOTE_FFT,
                                 CUDNN_NUMERICAL_NOTE_WINOGRAD,
                                 CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
                                 CUDNN_NUMERICAL_NOTE_TENSOR_CORE};
  // Those of float64 are exact, and so are products of bfloat16.
  const bool matrix_units = request.tf32 || request.type != CUDNN_DATA_FLOAT;
  return choose_plan(operation(request), std::span(kNever).first(matrix_units ? 4 : 6), workspace,
                     device);
}

// Looked up once, so that a choice does not depend on what a program holds by then.
std::int64_t workspace_limit() {
  static const std::int64_t limit = [] {
    std::size_t free = 0, total = 0;
    const Stream queue;  // the device is set with it
    check(cudaMemGetInfo(&free, &total), "conv2d", "cudaMemGetInfo");
    return conv_workspace_limit(static_cast<std::int64_t>(free));
  }();
  return limit;
}

std::string text_of(const Request& request) {
  const Conv2dGeometry& g = request.g;
  std::ostringstream text;
  text << name_of(request.pass) << " (input " << Shape{g.n, g.h, g.w, g.c} << ", weight "
       << Shape{g.k, g.r, g.s, g.c / g.groups} << ", output " << Shape{g.n, g.p, g.q, g.k} << ", "
       << (request.is_double()                   ? "float64"
           : request.type == CUDNN_DATA_BFLOAT16 ? "bfloat16"
           : request.tf32                        ? "tf32"
                                                 : "float32")
       << ')';
  return text.str();
}

// What was chosen for a request: a plan, or why there is none.
struct Choice {
  std::string convolution, refusal;
  std::optional<CudnnPlan> plan;
};

// Under the lock.
struct Choices {
  std::mutex mutex;  // a handle serves one thread
  std::map<Request::Key, Choice> all;
};
Choices& choices() {
  static auto* const instance = new Choices;  // NOLINT: as long-lived as the CUDA runtime
  return *instance;
}

Choice& choice_of(const Request& request) {
  const auto [at, is_new] = choices().all.try_emplace(request.key());
  Choice& choice = at->second;
  if (!is_new) return choice;
  choice.convolution = text_of(request);
  try {
    choice.plan = choose(request, workspace_limit());
  } catch (const CudnnRefusal& refusal) {  // and is not asked again
    choice.refusal = refusal.reason();
  } catch (const Error&) {
    choices().all.erase(at);
    throw;
  }
  return choice;
}

ConvPlan described(const Choice& choice) {
  if (!choice.plan) return {choice.convolution, -1, 0, choice.refusal};
  return {choice.convolution, choice.plan->engine, choice.plan->workspace};
}

// The most that divides all addresses, at most 16: slices of a batch begin anywhere.
std::int64_t alignment(const ConvArrays& arrays) {
  const auto bits = reinterpret_cast<std::uintptr_t>(arrays.x) |
                    reinterpret_cast<std::uintptr_t>(arrays.weight) |
                    reinterpret_cast<std::uintptr_t>(arrays.y) | 16u;
  return static_cast<std::int64_t>(bits & (~bits + 1));
}

// An Error where a kernel before has ended the context; what else the runtime holds was cuDNN's.
void require_living_device() {
  cudaGetLastError();
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), name_of(ConvPass::forward), "a kernel before this one");
}

// Queues the plan; why it could not be, unless the GPU itself is to blame.
std::string execute(const Choice& choice, const ConvArrays& arrays, Workspace& workspace) {
  const std::array<const void*, 3> in_order = {arrays.x, arrays.weight, arrays.y};
  const CudnnPlan& plan = *choice.plan;
  const void* const scratch = plan.workspace > 0 ? workspace.take<char>(plan.workspace) : nullptr;
  const Traced traced("conv2d", is_traced() ? "cuDNN's engine " + std::to_string(plan.engine) : "");
  try {
    cuda::execute(plan, make_pack(kIds, in_order, scratch));
  } catch (const CudnnRefusal& refusal) {
    require_living_device();
    return refusal.reason();
  }
  return "";
}

// Empty, or why columns must take the place of cuDNN.
std::string run(const Request& request, const ConvArrays& arrays, Workspace& workspace) {
  const std::lock_guard lock(choices().mutex);
  Choice& choice = choice_of(request);
  if (!choice.plan) return choice.refusal;
  choice.refusal = execute(choice, arrays, workspace);
  if (choice.refusal.empty()) return "";
  choice.plan.reset();
  std::cerr << "pliant: " + choice.convolution + " goes on without cuDNN: " + choice.refusal + '\n';
  return choice.refusal;
}

template <class T>
Request request_of(ConvPass pass, const Conv2dGeometry& g, bool tf32, std::int64_t alignment) {
  constexpr cudnnDataType_t kType = std::is_same_v<T, double>     ? CUDNN_DATA_DOUBLE
                                    : std::is_same_v<T, BFloat16> ? CUDNN_DATA_BFLOAT16
                                                                  : CUDNN_DATA_FLOAT;
  return {pass, kType, kType == CUDNN_DATA_FLOAT && tf32, alignment, g};
}

}  // namespace

template <class T>
bool cuda::cudnn_conv2d(ConvPass pass, const Conv2dGeometry& g, const ConvArrays& arrays,
                        Workspace& workspace) {
  const GpuOptions options = gpu_options();
  const Request request =
      request_of<T>(pass, g, options.precision == Precision::tf32, alignment(arrays));
  const std::string refusal = run(request, arrays, workspace);
  require(refusal.empty() || options.convolution != ConvPath::cudnn, text_of(request), ": ",
          refusal);
  return refusal.empty();
}

std::vector<ConvPlan> cuda::cudnn_conv_plans() {
  const std::lock_guard lock(choices().mutex);
  std::vector<ConvPlan> all;
  for (const auto& [key, choice] : choices().all) all.push_back(described(choice));
  return all;
}

template <class T>
ConvPlan cuda::conv_plan(ConvPass pass, const Conv2dGeometry& g, bool tf32,
                         const std::string& device_properties, std::int64_t workspace_limit) {
  constexpr std::int64_t kAlignment = 16;
  const Request request = request_of<T>(pass, g, tf32, kAlignment);
  const CudnnDescriptor device = cudnn_device(device_properties);
  Choice choice{text_of(request), "", std::nullopt};
  try {
    choice.plan = choose(request, workspace_limit, &device);
  } catch (const CudnnRefusal& refusal) {
    choice.refusal = refusal.reason();
  }
  return described(choice);
}

std::int64_t cuda::conv_workspace_limit(std::int64_t free_bytes) {
  return std::min(std::int64_t{4} << 30, free_bytes / 4);
}

template bool cuda::cudnn_conv2d<float>(ConvPass, const Conv2dGeometry&, const ConvArrays&,
                                        Workspace&);
template bool cuda::cudnn_conv2d<BFloat16>(ConvPass, const Conv2dGeometry&, const ConvArrays&,
                                           Workspace&);
template bool cuda::cudnn_conv2d<double>(ConvPass, const Conv2dGeometry&, const ConvArrays&,
                                         Workspace&);

template ConvPlan cuda::conv_plan<float>(ConvPass, const Conv2dGeometry&, bool, const std::string&,
                                         std::int64_t);
template ConvPlan cuda::conv_plan<BFloat16>(ConvPass, const Conv2dGeometry&, bool,
                                            const std::string&, std::int64_t);
template ConvPlan cuda::conv_plan<double>(ConvPass, const Conv2dGeometry&, bool, const std::string&,
                                          std::int64_t);

}  // namespace pliant
