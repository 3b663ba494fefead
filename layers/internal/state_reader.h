// A state that is read part by part, by path, each once: what optimizers and averages load.
#pragma once

#include <map>
#include <string>
#include <utility>

#include <pliant/layers/module.h>

namespace pliant {

// Errors begin with `who`: of a path that stands there twice, is undefined, lacks, has another
// shape, or is left over.
class StateReader {
 public:
  StateReader(std::string who, const State& state) : who_(std::move(who)) {
    for (const auto& [path, tensor] : state) {
      require(tensor.defined(), who_, ": ", path, " of the state is undefined");
      require(given_.emplace(path, tensor).second, who_, ": the state has ", path, " twice");
    }
  }

  bool contains(const std::string& path) const { return given_.contains(path); }

  Tensor take(const std::string& path, const Shape& shape) {
    const auto node = given_.extract(path);
    require(!node.empty(), who_, ": the state lacks ", path);
    require(node.mapped().shape() == shape, who_, ": ", path, " has shape ", node.mapped().shape(),
            ", expected ", shape);
    return node.mapped();
  }

  void require_all_taken() const {
    if (!given_.empty()) fail(who_, ": the state has an unexpected ", given_.begin()->first);
  }

 private:
  std::string who_;
  std::map<std::string, Tensor> given_;
};

}  // namespace pliant
