// Parts that are moved out of a net before another takes their place.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <pliant/layers/activations.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/sequential.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Names = std::vector<std::string>;

struct Block : Module {
  explicit Block(std::int64_t width = 4) : inner(own("inner", Linear(4, width))) {}
  Linear inner;
  Sequential rest = own("rest", Sequential(Linear(4, 4), Relu()));
};

struct Net : Module {
  Linear a = own("a", Linear(4, 4));
  Linear b = own("b", Linear(4, 4));
  Block block = own("block", Block());
  Block other = own("other", Block());
  Sequential tail = own("tail", Sequential(Linear(4, 4)));
};

struct Outer : Module {
  Net net = own("net", Net());
};

Names names_of(const Module& net) {
  Names names;
  for (const Parameter& parameter : net.parameters()) names.push_back(parameter.name());
  return names;
}

// That the tree of a net has what its members are, by their paths.
void check_tree(const Net& net, const Module& outer, const std::string& path) {
  static const Names kNames = names_of(Net());
  Names names;
  for (const std::string& name : kNames) names.push_back(path + name);
  CHECK(names_of(outer) == names);
  const std::vector<Parameter> all = outer.parameters();
  REQUIRE(all.size() == 14);
  CHECK(all[0] == net.a.weight);
  CHECK(all[1] == net.a.bias);
  CHECK(all[2] == net.b.weight);
  CHECK(all[4] == net.block.inner.weight);
  CHECK(all[8] == net.other.inner.weight);
  CHECK(net.a.path() == path + "a");
  CHECK(net.b.path() == path + "b");
  CHECK(net.block.path() == path + "block");
  CHECK(net.block.inner.path() == path + "block.inner");
  CHECK(net.block.rest.path() == path + "block.rest");
  CHECK(net.other.inner.path() == path + "other.inner");
  CHECK(net.tail.path() == path + "tail");
}

}  // namespace

TEST_CASE("moved parts: out, and another into the place") {
  Outer outer;
  Net& net = outer.net;
  outer.initialise(Rng(1));
  const Parameter before = net.a.weight;
  Linear old = std::move(net.a);
  CHECK(outer.parameters()[0] == before);  // the net's until there is another
  net.a = Linear(4, 4);
  check_tree(net, outer, "net.");
  CHECK(old.path().empty());  // a net of its own
  CHECK(names_of(old) == Names{"weight", "bias"});
  CHECK(old.parameters()[0] == before);
  net.a = Linear(4, 4);  // as ever
  check_tree(net, outer, "net.");
  old = std::move(net.a);
  Linear further = std::move(old);
  net.a = std::move(further);  // back
  check_tree(net, outer, "net.");

  Block block = std::move(net.block);
  net.block = Block();
  check_tree(net, outer, "net.");
  CHECK(block.inner.path() == "inner");
  CHECK(names_of(block) == Names{"inner.weight", "inner.bias", "rest.0.weight", "rest.0.bias"});
  net.block.inner = Linear(4, 4);
  block.inner = Linear(4, 4);
  check_tree(net, outer, "net.");
}

TEST_CASE("moved parts: std::exchange") {
  Outer outer;
  Net& net = outer.net;
  const Parameter before = net.a.weight, inner = net.block.inner.weight;
  const Linear old = std::exchange(net.a, Linear(4, 4));
  check_tree(net, outer, "net.");
  CHECK(old.weight == before);
  CHECK(old.weight.name() == "weight");
  const Block block = std::exchange(net.block, Block());
  check_tree(net, outer, "net.");
  CHECK(block.inner.weight == inner);
  CHECK(inner.name() == "inner.weight");
  const Sequential tail = std::exchange(net.tail, Sequential(Linear(4, 4)));
  check_tree(net, outer, "net.");
  CHECK(names_of(tail) == Names{"0.weight", "0.bias"});
  const Net whole = std::exchange(outer.net, Net());
  check_tree(outer.net, outer, "net.");
  check_tree(whole, whole, "");
}

TEST_CASE("moved parts: std::swap in a net, of nets, and of parts of two nets") {
  Outer outer;
  Net& net = outer.net;
  const Parameter a = net.a.weight, b = net.b.weight, inner = net.block.inner.weight;
  std::swap(net.a, net.b);
  check_tree(net, outer, "net.");
  CHECK(net.a.weight == b);
  CHECK(net.b.weight == a);
  std::swap(net.block, net.other);
  check_tree(net, outer, "net.");
  CHECK(net.other.inner.weight == inner);
  std::swap(net.block.inner, net.block.inner);
  check_tree(net, outer, "net.");
  std::swap(net.a, net.block.inner);  // of two levels
  check_tree(net, outer, "net.");
  CHECK(net.block.inner.weight == b);

  Outer second;
  std::swap(net.tail, second.net.tail);
  std::swap(net.b, second.net.block.inner);
  check_tree(net, outer, "net.");
  check_tree(second.net, second, "net.");
  CHECK(second.net.block.inner.weight == a);
  std::swap(outer, second);
  check_tree(outer.net, outer, "net.");
  check_tree(second.net, second, "net.");
  CHECK(outer.net.block.inner.weight == a);
  std::swap(outer.net, second.net);
  check_tree(outer.net, outer, "net.");
  check_tree(second.net, second, "net.");
}

TEST_CASE("moved parts: a net that was moved from takes nothing from the one that has its parts") {
  Net first;
  const Parameter a = first.a.weight;
  Net second = std::move(first);
  first.a = Linear(4, 4);
  check_tree(second, second, "");
  first = Net();
  check_tree(first, first, "");
  check_tree(second, second, "");
  CHECK(second.a.weight == a);
  second.a = Linear(4, 4);
  check_tree(second, second, "");
}

TEST_CASE("moved parts: what own() returns may be moved to where the net keeps it") {
  struct Kept : Module {
    Kept() {
      later = own("later", Linear(4, 4));
      for (int i = 0; i < 5; ++i)
        list.push_back(own(std::to_string(i), Linear(4, 4)));  // grows, so moves them
      heap = std::make_unique<Linear>(own("heap", Linear(4, 4)));
      weight = own("weight", Parameter(Shape{4}), init::ones());
    }
    std::optional<Linear> later;
    std::vector<Linear> list;
    std::unique_ptr<Linear> heap;
    Parameter weight;
  };
  Kept net;
  const auto check = [&] {
    const std::vector<Parameter> all = net.parameters();
    REQUIRE(all.size() == 15);
    CHECK(all[0] == net.later->weight);
    CHECK(all[2] == net.list[0].weight);
    CHECK(all[8] == net.list[3].weight);
    CHECK(all[12] == net.heap->weight);
    CHECK(all[14] == net.weight);
  };
  check();
  for (int round = 0; round < 2; ++round) {
    for (Linear* const part : {&*net.later, net.list.data(), &net.list[3], net.heap.get()}) {
      const Linear old = std::move(*part);
      *part = Linear(4, 4);
      check();
      *part = Linear(4, 4);
      check();
    }
    std::swap(net.list[0], net.list[3]);
    std::swap(*net.heap, *net.later);
    const Parameter old = std::exchange(net.weight, Parameter(Tensor::zeros({4})));
    check();
    Kept other = std::move(net);  // and the same in a net that was moved
    net = Kept();
    std::swap(net, other);
    check();
  }
}

TEST_CASE("moved parts: a net does not get into a part of itself") {
  Net net;
  Block old = std::move(net.block);
  CHECK(error_of([&] {
          old.inner = Linear(4, 4), net.block = Block(), net.a = Linear(4, 4);
        }).empty());
  check_tree(net, net, "");
  struct Tree : Module {
    std::unique_ptr<Tree> child;
    void grow() { child = std::make_unique<Tree>(own("child", Tree())); }
  };
  Tree tree;
  tree.grow();
  const Tree out = std::move(*tree.child);
  CHECK(error_of([&] { *tree.child = std::move(tree); }) ==
        "module: the net cannot become 'child', a part of itself");
}

TEST_CASE("moved parts: parameters and buffers") {
  Net net;
  net.initialise(Rng(1));
  const Parameter before = net.a.weight, other = net.b.weight;
  const Parameter old = std::move(net.a.weight);
  CHECK(net.parameters()[0] == before);
  net.a.weight = Parameter(Tensor::zeros({4, 4}, DType::float32));
  check_tree(net, net, "");
  CHECK(net.a.weight.name() == "a.weight");
  const Parameter out =
      std::exchange(net.a.weight, Parameter(Tensor::zeros({4, 4}, DType::float32)));
  check_tree(net, net, "");
  std::swap(net.a.weight, net.b.weight);
  check_tree(net, net, "");
  CHECK(net.a.weight == other);
  std::swap(net.a.weight, net.block.inner.weight);
  check_tree(net, net, "");
  CHECK(net.block.inner.weight == other);
  const Parameter named(Tensor::zeros({4, 4}, DType::float32), "named");
  const Parameter last = std::move(net.a.weight);
  net.a.weight = named;  // a copy
  check_tree(net, net, "");
  CHECK(named.name() == "a.weight");
  net.initialise(Rng(2));
  net.load(net.state());
}
