// What outlives what: temporaries, lists that grow, parts that are replaced, modules that died, and
// one tape in the hands of two threads.
#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include <pliant/autograd/checkpoint.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/sequential.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

// ---- what does not compile ----

namespace {

template <class T>
concept HasSpan = requires(T&& t) {
  std::forward<T>(t).template span<float>();
};
template <class T>
concept HasMutableSpan = requires(T&& t) {
  std::forward<T>(t).template mutable_span<float>();
};
template <class T>
concept HasData = requires(T&& t) {
  std::forward<T>(t).template data<float>();
};
template <class T>
concept HasMutableData = requires(T&& t) {
  std::forward<T>(t).template mutable_data<float>();
};
template <class T>
concept HasRaw = requires(T&& t) {
  std::forward<T>(t).raw();
};
template <class T>
concept HasMutableRaw = requires(T&& t) {
  std::forward<T>(t).mutable_raw();
};
template <class T>
concept FindsByName = requires(T&& t) {
  std::forward<T>(t).find("w");
};
template <class T>
concept HasElement = requires(T&& t) {
  std::forward<T>(t)[0];
};
template <class T>
concept HasBegin = requires(T&& t) {
  std::forward<T>(t).begin();
};
template <class T>
concept Finds = requires(T&& t, const Parameter& p) {
  std::forward<T>(t).find(p);
};

static_assert(HasSpan<Tensor&> && HasSpan<const Tensor&> && HasMutableSpan<Tensor&>);
static_assert(!HasSpan<Tensor> && !HasSpan<const Tensor> && !HasMutableSpan<Tensor>);
static_assert(HasData<Tensor&> && HasData<const Tensor&> && HasMutableData<Tensor&>);
static_assert(!HasData<Tensor> && !HasData<const Tensor> && !HasMutableData<Tensor>);
static_assert(HasRaw<Tensor&> && HasRaw<const Tensor&> && HasMutableRaw<Tensor&>);
static_assert(!HasRaw<Tensor> && !HasRaw<const Tensor> && !HasMutableRaw<Tensor>);
static_assert(FindsByName<const SafetensorsFile&> && !FindsByName<SafetensorsFile>);
static_assert(HasElement<const ModuleList<Linear>&> && !HasElement<ModuleList<Linear>>);
static_assert(HasBegin<const ModuleList<Linear>&> && !HasBegin<ModuleList<Linear>>);
static_assert(Finds<const Gradients&> && !Finds<Gradients>);
static_assert(std::is_same_v<decltype(std::declval<StepState>().counter()), Tensor>);

// A temporary gives values; what has a name gives references.
template <class T>
using ValueOf = decltype(std::declval<T>().value());
static_assert(std::is_same_v<ValueOf<Var>, Tensor> && std::is_same_v<ValueOf<Parameter>, Tensor>);
static_assert(std::is_same_v<ValueOf<const Var&>, const Tensor&>);
static_assert(std::is_same_v<ValueOf<const Parameter&>, const Tensor&>);
static_assert(std::is_same_v<decltype(std::declval<Tensor>().shape()), Shape>);
static_assert(std::is_same_v<decltype(std::declval<Var>().shape()), Shape>);
static_assert(std::is_same_v<decltype(std::declval<Parameter>().shape()), Shape>);
static_assert(std::is_same_v<decltype(std::declval<Parameter>().name()), std::string>);
static_assert(std::is_same_v<decltype(std::declval<Linear>().path()), std::string>);
static_assert(
    std::is_same_v<decltype(std::declval<Gradients>()[std::declval<Parameter>()]), Tensor>);
static_assert(
    std::is_same_v<decltype(std::declval<Gradients>().entries()), std::vector<Gradients::Entry>>);

Linear ready(std::int64_t in, std::int64_t out, std::uint64_t seed) {
  Linear layer(in, out);
  layer.initialise(Rng(seed));
  return layer;
}

Tensor input() { return random({4, 8}, 1, -1, 1, DType::float32); }

struct Net : Module {
  Linear stem = own("stem", Linear(8, 8));
  Linear head = own("head", Linear(8, 3));
  Var operator()(const Var& x) const { return head(relu(stem(x))); }
};

struct Nested : Module {
  Net net = own("net", Net());
  Var operator()(const Var& x) const { return net(x); }
};

}  // namespace

TEST_CASE("temporaries: a loop over the elements, entries and extents of a result") {
  const Tensor x = Tensor::full({300}, 0.25, DType::float64);
  double total = 0;
  for (const double element : relu(x).value().to_vector()) total += element;
  CHECK(total == 75);
  std::int64_t extents = 0;
  for (const std::int64_t extent : relu(x).shape()) extents += extent;
  CHECK(extents == 300);
  const Parameter p(x, "p");
  const Tape tape;
  for (const auto& entry : tape.gradients(sum(tape(p))).entries())
    CHECK(entry.gradient.to_vector()[299] == 1);
}

// ---- lists, replaced parts ----

TEST_CASE("ModuleList: a reference stays good however many are added") {
  ModuleList<Linear> list;
  const Linear& first = list.add(Linear(8, 8));
  for (int i = 0; i < 40; ++i) list.add(Linear(8, 8));
  const ModuleList<Linear> moved = std::move(list);
  CHECK(&first == &moved[0]);
  CHECK(&first == &*moved.begin());
  CHECK(first.path() == "0");
}

TEST_CASE("module: a replaced part takes the old one's place in the net") {
  Nested outer;
  Net& net = outer.net;
  outer.initialise(Rng(1));
  const Parameter old = net.head.weight;
  net.head = Linear(8, 5);
  net.head.initialise(Rng(2));
  CHECK(net.head.path() == "net.head");
  CHECK(outer.parameters()[2] == net.head.weight);
  CHECK(outer.parameters()[2].name() == "net.head.weight");
  CHECK(outer.parameters().size() == 4);
  CHECK(outer.state()[2].second.shape() == Shape{5, 8});
  Sgd sgd(outer.parameters());
  const Tensor before = net.head.weight.value().clone();
  const Tape tape;
  sgd.step(tape.gradients(mean(outer(tape.input(input())))));
  CHECK(max_difference(before, net.head.weight.value()) > 0);
  outer.freeze("net.head");
  CHECK(net.head.weight.frozen());

  outer.net = Net();  // and parts that have parts
  CHECK(outer.net.head.path() == "net.head");
  CHECK(outer.parameters()[2] == outer.net.head.weight);
  outer.net.head = Linear(8, 2);
  CHECK(outer.parameters()[2] == outer.net.head.weight);

  Net other;
  const std::string message = error_of([&] { outer.net.head = std::move(other.head); });
  CHECK(contains(message, "'head' is a part of a net already and cannot become 'net.head'"));
  other = Net();  // a whole net is no part
  CHECK(other.parameters()[2] == other.head.weight);
}

TEST_CASE("module: a parameter that is assigned takes the old one's place in the net") {
  Nested outer;
  Net& net = outer.net;
  outer.initialise(Rng(1));
  outer.set_lr_factor("net.head.weight", 3);
  Parameter old = net.head.weight;  // a handle
  const Tensor value = random({3, 8}, 3, -1, 1, DType::float32);
  net.head.weight = Parameter(value.clone());
  CHECK(net.head.weight.name() == "net.head.weight");
  CHECK(outer.parameters()[2] == net.head.weight);
  CHECK(outer.parameters().size() == 4);
  CHECK(same_bits(outer.state()[2].second, value));
  CHECK_FALSE(old == net.head.weight);

  Sgd sgd(outer.parameters());
  const Tape tape;
  sgd.step(tape.gradients(mean(outer(tape.input(input())))));
  CHECK(max_difference(value, net.head.weight.value()) > 0);
  outer.load({{"net.stem.weight", net.stem.weight.value()},
              {"net.stem.bias", net.stem.bias.value()},
              {"net.head.weight", value},
              {"net.head.bias", net.head.bias.value()}});
  CHECK(same_bits(net.head.weight.value(), value));
  outer.initialise(Rng(1));
  CHECK(max_difference(net.head.weight.value(), old.value()) == 0);

  // Through moves, from a name, and of a net that is no part.
  Nested moved = std::move(outer);
  const Parameter named(value.clone(), "named");
  moved.net.head.weight = named;
  CHECK(moved.parameters()[2] == named);
  CHECK(named.name() == "net.head.weight");
  Linear alone(8, 3);
  alone.weight = Parameter(value.clone());
  CHECK(alone.parameters()[0] == alone.weight);

  // Handles are only handles.
  old = Parameter(value.clone());
  old = alone.weight;
  std::vector<Parameter> all = moved.parameters();
  all[0] = all[1];
  CHECK(moved.parameters()[0] == moved.net.stem.weight);
}

TEST_CASE("module: what cannot take a parameter's place") {
  Net net;
  net.initialise(Rng(1));
  const Parameter before = net.head.weight;
  CHECK(error_of([&] { net.head.weight = net.stem.weight; }) ==
        "module: 'stem.weight' is a part of a net already and cannot become 'head.weight'; a "
        "parameter has one owner, and others lift it: x.lift(parameter); or copy its numbers: "
        "set(tensor)");
  CHECK(contains(error_of([&] { net.head.weight = Parameter(); }), "cannot become undefined"));
  CHECK(net.head.weight == before);
  CHECK(net.parameters()[2] == before);
  Parameter& same = net.head.weight;
  net.head.weight = same;
  net.head.weight = std::move(same);
  CHECK(net.head.weight == before);
  struct Holder : Module {
    Buffer kept = own("kept", Buffer(Tensor::zeros({2})));
  };
  Holder holder;
  CHECK(error_of([&] { holder.kept = Buffer(Shape{2}); }) ==
        "module: 'kept' would be empty and has no initialiser");
  holder.kept = Buffer(Tensor::full({2}, 5));
  CHECK(holder.state()[0].second.to_vector() == std::vector<double>{5, 5});
}

TEST_CASE("module: a part that was destroyed leaves no silent hole") {
  struct Optional : Module {
    std::optional<Linear> head = own("head", Linear(8, 3));
    Linear kept = own("kept", Linear(8, 3));
  };
  Optional net;
  net.head.emplace(8, 5);
  for (const std::function<void()>& use : std::vector<std::function<void()>>{
           [&] { net.parameters(); }, [&] { net.initialise(Rng(1)); }, [&] { net.state(); }})
    CHECK(error_of(use) ==
          "module: 'head' was destroyed while the net has it; keep what own() returns, and replace "
          "a part by assignment (net.part = Linear(..))");
  Optional assigned;
  assigned.head = Linear(8, 5);
  CHECK(assigned.parameters()[0] == assigned.head->weight);
}

TEST_CASE("module: a layer that was not taken in says so when it is used") {
  struct Forgot : Module {
    Linear stem = own("stem", Linear(2, 2));
    Linear head = Linear(2, 2);
  };
  Forgot net;
  net.initialise(Rng(1));
  CHECK(contains(error_of([&] {
                   net.head(Tensor::zeros({1, 2}));
                 }),
                 "neither reaches a layer that the net did not take in by own("));
  CHECK(contains(error_of([&] { Parameter(Shape{2}, "p").value(); }), "gives it to a module"));
}

TEST_CASE("module: a net does not own itself") {
  struct Inner : Module {
    Linear stem = own("stem", Linear(2, 2));
    void take(Inner& other) { own("me", std::move(other)); }
  };
  Inner net;
  CHECK(error_of([&] { net.take(net); }) ==
        "own: 'me' is the net itself, or has it in it; a net owns its parts");
  CHECK(net.parameters().size() == 2);
  struct Tree : Module {
    std::unique_ptr<Tree> child;
    void grow() { child = std::make_unique<Tree>(own("child", Tree())); }
  };
  Tree tree;
  tree.grow();
  CHECK(error_of([&] { *tree.child = std::move(tree); }) ==
        "module: the net cannot become 'child', a part of itself");
  // Nor what it is a part of.
  struct Part : Sequential {
    void take(Module& net) { own("net", std::move(net)); }
  };
  struct Whole : Module {
    Part part = own("part", Part());
    Linear head = own("head", Linear(2, 2));
  };
  Whole whole;
  CHECK(
      contains(error_of([&] { whole.part.take(whole); }), "own: 'net' is the net itself, or has"));
  CHECK(whole.parameters().size() == 2);
}

// ---- checkpoints ----

TEST_CASE("checkpoint: a module that died or moved is an Error") {
  const auto message_of = [](bool dies) {
    const Tape tape;
    const Var x = tape.variable(input());
    auto layer = std::make_unique<Linear>(ready(8, 8, 1));
    const Var loss = mean(checkpoint(*layer, x));
    const Linear moved = dies ? Linear(1, 1) : std::move(*layer);
    if (dies) layer.reset();
    return error_of([&] { tape.gradients(loss); });
  };
  for (const bool dies : {true, false})
    CHECK(contains(message_of(dies), "checkpoint: the module was destroyed or moved before"));
}

TEST_CASE("checkpoint: what can neither be copied nor asked is refused") {
  struct Functor {
    std::unique_ptr<int> kept;
    Var operator()(const Var& x) const { return relu(x); }
  };
  static_assert(!std::copy_constructible<Functor>);
  const Functor functor{};
  const Tape tape;
  const Var x = tape.variable(input());
  CHECK(tape.gradients(sum(checkpoint([&](const Var& v) { return functor(v); }, x))).contains(x));
}

// ---- two threads ----

TEST_CASE("tape: two threads at the same time are an Error, one after the other is not") {
  const Tape tape;
  const Var x = tape.variable(Tensor::full({4}, 0.5, DType::float64));
  std::atomic<int> arrived{0};
  std::atomic<bool> done{false};
  std::string messages[2];
  const auto work = [&](int self) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
    messages[self] = error_of([&] {
      Var y = x;
      for (int i = 0; i < 20000 && !done; ++i) y = y * x;
    });
    if (!messages[self].empty()) done = true;
  };
  // Within gradients() a tape is in use for as long as it takes: the other thread meets that
  // surely.
  const Tape busy;
  const Var v = busy.variable(Tensor::full({4}, 0.5, DType::float64));
  std::string met;
  const Var held = record("held", v.value(), {v}, {}, [&](const NodeView& node) -> Vars {
    std::thread([&] { met = error_of([&] { v + 1.0; }); }).join();
    return {node.cotangent()};
  });
  busy.gradients(sum(held));
  CHECK(contains(met, "add: this tape is in use by another thread"));
  CHECK(contains(met, "a Tape of its own"));

  std::thread first(work, 0), second(work, 1);
  first.join();
  second.join();
  for (const std::string& message : messages)
    CHECK((message.empty() || contains(message, "this tape is in use by another thread")));

  const Tape handed;
  Var y = handed.variable(Tensor::full({1}, 2.0, DType::float64));
  const Var leaf = y;
  for (int i = 0; i < 5; ++i) std::thread([&] { y = y * leaf; }).join();
  Tensor gradient;
  std::thread([&] { gradient = handed.gradients(y)[leaf]; }).join();
  CHECK(gradient.item() == 6 * 32);
}

TEST_CASE("an undefined parameter is an Error wherever it is used") {
  const Linear layer(2, 2, {.bias = Bias::no});
  Parameter none;
  const Tape tape;
  const Var x = tape.input(Tensor::zeros({1, 2}));
  for (const std::function<void()>& use : std::vector<std::function<void()>>{
           [&] { x + layer.bias; }, [&] { x.lift(none); }, [&] { tape(none); },
           [&] { Var(Tensor::zeros({2})).lift(none); }, [&] { none.shape(); }, [&] { none.name(); },
           [&] { none.rename("p"); }, [&] { none.frozen(); },
           [&] { none.set(Tensor::zeros({2})); }})
    CHECK(contains(error_of(use), "it is undefined"));
}
