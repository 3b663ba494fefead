// cuDNN's graph API as values: descriptors that release themselves and failures that are Errors.
#pragma once

#include <cudnn.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pliant/core/error.h>

namespace pliant::cuda {

// cuDNN cannot do what was described, for the reason that it gives; another way may.
class CudnnRefusal : public Error {
 public:
  explicit CudnnRefusal(const std::string& reason) : Error(reason), reason_(reason) {}

  // Without the op that what() begins with: who catches it says what it was for.
  const std::string& reason() const& { return reason_; }

 private:
  std::string reason_;
};

// Throws a CudnnRefusal unless all is well.
void check(cudnnStatus_t status, const char* call);

// The one handle.
cudnnHandle_t cudnn();

// What an attribute's values are to cuDNN. Not of void*, which a descriptor is by another name: an
// address is a const void*, and descriptors have functions of their own.
template <class V>
constexpr cudnnBackendAttributeType_t cudnn_type() = delete;
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<const void*>() {
  return CUDNN_TYPE_VOID_PTR;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<std::int64_t>() {
  return CUDNN_TYPE_INT64;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<char>() {
  return CUDNN_TYPE_CHAR;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<float>() {
  return CUDNN_TYPE_FLOAT;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<double>() {
  return CUDNN_TYPE_DOUBLE;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<cudnnHandle_t>() {
  return CUDNN_TYPE_HANDLE;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<cudnnDataType_t>() {
  return CUDNN_TYPE_DATA_TYPE;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<cudnnConvolutionMode_t>() {
  return CUDNN_TYPE_CONVOLUTION_MODE;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<cudnnBackendHeurMode_t>() {
  return CUDNN_TYPE_HEUR_MODE;
}
template <>
constexpr cudnnBackendAttributeType_t cudnn_type<cudnnBackendNumericalNote_t>() {
  return CUDNN_TYPE_NUMERICAL_NOTE;
}

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
    return put(name, cudnn_type<V>(), static_cast<std::int64_t>(values.size()), values.data());
  }
  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const V& value) {
    return set(name, std::span<const V>(&value, 1));
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& part) {
    return put(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &part.handle_);
  }
  CudnnDescriptor finalize() {
    check(cudnnBackendFinalize(handle_), "cudnnBackendFinalize");
    return std::move(*this);
  }

  // At most as many values of an attribute as there is room for, and how many they are.
  template <class V>
  std::int64_t get(cudnnBackendAttributeName_t name, std::span<V> values) const {
    return take(name, cudnn_type<V>(), static_cast<std::int64_t>(values.size()), values.data());
  }
  // The same of descriptors, which must be there to be filled.
  std::int64_t fill(cudnnBackendAttributeName_t name,
                    std::span<cudnnBackendDescriptor_t> parts) const {
    return take(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(parts.size()),
                parts.data());
  }

 private:
  CudnnDescriptor& put(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                       std::int64_t count, const void* values) {
    check(cudnnBackendSetAttribute(handle_, name, type, count, values), "cudnnBackendSetAttribute");
    return *this;
  }
  std::int64_t take(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    std::int64_t room, void* values) const {
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(handle_, name, type, room, &count, values),
          "cudnnBackendGetAttribute");
    return std::min(count, room);
  }

  cudnnBackendDescriptor_t handle_ = nullptr;
};

// How an operation is carried out. It keeps what it was made of.
struct CudnnPlan {
  CudnnDescriptor graph, config, plan;
  std::int64_t engine;     // cuDNN's number of it
  std::int64_t workspace;  // bytes
};

// The properties of a GPU that need not be there (CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR), from their
// JSON.
CudnnDescriptor cudnn_device(const std::string& properties);

// The first engine in the order of cuDNN's heuristics that computes the operation with none of the
// notes and in at most so many bytes of workspace, on the GPU or on one that is described. Whatever
// speaks against an engine, the next one may do; a CudnnRefusal, which says what the last one
// lacked, where none does.
CudnnPlan choose_plan(const CudnnDescriptor& operation,
                      std::span<const cudnnBackendNumericalNote_t> without, std::int64_t workspace,
                      const CudnnDescriptor* device = nullptr);

// What a plan works on: array i is the tensor whose unique id is ids[i].
CudnnDescriptor make_pack(std::span<const std::int64_t> ids, std::span<const void* const> arrays,
                          const void* workspace);

// Queues a plan on stream().
void execute(const CudnnPlan& plan, const CudnnDescriptor& pack);

}  // namespace pliant::cuda
