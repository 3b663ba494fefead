#include <pliant/layers/module.h>

#include <algorithm>
#include <functional>
#include <unordered_map>

#include <pliant/layers/observer.h>
#include <pliant/layers/train/safetensors.h>

namespace pliant {

// A parameter or a buffer.
struct Module::Leaf {
  Buffer buffer;        // the node that both share
  Parameter parameter;  // undefined if it is a buffer only
  Initialiser initialiser;
};

struct Module::Node {
  struct Entry {  // one of both
    std::string name;
    std::unique_ptr<Leaf> leaf;
    std::shared_ptr<Node> child;
  };
  std::string path;
  std::vector<Entry> entries;  // in the order of own()
  bool frozen = false;

  void walk(const std::function<void(Node&)>& visit) {
    visit(*this);
    for (Entry& entry : entries)
      if (entry.child != nullptr) entry.child->walk(visit);
  }

  void each_leaf(const std::function<void(Leaf&)>& visit) {
    for (Entry& entry : entries) {
      if (entry.leaf != nullptr) visit(*entry.leaf);
      if (entry.child != nullptr) entry.child->each_leaf(visit);
    }
  }

  void prefix(const std::string& name) {
    walk([&](Node& node) { node.path = node.path.empty() ? name : name + "." + node.path; });
    each_leaf([&](Leaf& leaf) { leaf.buffer.rename(name + "." + leaf.buffer.name()); });
  }

  Entry& add(const std::string& name) {
    require(!name.empty() && name.find_first_of(".*") == std::string::npos, "own: the name '", name,
            "' is empty or has a dot or a star");
    for (const Entry& entry : entries)
      require(entry.name != name, "own: there is a part named '", name, "' already");
    return entries.emplace_back(Entry{name, nullptr, nullptr});
  }
};

namespace {

// Whether `pattern`, where * stands for any run of characters, matches all of `text`.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// "a, b, c and 12 more"
std::string listed(const std::vector<std::string>& names, std::size_t limit = 8) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < limit; ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > limit) text += " and " + std::to_string(names.size() - limit) + " more";
  return text;
}

// In place where there is something already, so that addresses stay.
void assign(Buffer& buffer, const Tensor& value) {
  if (!buffer.filled()) return buffer.set(value);
  Tensor tensor = buffer.value();
  tensor.copy_from(value);
}

}  // namespace

Module::Module() : node_(std::make_shared<Node>()) {}

Module::Node& Module::node() const {
  require(node_ != nullptr, "module: this one was moved from");
  return *node_;
}

// ---- the tree ----

void Module::adopt(const std::string& name, const Module& child) {
  child.node().prefix(name);
  node().add(name).child = child.node_;
}

Module::Leaf& Module::add_leaf(const std::string& name, Initialiser initialiser) {
  Node::Entry& entry = node().add(name);
  entry.leaf = std::make_unique<Leaf>();
  entry.leaf->initialiser = std::move(initialiser);
  return *entry.leaf;
}

Buffer Module::own(const std::string& name, Buffer buffer, Initialiser initialiser) {
  require(buffer.filled() || initialiser != nullptr, "own: '", name,
          "' is empty and has no initialiser");
  buffer.rename(name);
  add_leaf(name, std::move(initialiser)).buffer = buffer;
  return buffer;
}

Parameter Module::own(const std::string& name, Parameter parameter, Initialiser initialiser) {
  own(name, static_cast<const Buffer&>(parameter), std::move(initialiser));
  node().entries.back().leaf->parameter = parameter;
  return parameter;
}

std::vector<Module::Leaf*> Module::leaves() const {
  std::vector<Leaf*> all;
  node().each_leaf([&](Leaf& leaf) { all.push_back(&leaf); });
  return all;
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> all;
  for (const Leaf* leaf : leaves())
    if (leaf->parameter.defined()) all.push_back(leaf->parameter);
  return all;
}

std::vector<Buffer> Module::buffers() const {
  std::vector<Buffer> all;
  for (const Leaf* leaf : leaves())
    if (!leaf->parameter.defined()) all.push_back(leaf->buffer);
  return all;
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters()) count += parameter.shape().size();
  return count;
}

std::int64_t Module::trainable_count() const {
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters())
    if (!parameter.frozen()) count += parameter.shape().size();
  return count;
}

const std::string& Module::path() const { return node().path; }

std::vector<std::pair<std::string, std::int64_t>> Module::modules() const {
  std::vector<std::pair<std::string, std::int64_t>> all;
  node().walk([&](Node& node) {
    std::int64_t count = 0;
    for (const Node::Entry& entry : node.entries)
      if (entry.leaf != nullptr && entry.leaf->parameter.defined())
        count += entry.leaf->parameter.shape().size();
    all.emplace_back(node.path, count);
  });
  return all;
}

// ---- values ----

void Module::initialise(const Rng& rng) {
  for (Leaf* leaf : leaves()) {
    if (leaf->initialiser == nullptr) continue;
    Tensor value = Tensor::empty(leaf->buffer.shape());
    leaf->initialiser(value, rng.fork(leaf->buffer.name()));
    if (leaf->buffer.filled()) value = value.to(leaf->buffer.value().dtype());
    assign(leaf->buffer, value);
  }
}

void Module::to(Device device) {
  for (Leaf* leaf : leaves()) leaf->buffer.set(leaf->buffer.value().to(device));
}

void Module::to(DType dtype) {
  require(is_floating(dtype), "module: to(", dtype, "): parameters are floating");
  for (Leaf* leaf : leaves())
    if (is_floating(leaf->buffer.value().dtype())) leaf->buffer.set(leaf->buffer.value().to(dtype));
}

bool Module::frozen() const { return node().frozen; }

// Calls on_module(node) for the modules that `pattern` matches and all that are in them, and
// on_parameter for the parameters there and those that it matches themselves.
template <class OnModule, class OnParameter>
void Module::each_match(const char* what, std::string_view pattern, OnModule&& on_module,
                        OnParameter&& on_parameter) {
  bool found = false;
  node().walk([&](Node& module) {
    if (!matches(pattern, module.path)) return;
    found = true;
    module.walk(on_module);
    module.each_leaf([&](Leaf& leaf) {
      if (leaf.parameter.defined()) on_parameter(leaf.parameter);
    });
  });
  std::vector<std::string> paths;
  for (Parameter& parameter : parameters()) {
    paths.push_back(parameter.name());
    if (!matches(pattern, parameter.name())) continue;
    found = true;
    on_parameter(parameter);
  }
  require(found, what, ": '", pattern, "' matches no parameter and no module; there are ",
          listed(paths, 4));
}

void Module::set_frozen(std::string_view pattern, bool frozen) {
  each_match(
      frozen ? "freeze" : "unfreeze", pattern, [&](Node& module) { module.frozen = frozen; },
      [&](Parameter& parameter) { parameter.set_frozen(frozen); });
}

void Module::set_lr_factor(std::string_view pattern, double factor) {
  require(factor >= 0, "set_lr_factor: the factor of '", pattern, "' is ", factor,
          ", expected at least 0");
  each_match(
      "set_lr_factor", pattern, [](Node&) {},
      [&](Parameter& parameter) { parameter.set_lr_factor(factor); });
}

// ---- state ----

State Module::state() const {
  State state;
  for (const Leaf* leaf : leaves())
    state.emplace_back(leaf->buffer.name(), leaf->buffer.value().clone());
  return state;
}

namespace {

// What is wrong with a state, gathered so that one message says it all.
struct Complaints {
  std::vector<std::string> missing, unexpected, misshapen;

  void raise() const {
    std::string text;
    const auto add = [&](const char* what, const std::vector<std::string>& names) {
      if (names.empty()) return;
      text += (text.empty() ? "" : "; ") + std::string(what) + listed(names);
    };
    add("missing ", missing);
    add("unexpected ", unexpected);
    add("does not fit: ", misshapen);
    require(text.empty(), "load: ", text);
  }
};

bool fits(const Buffer& buffer, const Tensor& value) {
  if (!(buffer.shape() == value.shape())) return false;
  if (!buffer.filled()) return is_floating(value.dtype());
  return buffer.value().dtype() == value.dtype() ||
         (is_floating(buffer.value().dtype()) && is_floating(value.dtype()));
}

std::string misfit(const Buffer& buffer, const Tensor& value) {
  const std::string dtype = buffer.filled() ? text_from(buffer.value().dtype(), ' ') : "";
  return text_from(buffer.name(), " is ", value.dtype(), ' ', value.shape(), ", expected ", dtype,
                   buffer.shape());
}

// A copy with the dtype and device that the buffer has.
Tensor converted(const Buffer& buffer, const Tensor& value) {
  if (!buffer.filled()) return value.clone();
  return value.to(buffer.value().dtype());
}

}  // namespace

std::vector<std::string> Module::load(const State& state, const LoadOptions& options) {
  std::unordered_map<std::string, const Tensor*> given;
  Complaints complaints;
  for (const auto& [path, tensor] : state)
    require(given.emplace(path, &tensor).second, "load: the state has ", path, " twice");
  const auto may_lack = [&](const std::string& path) {
    return std::any_of(options.may_lack.begin(), options.may_lack.end(),
                       [&](const std::string& pattern) { return matches(pattern, path); });
  };

  std::vector<std::string> lacking;
  std::vector<std::pair<Buffer, Tensor>> changes;
  for (const Leaf* leaf : leaves()) {
    const Buffer& buffer = leaf->buffer;
    const auto found = given.find(buffer.name());
    if (found == given.end()) {
      (may_lack(buffer.name()) ? lacking : complaints.missing).push_back(buffer.name());
    } else {
      if (fits(buffer, *found->second)) {
        changes.emplace_back(buffer, converted(buffer, *found->second));
      } else {
        complaints.misshapen.push_back(misfit(buffer, *found->second));
      }
      given.erase(found);
    }
  }
  for (const auto& [path, tensor] : state)
    if (given.contains(path)) complaints.unexpected.push_back(path);
  complaints.raise();
  for (auto& [buffer, value] : changes) assign(buffer, value);
  return lacking;
}

void Module::save(const std::filesystem::path& file,
                  const std::map<std::string, std::string>& metadata) const {
  write_safetensors(file, {state(), metadata});
}

std::map<std::string, std::string> Module::load(const std::filesystem::path& file,
                                                const LoadOptions& options) {
  SafetensorsFile read = read_safetensors(file);
  try {
    load(read.tensors, options);
  } catch (const Error& error) {
    const std::string skipped = read.skipped_text();
    fail(file.string(), ": ", error.what(), skipped.empty() ? "" : "; ", skipped);
  }
  return std::move(read.metadata);
}

// ---- observation ----

Var Module::observed(const char* kind, Var output, std::int64_t multiply_adds) const {
  if (const Observer* observer = Observer::current())
    observer->hear({path(), kind, output.shape(), multiply_adds});
  return output;
}

}  // namespace pliant
