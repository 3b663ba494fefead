#include <pliant/tests/conformance/vision_block.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

namespace pliant::conformance {

namespace {

const char* const kNote = "note";

double as_number(const Json& json, const std::string& path) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  require(json.is_number(), path, " is ", json.dump(), ", expected a number");
  return json.get<double>();
}

// The numbers of nested lists, row-major, and the lists' lengths.
void flatten(const Json& json, const std::string& path, int depth, Shape& shape,
             std::vector<double>& numbers) {
  if (!json.is_array()) {
    require(depth == shape.rank(), path, " has lists of different depths");
    numbers.push_back(as_number(json, path));
    return;
  }
  const auto length = static_cast<std::int64_t>(json.size());
  if (depth == shape.rank() && numbers.empty()) shape.push_back(length);
  require(depth < shape.rank() && shape[depth] == length, path, " has lists of different lengths");
  for (const Json& item : json) flatten(item, path, depth + 1, shape, numbers);
}

Tensor as_tensor(const Json& json, const std::string& path) {
  Shape shape;
  std::vector<double> numbers;
  flatten(json, path, 0, shape, numbers);
  return Tensor::from(numbers, shape);
}

Tolerance float_tolerance(const Tensor& want) {
  double largest = 0;
  for (const double number : want.to_vector())
    if (std::isfinite(number)) largest = std::max(largest, std::abs(number));
  return {.relative = 0, .absolute = kFloatTolerance * largest};
}

// Where something stands that nobody asked for, the first; empty: nowhere.
std::string unknown(const Json& json, const std::string& path, const std::set<const Json*>& asked) {
  if (asked.contains(&json)) return {};
  if (!json.is_structured() || json.empty()) return path;
  for (const auto& [name, item] : json.items()) {
    if (json.is_object() && name == kNote) continue;
    const std::string deeper = unknown(item, path + '.' + name, asked);
    if (!deeper.empty()) return deeper;
  }
  return {};
}

}  // namespace

Block::Block(const Json& file, const std::string& name, const Target& target, Tolerance tolerance)
    : file_(&file), here_(&file), target_(target), tolerance_(tolerance) {
  here_ = &find(name);
  name_ = path_ = name;
}

std::vector<std::int64_t> Block::numbers_in_name() const {
  std::vector<std::int64_t> numbers;
  bool inside = false;
  for (const char c : name_) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (digit && !inside) numbers.push_back(0);
    if (digit) numbers.back() = numbers.back() * 10 + (c - '0');
    inside = digit;
  }
  return numbers;
}

std::string Block::path_of(const std::string& name) const {
  return name.empty() ? path_ : path_.empty() ? name : path_ + '.' + name;
}

const Json& Block::find(const std::string& name) const {
  if (name.empty()) return *here_;
  require(has(name), path_of(name), " is missing");
  return here_->at(name);
}

const Json& Block::take(const std::string& name) const {
  const Json& found = find(name);
  asked_->places.insert(&found);
  return found;
}

std::vector<std::string> Block::names() const {
  require(here_->is_object(), path_, " is no object");
  std::vector<std::string> names;
  for (const auto& [name, item] : here_->items())
    if (name != kNote) names.push_back(name);
  return names;
}

Block Block::at(const std::string& name) const { return {*this, find(name), name, path_of(name)}; }

std::vector<Block> Block::each(const std::string& name) const {
  const Json& list = find(name);
  require(list.is_array(), path_of(name), " is no list");
  if (list.empty()) take(name);
  std::vector<Block> all;
  for (const Json& item : list)
    all.push_back(Block(*this, item, name, path_of(name) + '.' + std::to_string(all.size())));
  return all;
}

Block Block::file() const { return {*this, *file_, "", ""}; }

double Block::number(const std::string& name) const { return as_number(take(name), path_of(name)); }

std::int64_t Block::integer(const std::string& name) const {
  const Json& found = take(name);
  require(found.is_number_integer(), path_of(name), " is ", found.dump(),
          ", expected a whole number");
  return found.get<std::int64_t>();
}

bool Block::flag(const std::string& name) const {
  const Json& found = take(name);
  require(found.is_boolean(), path_of(name), " is ", found.dump(), ", expected true or false");
  return found.get<bool>();
}

std::string Block::text(const std::string& name) const {
  const Json& found = take(name);
  require(found.is_string(), path_of(name), " is ", found.dump(), ", expected a text");
  return found.get<std::string>();
}

std::vector<std::string> Block::texts(const std::string& name) const {
  const Json& found = take(name);
  std::vector<std::string> all;
  for (const Json& item : found) {
    require(item.is_string(), path_of(name), " has ", item.dump(), ", expected texts");
    all.push_back(item.get<std::string>());
  }
  return all;
}

std::vector<double> Block::numbers(const std::string& name) const {
  return as_tensor(take(name), path_of(name)).to_vector();
}

Tensor Block::tensor(const std::string& name) const {
  return as_tensor(take(name), path_of(name)).to(target_.dtype);
}

Tensor Block::indices(const std::string& name) const {
  const Tensor numbers = as_tensor(take(name), path_of(name));
  for (const double number : numbers.to_vector())
    require(number == std::floor(number), path_of(name), " has ", number,
            ", expected whole numbers");
  return numbers.to(DType::int64);
}

void Block::expect(const std::string& name, const Var& got, const Tolerance& tolerance) const {
  const Tensor want = as_tensor(take(name), path_of(name));
  const bool exact = got.dtype() == DType::int64 || got.dtype() == DType::uint8;
  const Tensor value = exact ? got.value().to(DType::float64) : got.value();
  const Tolerance allowed = exact                           ? Tolerance{}
                            : got.dtype() == DType::float32 ? float_tolerance(want)
                                                            : tolerance;
  asked_->deviations.push_back(compare(path_of(name), value, want, allowed));
}

void Block::expect(const std::string& name, const Var& got) const { expect(name, got, tolerance_); }

void Block::expect(const std::string& name, double got) const {
  expect(name, Tensor::scalar(got, DType::float64));
}

void Block::expect(const std::string& name, const std::vector<double>& got) const {
  expect(name, Tensor::from(got, {static_cast<std::int64_t>(got.size())}));
}

const std::vector<Deviation>& Block::result() const {
  const std::string left = unknown(*here_, path_, asked_->places);
  require(left.empty(), "unknown ", left);
  require(!asked_->deviations.empty(), path_, " has nothing to compare");
  return asked_->deviations;
}

}  // namespace pliant::conformance
