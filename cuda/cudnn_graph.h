// cuDNN's graph API as values: descriptors that release themselves and failures that are Errors.
#pragma once

#include <cudnn.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <pliant/core/error.h>

namespace pliant::cuda {

// cuDNN cannot do what was described; another way must.
struct CudnnDeclined {
  const char* call;
  cudnnStatus_t status;
};

// Throws CudnnDeclined where cuDNN says that it does not support something, and an Error where
// anything else went wrong.
void check(cudnnStatus_t status, const char* call);

// The one handle.
cudnnHandle_t cudnn();

// What an attribute's values are to cuDNN.
template <class V>
inline constexpr cudnnBackendAttributeType_t kCudnnType = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr auto kCudnnType<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr auto kCudnnType<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr auto kCudnnType<double> = CUDNN_TYPE_DOUBLE;
template <>
inline constexpr auto kCudnnType<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr auto kCudnnType<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr auto kCudnnType<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr auto kCudnnType<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr auto kCudnnType<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr auto kCudnnType<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;
template <>
inline constexpr auto kCudnnType<cudnnBackendDescriptor_t> = CUDNN_TYPE_BACKEND_DESCRIPTOR;

class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &handle_), "cudnnBackendCreateDescriptor");
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~CudnnDescriptor() {
    if (handle_ != nullptr) cudnnBackendDestroyDescriptor(handle_);
  }

  cudnnBackendDescriptor_t get() const { return handle_; }

  // A chain of set() ends with finalize(), which moves the descriptor out of it.
  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, std::span<const V> values) {
    check(cudnnBackendSetAttribute(handle_, name, kCudnnType<V>,
                                   static_cast<std::int64_t>(values.size()), values.data()),
          "cudnnBackendSetAttribute");
    return *this;
  }
  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const V& value) {
    return set(name, std::span<const V>(&value, 1));
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& part) {
    return set(name, part.handle_);
  }
  CudnnDescriptor finalize() {
    check(cudnnBackendFinalize(handle_), "cudnnBackendFinalize");
    return std::move(*this);
  }

  // At most `most` values of an attribute. Descriptors must be there to be filled.
  template <class V>
  std::int64_t get(cudnnBackendAttributeName_t name, std::span<V> values) const {
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(handle_, name, kCudnnType<V>,
                                   static_cast<std::int64_t>(values.size()), &count, values.data()),
          "cudnnBackendGetAttribute");
    return std::min(count, static_cast<std::int64_t>(values.size()));
  }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

// How an operation is carried out. It keeps what it was made of.
struct CudnnPlan {
  CudnnDescriptor graph, config, plan;
  std::int64_t workspace;  // bytes
};

// The first engine in the order of cuDNN's heuristics that computes the operation with none of the
// notes and in at most so many bytes of workspace; CudnnDeclined where there is none.
CudnnPlan choose_plan(const CudnnDescriptor& operation,
                      std::span<const cudnnBackendNumericalNote_t> without, std::int64_t workspace);

// Queues a plan on stream(); array i is the tensor whose unique id is ids[i].
void execute(const CudnnPlan& plan, std::span<const std::int64_t> ids,
             std::span<const void* const> arrays, void* workspace);

}  // namespace pliant::cuda
