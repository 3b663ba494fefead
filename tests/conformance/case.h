// One golden case: an operator, its attributes, its inputs and the exact answer, from one file.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant::conformance {

// |got - want| <= absolute + relative * |want|
struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

// The text of one attribute as a number, a list or a truth value; anything else than exactly that
// is an Error that names the attribute.
double parse_real(const std::string& name, const std::string& text);
std::int64_t parse_integer(const std::string& name, const std::string& text);
bool parse_bool(const std::string& name, const std::string& text);
std::vector<double> parse_reals(const std::string& name, const std::string& text);
std::vector<std::int64_t> parse_integers(const std::string& name, const std::string& text);

struct GoldenCase {
  std::string op;
  bool forward_only = false;
  std::map<std::string, std::string> attributes;  // the op's own: without op, tolerances, source
  Tolerance f64, f32;
  // By the name after the first dot: float64 (inputs also int64), on the CPU.
  std::map<std::string, Tensor> inputs, outputs, output_gradients, input_gradients;
};

// Reads a case. A file that is missing, corrupt or says what no case says is an Error of one line
// that does not repeat the path.
GoldenCase read_case(const std::filesystem::path& path);

}  // namespace pliant::conformance
