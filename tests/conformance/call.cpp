#include <pliant/tests/conformance/call.h>

#include <algorithm>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>

namespace pliant::conformance {

const Tensor& Call::raw(const std::string& name) {
  inputs_asked_.insert(name);
  const auto found = golden_.inputs.find(name);
  require(found != golden_.inputs.end(), "input.", name, " is missing");
  return found->second;
}

Tensor Call::placed(const Tensor& tensor) const {
  return tensor.to(target_.dtype).to(target_.device);
}

Tensor Call::constant(const std::string& name) {
  const Tensor& tensor = raw(name);
  require(tensor.dtype() == DType::float64, "input.", name, " is ", tensor.dtype(),
          ", expected float64");
  return placed(tensor);
}

Tensor Call::indices(const std::string& name) {
  const Tensor& tensor = raw(name);
  require(tensor.dtype() == DType::int64, "input.", name, " is ", tensor.dtype(),
          ", expected int64");
  return tensor.to(target_.device);
}

Var Call::variable(const std::string& name) {
  const Tensor value = constant(name);
  Var var = golden_.forward_only ? Var(value) : tape_.variable(value);
  variables_[name] = var;
  return var;
}

Var Call::optional_variable(const std::string& name) {
  inputs_asked_.insert(name);
  return golden_.inputs.contains(name) ? variable(name) : Var();
}

Var Call::variable_or_constant(const std::string& name) {
  return golden_.input_gradients.contains(name) ? variable(name) : Var(constant(name));
}

void Call::parameters(Module& net) {
  State state;
  for (const Parameter& parameter : net.parameters())
    state.emplace_back(parameter.name(), constant(parameter.name()));
  net.load(state);
  net.to(target_.device);
  for (const Parameter& parameter : net.parameters()) parameters_[parameter.name()] = parameter;
}

std::string Call::text(const std::string& name) {
  attributes_asked_.insert(name);
  const auto found = golden_.attributes.find(name);
  require(found != golden_.attributes.end(), "attribute ", name, " is missing");
  return found->second;
}

std::vector<int> Call::axes(const std::string& name) {
  std::vector<int> axes;
  for (const std::int64_t axis : integers(name)) axes.push_back(static_cast<int>(axis));
  return axes;
}

Shape Call::shape(const std::string& name) {
  Shape shape;
  if (!text(name).empty())
    for (const std::int64_t extent : integers(name)) shape.push_back(extent);
  return shape;
}

Size2 Call::pair(const std::string& name) {
  const std::vector<std::int64_t> values = integers(name);
  require(values.size() == 2, "attribute ", name, " is \"", text(name),
          "\", expected height,width");
  return {values[0], values[1]};
}

Padding Call::padding(const std::string& name) {
  const std::vector<std::int64_t> sides = integers(name);
  if (sides.size() == 4) return {sides[0], sides[1], sides[2], sides[3]};
  const Size2 both = pair(name);
  return {both.h, both.w};
}

LossReduction Call::reduction() {
  const std::string name = text("reduction");
  if (name == "sum") return LossReduction::sum;
  if (name == "none") return LossReduction::none;
  require_text("reduction", "mean");
  return LossReduction::mean;
}

void Call::require_text(const std::string& name, const std::string& only) {
  require(text(name) == only, "attribute ", name, " is \"", text(name), "\", expected ", only);
}

void Call::output(const std::string& name, const Var& value) {
  const auto as_numbers = [&] { return value.value().to(Device::cpu()).to(target_.dtype); };
  outputs_[name] = value.dtype() == DType::int64 ? Var(as_numbers()) : value;
}

const Tolerance& Call::tolerance() const {
  return target_.dtype == DType::float64 ? golden_.f64 : golden_.f32;
}

void Call::require_all_known() const {
  for (const auto& [name, value] : golden_.attributes)
    require(attributes_asked_.contains(name), "unknown attribute ", name, " (\"", value, "\")");
  for (const auto& [name, tensor] : golden_.inputs)
    require(inputs_asked_.contains(name), "unknown tensor input.", name);
  for (const auto& [name, tensor] : golden_.outputs)
    require(outputs_.contains(name), "unknown tensor output.", name);
  for (const auto& [name, var] : outputs_)
    require(golden_.outputs.contains(name), "output.", name, " is missing");
  for (const auto& [name, tensor] : golden_.input_gradients)
    require(variables_.contains(name) || parameters_.contains(name), "unknown tensor grad.", name,
            ": ", golden_.op, " has no such gradient");
  if (golden_.forward_only) return;
  for (const auto& [name, var] : variables_)
    require(golden_.input_gradients.contains(name), "grad.", name, " is missing");
  for (const auto& [name, parameter] : parameters_)
    require(golden_.input_gradients.contains(name), "grad.", name, " is missing");
}

// Of the sum over all outputs of output * grad_output.
Gradients Call::gradients() const {
  Var loss;
  for (const auto& [name, cotangent] : golden_.output_gradients) {
    const Var term = sum(mul(outputs_.at(name), placed(cotangent)));
    loss = loss.defined() ? add(loss, term) : term;
  }
  return tape_.gradients(loss);
}

std::vector<Deviation> Call::compare_all() {
  require_all_known();
  std::vector<Deviation> deviations;
  for (const auto& [name, want] : golden_.outputs) {
    const Var& got = outputs_.at(name);
    require(got.dtype() == target_.dtype, "output.", name, " is ", got.dtype(), ", expected ",
            target_.dtype);
    deviations.push_back(compare("output." + name, got.value(), want, tolerance()));
    // A cotangent would not fit.
    if (!(got.shape() == want.shape())) return deviations;
  }
  if (golden_.forward_only) return deviations;
  const Gradients computed = gradients();
  for (const auto& [name, want] : golden_.input_gradients) {
    const auto parameter = parameters_.find(name);
    const Tensor* const found = parameter != parameters_.end() ? computed.find(parameter->second)
                                                               : computed.find(variables_.at(name));
    // None: the loss does not depend on this input.
    const Tensor got = found != nullptr ? *found : Tensor::zeros(want.shape(), target_.dtype);
    deviations.push_back(compare("grad." + name, got, want, tolerance()));
  }
  return deviations;
}

}  // namespace pliant::conformance
