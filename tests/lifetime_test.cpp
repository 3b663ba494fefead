// What outlives what: temporaries, lists that grow, parts that are replaced, modules that died, and
// one tape in the hands of two threads.
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <pliant/autograd/checkpoint.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/linear.h>
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
concept Finds = requires(T&& t, const Parameter& p) {
  std::forward<T>(t).find(p);
};

static_assert(HasSpan<Tensor&> && HasSpan<const Tensor&> && HasMutableSpan<Tensor&>);
static_assert(!HasSpan<Tensor> && !HasSpan<const Tensor> && !HasMutableSpan<Tensor>);
static_assert(Finds<const Gradients&> && !Finds<Gradients>);

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
  const Var held = record("held", v.value(), {v}, {}, [&](const StepView& step) -> Vars {
    std::thread([&] { met = error_of([&] { v + 1.0; }); }).join();
    return {step.cotangent()};
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
