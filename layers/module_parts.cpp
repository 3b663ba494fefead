// A Module's parts by path: found, and replaced.
#include <cxxabi.h>

#include <cstdlib>

#include <pliant/core/nearest.h>
#include <pliant/layers/internal/module_tree.h>

namespace pliant {
namespace {

// "Conv2d"
std::string name_of(const std::type_info& type) {
  int status = 0;
  char* const text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : type.name();
  std::free(text);
  for (const std::string_view space : {"pliant::", "(anonymous namespace)::"})
    for (std::size_t at = name.find(space); at != std::string::npos; at = name.find(space))
      name.erase(at, space.size());
  return name;
}

// A path as one writes it in a net whose own path is `outer`.
std::string within(const std::string& outer, const std::string& path) {
  return outer.empty() ? path : path.substr(std::min(path.size(), outer.size() + 1));
}

std::string suggestion(std::string_view path, const std::vector<std::string>& known) {
  const std::string name = nearest_name(std::string(path), known);
  return name.empty() ? "; it has none" : "; did you mean '" + name + "'?";
}

}  // namespace

// The entry of the part at the path `wanted` and whose entry it is. Errors begin with `who`.
std::pair<Module::Node*, Module::Node::Entry*> Module::Node::at(const char* who,
                                                                std::string_view wanted) {
  Node* net = this;
  Entry* entry = nullptr;
  for (std::string_view rest = wanted; net != nullptr;) {
    const std::size_t dot = rest.find('.');
    entry = net->find(rest.substr(0, dot));
    if (dot == std::string_view::npos || entry == nullptr) break;
    rest.remove_prefix(dot + 1);
    net = entry->child.get();
  }
  if (net == nullptr || entry == nullptr || entry->child == nullptr) {
    std::vector<std::string> known;
    walk([&](const Node& node) {
      if (&node != this) known.push_back(within(path, node.path));
    });
    fail(who, ": ", path, path.empty() ? "the net" : "", " has no part '", wanted, "'",
         suggestion(wanted, known));
  }
  return {net, entry};
}

Module& Module::part(std::string_view path) & { return part_at(path); }

Module& Module::part_at(std::string_view path, const std::type_info* type) const {
  const Node::Entry& entry = *node().at("part", path).second;
  require(type == nullptr || *type == *entry.type || *type == typeid(Module), "part: '", path,
          "' is a ", name_of(*entry.type), ", not a ",
          type == nullptr ? std::string() : name_of(*type));
  require(entry.child->object != nullptr, "part: '", path, "' was destroyed while the net has it");
  // The address of a Module, which object is; it was one that may change when its node was made.
  return *static_cast<Module*>(const_cast<void*>(entry.child->object));
}

Parameter Module::parameter(std::string_view path) const {
  std::vector<std::string> known;
  for (Parameter& parameter : parameters()) {
    known.push_back(within(this->path(), parameter.name()));
    if (known.back() == path) return parameter;
  }
  fail("parameter: ", this->path(), this->path().empty() ? "the net" : "", " has no '", path, "'",
       suggestion(path, known));
}

bool Module::has_part(const std::string& name) const {
  const Node::Entry* const entry = node().find(name);
  return entry != nullptr && entry->child != nullptr;
}

void Module::calls_through(const std::string& name, const std::shared_ptr<Forward>& call) {
  node().find(name)->call = call;
}

// Where a container calls the part at that path, the layer becomes the part and the place of the
// call is given; nullptr where it is a member, which is assigned to.
std::shared_ptr<Forward> Module::make_way(std::string_view path, const Module& layer,
                                          const std::type_info& type) {
  const auto [net, entry] = node().at("replace", path);
  std::shared_ptr<Forward> call = entry->call.lock();
  if (call == nullptr) {
    require(*entry->type == type, "replace: '", path, "' is a member of its net's class, a ",
            name_of(*entry->type), ", and cannot become a ", name_of(type));
    return nullptr;
  }
  Node& now = layer.node();
  require(now.parent.expired(), "replace: the layer for '", path,
          "' is a part of a net already, as '", now.path, "'");
  require(!net->is_in(now), "replace: the net cannot become '", path, "', a part of itself");
  const std::shared_ptr<Node> before = entry->child;
  before->strip();
  entry->child = layer.node_;
  entry->type = &type;
  entry->home.reset();
  now.prefix(net->path_of(entry->name));
  now.parent = std::exchange(before->parent, {});
  return call;
}

}  // namespace pliant
