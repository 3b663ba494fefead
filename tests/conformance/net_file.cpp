#include <pliant/tests/conformance/net_file.h>

#include <algorithm>
#include <cmath>

#include <pliant/autograd/ops/permute.h>
#include <pliant/tests/conformance/vision_block.h>

namespace pliant::conformance {
namespace {

constexpr Tolerance kTolerance = {.absolute = 1e-9};

}  // namespace

Var channels_last(const Var& x) { return x.rank() == 4 ? permute(x, {0, 2, 3, 1}) : x; }
Var channels_first(const Var& x) { return x.rank() == 4 ? permute(x, {0, 3, 1, 2}) : x; }

std::string renamed(std::string name, const Renames& renames) {
  for (const auto& [from, to] : renames) name = std::regex_replace(name, from, to);
  return name;
}

double largest(const Tensor& numbers) {
  double most = 0;
  for (const double number : numbers.to_vector()) most = std::max(most, std::abs(number));
  return most;
}

NetFile::NetFile(const std::filesystem::path& path, const Target& target, Renames renames)
    : file_(read_safetensors(path)), target_(target), renames_(std::move(renames)) {}

std::string NetFile::text(const std::string& name) const {
  const auto found = file_.metadata.find(name);
  require(found != file_.metadata.end(), "metadata has no \"", name, "\"");
  return found->second;
}

std::int64_t NetFile::integer(const std::string& name) const {
  return parse_integer(name, text(name));
}

std::vector<std::int64_t> NetFile::integers(const std::string& name) const {
  std::vector<std::int64_t> all;
  const std::string list = text(name);
  static const std::regex digits("[0-9]+");
  for (std::sregex_iterator at(list.begin(), list.end(), digits), end; at != end; ++at)
    all.push_back(parse_integer(name, at->str()));
  return all;
}

const Tensor& NetFile::raw(const std::string& name) const {
  const Tensor* const found = file_.find(name);
  require(found != nullptr, name, " is missing");
  return *found;
}

Tensor NetFile::tensor(const std::string& name) const {
  return placed(channels_last(raw(name)).value());
}

Tensor NetFile::placed(const Tensor& tensor) const {
  return tensor.to(target_.dtype).to(target_.device);
}

State NetFile::raw_state(const std::string& group) const {
  State state;
  for (const auto& [name, value] : file_.tensors)
    if (name.starts_with(group + '.'))
      state.emplace_back(renamed(name.substr(group.size() + 1), renames_), value);
  return state;
}

State NetFile::state(const std::string& group) const {
  State state = raw_state(group);
  for (auto& [name, value] : state) value = channels_last(value).value();
  return state;
}

Deviation NetFile::deviation(const std::string& name, const Var& got, const Tensor& want) const {
  return deviation(name, got, want, largest(want));
}

Deviation NetFile::deviation(const std::string& name, const Var& got, const Tensor& want,
                             double magnitude) const {
  const bool exact = target_.dtype == DType::float64;
  return compare(name, got.value(), want,
                 exact ? kTolerance : Tolerance{.absolute = kFloatTolerance * magnitude});
}

void fill(Module& net, const Target& target, const State& state) {
  net.initialise(Rng(1));
  net.to(target.dtype);
  net.to(target.device);
  net.load(state);
}

Deviations gradient_deviations(const NetFile& file, const Module& net, const Gradients& gradients,
                               const State& wanted) {
  const std::vector<Parameter> parameters = net.parameters();
  Deviations all;
  double magnitude = 0;
  for (const auto& [name, want] : wanted) magnitude = std::max(magnitude, largest(want));
  for (const auto& [name, want] : wanted) {
    const auto found =
        std::find_if(parameters.begin(), parameters.end(),
                     [&name = name](const Parameter& p) { return p.name() == name; });
    require(found != parameters.end(), "the net has no parameter ", name);
    const Tensor* const got = gradients.find(*found);
    require(got != nullptr, name, " has no gradient");
    all.push_back(file.deviation("grad." + name, *got, want, magnitude));
  }
  const auto trained =
      std::count_if(parameters.begin(), parameters.end(),
                    [](const Parameter& parameter) { return !parameter.frozen(); });
  require(static_cast<std::ptrdiff_t>(all.size()) == trained, all.size(), " gradients of ", trained,
          " parameters");
  return all;
}

Deviations buffer_deviations(const NetFile& file, const Module& net, const State& wanted) {
  const State now = net.state();
  Deviations all;
  for (const auto& [name, want] : wanted) {
    const auto found = std::find_if(
        now.begin(), now.end(), [&name = name](const auto& entry) { return entry.first == name; });
    require(found != now.end(), "the net has no buffer ", name);
    all.push_back(file.deviation("after." + name, found->second, want));
  }
  return all;
}

}  // namespace pliant::conformance
