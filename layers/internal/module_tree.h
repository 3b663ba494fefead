// The tree that a Module and its parts share; for the .cpp files of Module alone.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <pliant/layers/module.h>

namespace pliant {

// A parameter or a buffer.
struct Module::Leaf {
  Buffer buffer;        // the node that both share
  Parameter parameter;  // undefined if it is a buffer only
  Initialiser initialiser;
};

struct Module::Node : BufferOwner {
  struct Entry {  // one of both
    std::string name;
    std::unique_ptr<Leaf> leaf;
    std::shared_ptr<Node> child;
    Home home = {};                        // of the child
    const std::type_info* type = nullptr;  // its own
    std::weak_ptr<Forward> call = {};      // where a container calls it
  };
  std::string path;
  std::vector<Entry> entries;  // in the order of own()
  bool frozen = false;
  std::weak_ptr<Node> parent;  // whose part this is

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

  Entry* find(std::string_view name) {
    for (Entry& entry : entries)
      if (entry.name == name) return &entry;
    return nullptr;
  }

  void prefix(const std::string& name) {
    walk([&](Node& node) { node.path = node.path.empty() ? name : name + "." + node.path; });
    each_leaf([&](Leaf& leaf) { leaf.buffer.rename(name + "." + leaf.buffer.name()); });
  }

  // Undoes prefix(): this is outermost.
  void strip() {
    const std::size_t outer = path.empty() ? 0 : path.size() + 1;
    each_leaf([&](Leaf& leaf) { leaf.buffer.rename(leaf.buffer.name().substr(outer)); });
    walk([&](Node& node) { node.path = node.path.substr(std::min(outer, node.path.size())); });
  }

  std::string path_of(const std::string& name) const {
    return path.empty() ? name : path + "." + name;
  }

  std::size_t place_of(const Node& part) const {
    std::size_t place = 0;
    while (entries[place].child.get() != &part) ++place;
    return place;
  }

  // Whether `other` is this or has this somewhere in it.
  bool is_in(const Node& other) const {
    if (this == &other) return true;
    const std::shared_ptr<Node> outer = parent.lock();
    return outer != nullptr && outer->is_in(other);
  }

  std::pair<Node*, Entry*> at(const char* who, std::string_view wanted);
  Entry* entry_of(const Buffer& buffer);
  void replace(const Buffer& before, const Buffer& now) override;
  void trade(const Buffer& before, const Buffer& now) override;

  Entry& add(const std::string& name) {
    require(!name.empty() && name.find_first_of(".*/") == std::string::npos, "own: the name '",
            name, "' is empty or has a dot, a star or a slash");
    require(find(name) == nullptr, "own: there is a part named '", name, "' already");
    return entries.emplace_back(Entry{name, nullptr, nullptr});
  }
};

}  // namespace pliant
