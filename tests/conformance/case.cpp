#include <pliant/tests/conformance/case.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include <pliant/layers/safetensors.h>

namespace pliant::conformance {

namespace {

template <class T>
T parse_number(const std::string& name, const std::string& text, const char* kind) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  require(error == std::errc() && stop == end, "attribute ", name, " is \"", text, "\", expected ",
          kind);
  return value;
}

template <class T>
std::vector<T> parse_list(const std::string& name, const std::string& text,
                          T (*parse)(const std::string&, const std::string&)) {
  std::vector<T> values;
  std::size_t begin = 0;
  while (true) {
    const std::size_t comma = text.find(',', begin);
    values.push_back(parse(name, text.substr(begin, comma - begin)));
    if (comma == std::string::npos) return values;
    begin = comma + 1;
  }
}

// Takes `key` out of the metadata.
std::string take(std::map<std::string, std::string>& metadata, const std::string& key) {
  const auto node = metadata.extract(key);
  require(!node.empty(), "metadata has no \"", key, "\"");
  return node.mapped();
}

double take_tolerance(std::map<std::string, std::string>& metadata, const std::string& key) {
  const double value = parse_real(key, take(metadata, key));
  require(std::isfinite(value) && value >= 0, key, " is ", value, ", expected a number >= 0");
  return value;
}

void place(GoldenCase& golden, const std::string& name, const Tensor& tensor) {
  const std::size_t dot = name.find('.');
  const std::string kind = name.substr(0, dot);
  std::map<std::string, Tensor>* const group = kind == "input"         ? &golden.inputs
                                               : kind == "output"      ? &golden.outputs
                                               : kind == "grad_output" ? &golden.output_gradients
                                               : kind == "grad"        ? &golden.input_gradients
                                                                       : nullptr;
  require(dot != std::string::npos && group != nullptr, "unknown tensor ", name);
  const bool may_be_integer = kind == "input" || kind == "output";
  const bool integer = tensor.dtype() == DType::int64 && may_be_integer;
  require(integer || tensor.dtype() == DType::float64, name, " is ", tensor.dtype(),
          ", expected float64", may_be_integer ? " or int64" : "");
  (*group)[name.substr(dot + 1)] = kind == "output" ? tensor.to(DType::float64) : tensor;
}

// Gradients are asked for everywhere or nowhere.
void check_gradients(const GoldenCase& golden) {
  if (golden.forward_only) {
    for (const auto& [name, tensor] : golden.input_gradients)
      fail("unknown tensor grad.", name, ": forward_only is true");
    for (const auto& [name, tensor] : golden.output_gradients)
      fail("unknown tensor grad_output.", name, ": forward_only is true");
  } else {
    require(!golden.output_gradients.empty(), "no grad_output, although forward_only is not true");
  }
  for (const auto& [name, tensor] : golden.output_gradients) {
    const auto output = golden.outputs.find(name);
    require(output != golden.outputs.end(), "unknown tensor grad_output.", name);
    require(output->second.shape() == tensor.shape(), "grad_output.", name, " has shape ",
            tensor.shape(), ", output.", name, " ", output->second.shape());
  }
  for (const auto& [name, tensor] : golden.input_gradients)
    require(golden.inputs.contains(name), "unknown tensor grad.", name);
}

}  // namespace

double parse_real(const std::string& name, const std::string& text) {
  return parse_number<double>(name, text, "a number");
}

std::int64_t parse_integer(const std::string& name, const std::string& text) {
  return parse_number<std::int64_t>(name, text, "an integer");
}

bool parse_bool(const std::string& name, const std::string& text) {
  require(text == "true" || text == "false", "attribute ", name, " is \"", text,
          "\", expected true or false");
  return text == "true";
}

std::vector<double> parse_reals(const std::string& name, const std::string& text) {
  return parse_list(name, text, parse_real);
}

std::vector<std::int64_t> parse_integers(const std::string& name, const std::string& text) {
  return parse_list(name, text, parse_integer);
}

GoldenCase read_case(const std::filesystem::path& path) {
  const SafetensorsFile file = read_safetensors(path.string());
  std::map<std::string, std::string> metadata(file.metadata.begin(), file.metadata.end());
  GoldenCase golden;
  golden.op = take(metadata, "op");
  golden.f64 = {take_tolerance(metadata, "rtol_f64"), take_tolerance(metadata, "atol_f64")};
  golden.f32 = {take_tolerance(metadata, "rtol_f32"), take_tolerance(metadata, "atol_f32")};
  golden.forward_only = parse_bool("forward_only", take(metadata, "forward_only"));
  for (const char* remark : {"source", "note"}) metadata.erase(remark);
  golden.attributes = std::move(metadata);
  for (const auto& [name, tensor] : file.tensors) place(golden, name, tensor);
  require(!golden.outputs.empty(), "no output to compare with");
  check_gradients(golden);
  return golden;
}

}  // namespace pliant::conformance
