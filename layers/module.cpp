#include <pliant/layers/module.h>

#include <algorithm>
#include <functional>

#include <pliant/layers/internal/module_tree.h>
#include <pliant/layers/internal/paths.h>
#include <pliant/layers/observer.h>

namespace pliant {

Module::Module() : node_(std::make_shared<Node>()) { node_->object = this; }

Module::Module(Module&& other) noexcept {
  const Place before = other.place();
  arrive(other);
  other.left_ = before;
}

Module& Module::operator=(Module&& other) {
  if (this == &other) return *this;
  const Place before = other.place();
  if (node_ == nullptr)
    return_to_place(other);
  else if (node_ != other.node_)
    take_place_of(other);
  arrive(other);
  other.left_ = before;
  return *this;
}

Module::~Module() {
  if (node_ != nullptr) {
    if (node_->object == this) node_->object = nullptr;
    return;
  }
  // The part was what own() returned, and is now where that was moved to.
  const std::shared_ptr<Node> net = left_.net.lock();
  if (net == nullptr) return;
  Node::Entry& entry = net->entries[left_.entry];
  if (entry.home == home_of(this, net->object))
    entry.home = home_of(entry.child->object, net->object);
}

// Where this is in the tree of a net; nowhere if it is outermost or was moved from.
Module::Place Module::place() const noexcept {
  const std::shared_ptr<Node> net = node_ != nullptr ? node_->parent.lock() : nullptr;
  return net != nullptr ? Place{net, net->place_of(*node_)} : Place{};
}

void Module::arrive(Module& other) noexcept {
  node_ = std::move(other.node_);
  left_ = std::exchange(other.left_, {});
  if (node_ == nullptr) return;
  node_->object = this;
  const Place here = place();
  const std::shared_ptr<Node> net = here.net.lock();
  if (net != nullptr && !net->entries[here.entry].home)
    net->entries[here.entry].home = home_of(this, net->object);
}

Module::Node& Module::node() const {
  require(node_ != nullptr, "module: this one was moved from");
  return *node_;
}

std::function<bool()> Module::still_here() const {
  return [there = std::weak_ptr<Node>(node_), self = this] {
    const std::shared_ptr<Node> node = there.lock();
    return node != nullptr && node->object == self;
  };
}

// ---- the tree ----

// Where this is a part of a net, the other becomes that part. What this had is no longer owned.
void Module::take_place_of(Module& other) {
  if (const std::shared_ptr<Node> parent = node_->parent.lock()) {
    Node& theirs = other.node();
    require(theirs.parent.expired(), "module: '", theirs.path, "' is a part of a net already and ",
            "cannot become '", node_->path, "'; copy its weights: load(other.state())");
    require(!node_->is_in(theirs), "module: the net cannot become '", node_->path,
            "', a part of itself");
    const auto place = std::find_if(parent->entries.begin(), parent->entries.end(),
                                    [&](const auto& entry) { return entry.child == node_; });
    theirs.prefix(node_->path);
    theirs.parent = parent;
    place->child = other.node_;
    node_->parent.reset();
  }
  for (Node::Entry& entry : node_->entries) {
    if (entry.child != nullptr) entry.child->parent.reset();
    if (entry.leaf != nullptr) entry.leaf->buffer.node_->owner.reset();
  }
}

// The same where what this had was moved out before: it gets the place of the other, if any.
void Module::return_to_place(Module& other) {
  const std::shared_ptr<Node> net = left_.net.lock();
  if (net == nullptr || other.node_ == nullptr) return;
  Node::Entry& here = net->entries[left_.entry];
  const std::shared_ptr<Node> before = here.child, now = other.node_;
  // A net that was moved as a whole has its parts still.
  if (before == now || here.home == home_of(before->object, net->object)) return;
  const Place from = other.place();
  const std::shared_ptr<Node> their_net = from.net.lock();
  Node::Entry* there = their_net != nullptr ? &their_net->entries[from.entry] : nullptr;
  if (there != nullptr && there->home == home_of(this, their_net->object))
    return;  // moves likewise
  const std::string path = net->path_of(here.name);
  require(!net->is_in(*now) && (there == nullptr || !their_net->is_in(*before)),
          "module: the net cannot become '", path, "', a part of itself");
  before->strip();
  now->strip();
  before->parent = their_net;
  if (there != nullptr) {
    there->child = before;
    before->prefix(their_net->path_of(there->name));
  }
  here.child = now;
  now->parent = net;
  now->prefix(path);
}

Module::Node::Entry* Module::Node::entry_of(const Buffer& buffer) {
  const auto place = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.leaf != nullptr && entry.leaf->buffer == buffer;
  });
  return place != entries.end() ? &*place : nullptr;
}

// For members that are swapped, each a part of a net.
void Module::Node::trade(const Buffer& before, const Buffer& now) {
  const std::shared_ptr<BufferOwner> owner = now.node_->owner.lock();
  Entry* here = entry_of(before);
  Entry* there = owner != nullptr ? static_cast<Node&>(*owner).entry_of(now) : nullptr;
  if (here == nullptr || there == nullptr) return replace(before, now);
  std::swap(before.node_->name, now.node_->name);
  std::swap(before.node_->transposed, now.node_->transposed);
  std::swap(before.node_->owner, now.node_->owner);
  std::swap(before.node_->home, now.node_->home);
  std::swap(here->leaf->buffer.node_, there->leaf->buffer.node_);
  std::swap(here->leaf->parameter.node_, there->leaf->parameter.node_);
}

// For a member that is assigned another buffer. What the layer needs to know of it stays.
void Module::Node::replace(const Buffer& before, const Buffer& now) {
  Entry* const place = entry_of(before);
  if (place == nullptr) return;
  Leaf& leaf = *place->leaf;
  const std::string& name = before.name();
  require(now.defined(), "module: '", name, "' cannot become undefined; make the layer without it");
  require(now.node_->owner.expired(), "module: '", now.name(), "' is a part of a net already and ",
          "cannot become '", name, "'; a parameter has one owner, and others lift it: ",
          "x.lift(parameter); or copy its numbers: set(tensor)");
  require(now.filled() || leaf.initialiser != nullptr, "module: '", name,
          "' would be empty and has no initialiser");
  now.node_->name = name;
  now.node_->transposed = before.node_->transposed;
  now.node_->owner = std::exchange(before.node_->owner, {});
  now.node_->home = std::exchange(before.node_->home, {});
  leaf.buffer.node_ = now.node_;
  if (leaf.parameter.defined()) leaf.parameter.node_ = now.node_;
}

void Module::adopt(const std::string& name, const Module& child, const std::type_info& type) {
  require(!node().is_in(child.node()), "own: '", name,
          "' is the net itself, or has it in it; a net ", "owns its parts");
  require(child.node().parent.expired(), "own: '", name, "' is a part of a net already, as '",
          child.node().path, "'");
  Node::Entry& entry = node().add(name);
  entry.child = child.node_;
  entry.type = &type;
  child.node().prefix(node().path_of(name));
  child.node().parent = node_;
}

Module::Leaf& Module::add_leaf(const std::string& name, Buffer& buffer, Initialiser initialiser) {
  require(buffer.defined(), "own: '", name, "' is undefined (made by the default constructor)");
  require(buffer.node_->owner.expired(), "own: '", name, "' is owned already, as '", buffer.name(),
          "'; a parameter has one owner, and others lift it: x.lift(parameter)");
  require(buffer.filled() || initialiser != nullptr, "own: '", name,
          "' is empty and has no initialiser");
  Node::Entry& entry = node().add(name);
  entry.leaf = std::make_unique<Leaf>(Leaf{buffer, {}, std::move(initialiser)});
  buffer.rename(node().path_of(name));
  buffer.node_->owner = node_;
  buffer.node_->home.reset();
  return *entry.leaf;
}

Buffer Module::own(const std::string& name, Buffer buffer, Initialiser initialiser) {
  add_leaf(name, buffer, std::move(initialiser));
  buffer.is_member_ = true;
  buffer.node_->member = &buffer;
  return buffer;
}

Parameter Module::own(const std::string& name, Parameter parameter, Initialiser initialiser) {
  add_leaf(name, parameter, std::move(initialiser)).parameter = parameter;
  parameter.is_member_ = true;
  parameter.node_->member = &parameter;
  return parameter;
}

std::vector<Module::Leaf*> Module::leaves() const {
  node().walk([](const Node& part) {
    require(part.object != nullptr, "module: '", part.path,
            "' was destroyed while the net has it; ",
            "keep what own() returns, and replace a part by assignment (net.part = Linear(..))");
  });
  std::vector<Leaf*> all;
  node().each_leaf([&](Leaf& leaf) { all.push_back(&leaf); });
  return all;
}

void Module::require_tensors(const char* who) const {
  require(!leaves().empty(), who, ": ", path().empty() ? "the net" : "'" + path() + "'",
          " has no parameters and no buffers; give it its layers by own(\"name\", layer)");
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

const std::string& Module::path() const& { return node().path; }

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

// ---- flags ----

bool Module::frozen() const { return node().frozen; }

// Calls on_module(node) for the modules that `pattern` matches and all that are in them, and
// on_parameter for the parameters there and those that it matches themselves.
template <class OnModule, class OnParameter>
void Module::each_match(const char* what, std::string_view pattern, OnModule&& on_module,
                        OnParameter&& on_parameter) {
  require(!pattern.empty(), what, ": the pattern is empty; '*' is the whole net");
  bool found = false;
  node().walk([&](Node& module) {
    if (!path_matches(pattern, module.path)) return;
    found = true;
    module.walk(on_module);
    module.each_leaf([&](Leaf& leaf) {
      if (leaf.parameter.defined()) on_parameter(leaf.parameter);
    });
  });
  std::vector<std::string> paths;
  for (Parameter& parameter : parameters()) {
    paths.push_back(parameter.name());
    if (!path_matches(pattern, parameter.name())) continue;
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
  each_match(
      "set_lr_factor", pattern, [](Node&) {},
      [&](Parameter& parameter) { parameter.set_lr_factor(factor); });
}

// ---- observation ----

Var Module::observed(const char* kind, Var output, std::int64_t multiply_adds) const {
  if (const Observer* observer = Observer::current())
    observer->hear({path(), kind, output.shape(), multiply_adds, nullptr});
  return output;
}

Var Module::observed(const char* kind, Var output, std::int64_t multiply_adds,
                     const WindowCall& window) const {
  if (const Observer* observer = Observer::current())
    observer->hear({path(), kind, output.shape(), multiply_adds, &window});
  return output;
}

}  // namespace pliant
