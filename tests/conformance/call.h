// Call: what an op of the table sees of a golden case. It asks for the attributes and tensors it
// knows and hands back its results; what it did not ask for is a failure of the case.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/loss_reduction.h>
#include <pliant/autograd/tape.h>
#include <pliant/layers/module.h>
#include <pliant/tests/conformance/case.h>
#include <pliant/tests/conformance/compare.h>

namespace pliant::conformance {

struct Target {
  DType dtype = DType::float64;  // or float32
  Device device;
};

class Call {
 public:
  Call(const GoldenCase& golden, const Target& target) : golden_(golden), target_(target) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Inputs, in the dtype and on the device of the run. One that is missing is an Error.
  Var variable(const std::string& name);           // its gradient is compared
  Var optional_variable(const std::string& name);  // undefined if absent
  Tensor constant(const std::string& name);        // no gradient: running statistics
  Tensor indices(const std::string& name);         // int64: labels
  // Its gradient is compared if the file has one.
  Var variable_or_constant(const std::string& name);
  // Fills a net's parameters by their paths; their gradients are compared.
  void parameters(Module& net);
  bool has_input(const std::string& name) const { return golden_.inputs.contains(name); }

  // Attributes. One that is missing or says something else is an Error.
  std::string text(const std::string& name);
  double real(const std::string& name) { return parse_real(name, text(name)); }
  std::int64_t integer(const std::string& name) { return parse_integer(name, text(name)); }
  bool flag(const std::string& name) { return parse_bool(name, text(name)); }
  std::vector<double> reals(const std::string& name) { return parse_reals(name, text(name)); }
  std::vector<std::int64_t> integers(const std::string& name) {
    return parse_integers(name, text(name));
  }
  std::vector<int> axes(const std::string& name);
  Shape shape(const std::string& name);      // "" is that of a scalar
  Size2 pair(const std::string& name);       // height, width
  Padding padding(const std::string& name);  // height,width or top,bottom,left,right
  LossReduction reduction();                 // attribute `reduction`: mean, sum or none
  bool has(const std::string& name) const { return golden_.attributes.contains(name); }
  // An attribute of which one value alone has a meaning here.
  void require_text(const std::string& name, const std::string& only);

  // Results, by the names of the file; one of integers is compared as numbers of the run's dtype.
  void output(const std::string& name, const Var& value);

  DType dtype() const { return target_.dtype; }
  Device device() const { return target_.device; }

  // After the op: everything was asked for, then one Deviation per output and per gradient.
  std::vector<Deviation> compare_all();

 private:
  const Tensor& raw(const std::string& name);
  Tensor placed(const Tensor& tensor) const;
  const Tolerance& tolerance() const;
  void require_all_known() const;
  Gradients gradients() const;

  const GoldenCase& golden_;
  Target target_;
  Tape tape_;
  std::map<std::string, Var> variables_, outputs_;
  std::map<std::string, Parameter> parameters_;  // of a net
  std::set<std::string> inputs_asked_, attributes_asked_;
};

}  // namespace pliant::conformance
