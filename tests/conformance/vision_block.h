// One block of a JSON file of golden numbers for vision: inputs and the exact answers side by side.
// A function of the table (vision.h) asks for the former and holds its results against the latter;
// what nobody asked for is a failure of the block.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/var.h>
#include <pliant/tests/conformance/call.h>

namespace pliant::conformance {

using Json = nlohmann::ordered_json;

inline constexpr double kFloatTolerance = 1e-4;  // of the largest magnitude

// Maps as the originals have them, channels first, and as they are here.
inline Var to_nhwc(const Var& x) { return permute(x, {0, 2, 3, 1}); }
inline Var to_nchw(const Var& x) { return permute(x, {0, 3, 1, 2}); }

// A place in a file: a block, or what stands in it. Copies share what was asked and compared.
class Block {
 public:
  // The value at `name` of a file; tolerances are those of float64.
  Block(const Json& file, const std::string& name, const Target& target, Tolerance tolerance);

  // The name of this place, and the whole numbers in it: 8 and 6 of iou_8x6.
  const std::string& name() const { return name_; }
  std::vector<std::int64_t> numbers_in_name() const;

  // What stands here by that name; "" is this place itself. What is missing, or of another kind, is
  // an Error that names it. A null is NaN.
  bool has(const std::string& name) const { return here_->is_object() && here_->contains(name); }
  std::vector<std::string> names() const;  // of all but the note
  Block at(const std::string& name) const;
  std::vector<Block> each(const std::string& name) const;  // of a list of objects
  Block file() const;                                      // what stands outside the block
  double number(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  bool flag(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;
  std::vector<double> numbers(const std::string& name) const;
  Tensor tensor(const std::string& name) const;   // nested lists, in the dtype of the run
  Tensor indices(const std::string& name) const;  // the same as int64
  DType dtype() const { return target_.dtype; }

  // Holds a result against the answer by that name: float64 by the block's tolerance or the one
  // given, float32 by 1e-4 of the largest magnitude, integers exactly.
  void expect(const std::string& name, const Var& got) const;
  void expect(const std::string& name, const Var& got, const Tolerance& tolerance) const;
  void expect(const std::string& name, double got) const;
  void expect(const std::string& name, const std::vector<double>& got) const;

  // One Deviation for each comparison; an Error if something was not asked for.
  const std::vector<Deviation>& result() const;

 private:
  struct Asked {
    std::set<const Json*> places;
    std::vector<Deviation> deviations;
  };

  Block(const Block& parent, const Json& here, std::string name, std::string path) : Block(parent) {
    here_ = &here;
    name_ = std::move(name);
    path_ = std::move(path);
  }
  const Json& find(const std::string& name) const;
  const Json& take(const std::string& name) const;
  std::string path_of(const std::string& name) const;

  const Json* file_;
  const Json* here_;
  std::string name_, path_;
  Target target_;
  Tolerance tolerance_;
  std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
};

}  // namespace pliant::conformance
