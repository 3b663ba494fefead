// The file of a little net: weights, inputs, outputs and gradients by PyTorch's names and layouts,
// and how far what a net here gives is from them.
#pragma once

#include <filesystem>
#include <functional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/module.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/conformance/call.h>
#include <pliant/tests/conformance/compare.h>

namespace pliant::conformance {

// Maps have the channels last here, and weights [out R S in].
Var channels_last(const Var& x);
Var channels_first(const Var& x);

// Patterns in names, and what stands for them here.
using Renames = std::vector<std::pair<std::regex, std::string>>;
std::string renamed(std::string name, const Renames& renames);

using Deviations = std::vector<Deviation>;
using NamedVars = std::vector<std::pair<std::string, Var>>;

// Told of every part of a file.
using NetReport = std::function<void(const std::string& part, const Deviations&)>;

// The largest absolute value; of none 0.
double largest(const Tensor& numbers);

class NetFile {
 public:
  NetFile(const std::filesystem::path& path, const Target& target, Renames renames);

  // Of the metadata.
  std::string text(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;

  const Tensor& raw(const std::string& name) const;
  Tensor tensor(const std::string& name) const;  // with the channels last, placed()
  // In the dtype and on the device of the run.
  Tensor placed(const Tensor& tensor) const;
  // What begins with "GROUP.", by its path in our net; with the channels last.
  State raw_state(const std::string& group) const;
  State state(const std::string& group) const;

  Deviation deviation(const std::string& name, const Var& got, const Tensor& want) const;
  // float32 is held to a share of `magnitude`.
  Deviation deviation(const std::string& name, const Var& got, const Tensor& want,
                      double magnitude) const;

  const Target& target() const { return target_; }

 private:
  SafetensorsFile file_;
  Target target_;
  Renames renames_;
};

// A net with the file's weights, in the dtype and on the device of the run.
void fill(Module& net, const Target& target, const State& state);

// Gradients of a net's parameters, all of those in the file. The magnitude is that of all of them:
// before a BatchNorm over two numbers a gradient is the little that is left of its terms.
Deviations gradient_deviations(const NetFile& file, const Module& net, const Gradients& gradients,
                               const State& wanted);
Deviations buffer_deviations(const NetFile& file, const Module& net, const State& wanted);

}  // namespace pliant::conformance
