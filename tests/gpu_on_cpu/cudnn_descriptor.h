// What a descriptor of cuDNN's holds where the CPU takes the place of a GPU.
#pragma once

#include <cudnn.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

namespace pliant::gpu_on_cpu {

struct Descriptor;

// An attribute's values, as they came: numbers of one kind, or another descriptor.
struct Values {
  cudnnBackendAttributeType_t type{};
  std::int64_t count = 0;
  std::vector<char> bytes;
  std::shared_ptr<Descriptor> part;
};

struct Descriptor {
  explicit Descriptor(cudnnBackendDescriptorType_t type_) : type(type_) {}

  cudnnBackendDescriptorType_t type;
  bool is_final = false;
  std::map<cudnnBackendAttributeName_t, Values> values;

  bool has(cudnnBackendAttributeName_t name) const { return values.contains(name); }
  // Of an attribute that is there, by the type that it was set as.
  template <class V>
  std::vector<V> all(cudnnBackendAttributeName_t name) const {
    const Values& held = values.at(name);
    std::vector<V> result(static_cast<std::size_t>(held.count));
    std::memcpy(result.data(), held.bytes.data(),
                std::min(held.bytes.size(), result.size() * sizeof(V)));
    return result;
  }
  template <class V>
  V one(cudnnBackendAttributeName_t name) const {
    return all<V>(name).at(0);
  }
  const Descriptor& part(cudnnBackendAttributeName_t name) const { return *values.at(name).part; }
  template <class V>
  void put(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t as, const V& value) {
    Values& held = values[name];
    held = {as, 1, std::vector<char>(sizeof value), nullptr};
    std::memcpy(held.bytes.data(), &value, sizeof value);
  }
};

}  // namespace pliant::gpu_on_cpu
