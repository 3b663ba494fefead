#include <pliant/layers/module.h>

#include <unistd.h>

#include <filesystem>
#include <type_traits>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Block : Module {
  Linear offset = own("offset", Linear(3, 3));
  BatchNorm2d norm = own("norm", BatchNorm2d(3));
  Parameter scale = own("scale", Parameter(Shape{1}), init::ones());

  Var operator()(const Var& x) const { return norm(offset(x)) * x.lift(scale); }
};

struct Net : Module {
  Linear stem = own("stem", Linear(2, 3));
  Block block = own("block", Block());
  Linear head = own("head", Linear(3, 2, {.bias = Bias::no}));

  Var operator()(const Var& x) const { return head(relu(block(relu(stem(x))))); }
};

static_assert(!std::is_copy_constructible_v<Net> && !std::is_copy_assignable_v<Net>);
static_assert(std::is_move_constructible_v<Net> && std::is_move_assignable_v<Net>);
static_assert(!std::is_copy_constructible_v<Linear> && std::is_move_constructible_v<Linear>);
static_assert(!std::is_convertible_v<Parameter, Var> && !std::is_convertible_v<Parameter, Tensor>);

using Names = std::vector<std::string>;

template <class Handles>
Names names_of(const Handles& handles) {
  Names names;
  for (const auto& handle : handles) names.push_back(handle.name());
  return names;
}

Names frozen_names(const Net& net) {
  Names names;
  for (const Parameter& parameter : net.parameters())
    if (parameter.frozen()) names.push_back(parameter.name());
  return names;
}

Net ready_net(std::uint64_t seed = 1) {
  Net net;
  net.initialise(Rng(seed));
  return net;
}

// Paths whose bytes differ.
Names changes(const State& before, const State& after) {
  REQUIRE(before.size() == after.size());
  Names changed;
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(before[i].first == after[i].first);
    if (!same_bits(before[i].second, after[i].second)) changed.push_back(before[i].first);
  }
  return changed;
}

const Names kParameters = {"stem.weight",       "stem.bias",         "block.offset.weight",
                           "block.offset.bias", "block.norm.weight", "block.norm.bias",
                           "block.scale",       "head.weight"};
const Names kBuffers = {"block.norm.running_mean", "block.norm.running_var"};

Tensor images(std::uint64_t seed = 7) { return random({4, 3, 3, 2}, seed, -1, 1, DType::float32); }

// One step on everything that is not frozen.
void train(Net& net, double lr = 0.1) {
  Sgd sgd(net.parameters(), {.lr = lr});
  Tape tape;
  const Var y = net(tape.input(images()));
  sgd.step(tape.gradients(mean(y * y)));
}

}  // namespace

TEST_CASE("module: paths, in the order of own()") {
  const Net net;
  CHECK(names_of(net.parameters()) == kParameters);
  CHECK(names_of(net.buffers()) == kBuffers);
  CHECK(net.block.offset.path() == "block.offset");
  CHECK(net.path().empty());
  CHECK(net.parameter_count() == 9 + 12 + 6 + 1 + 6);
  std::uint64_t last = 0;
  for (const Parameter& parameter : net.parameters()) {
    CHECK(parameter.id() > last);  // Gradients come in the same order
    last = parameter.id();
  }
}

TEST_CASE("module: names are checked") {
  struct Twice : Module {
    Linear a = own("a", Linear(1, 1)), b = own("a", Linear(1, 1));
  };
  struct Dotted : Module {
    Linear a = own("a.b", Linear(1, 1));
  };
  struct Bare : Module {
    Parameter p = own("p", Parameter(Shape{2}));
  };
  CHECK(contains(error_of([] { Twice(); }), "a part named 'a' already"));
  CHECK(contains(error_of([] { Dotted(); }), "'a.b' is empty or has a dot"));
  CHECK(contains(error_of([] { Bare(); }), "'p' is empty and has no initialiser"));
}

TEST_CASE("module: an empty parameter says what to do, with its path") {
  const Net net;
  CHECK(contains(error_of([&] { net(images()); }), "stem.weight: it is empty; call initialise"));
  CHECK(contains(error_of([&] { net.state(); }), "stem.weight: it is empty"));
}

TEST_CASE("module: a moved net keeps its tree") {
  Net first = ready_net();
  const Tensor y = first(images()).value();
  const Parameter weight = first.stem.weight;
  const Net second = std::move(first);
  CHECK(names_of(second.parameters()) == kParameters);
  CHECK(same_bits(second(images()).value(), y));
  CHECK(second.stem.weight == weight);
  Net third;
  third = ready_net(2);
  CHECK(names_of(third.parameters()) == kParameters);
  third.freeze("stem");
  CHECK(third.stem.weight.frozen());
  CHECK(contains(error_of([&] { first.parameters(); }), "moved from"));  // NOLINT
}

TEST_CASE("module: modules in a container") {
  struct Stack : Module {
    std::vector<Linear> layers;
    Stack() {
      for (int i = 0; i < 3; ++i) layers.push_back(own("layer" + std::to_string(i), Linear(2, 2)));
    }
  };
  const Stack stack;
  CHECK(names_of(stack.parameters()).back() == "layer2.bias");
  CHECK(stack.layers[1].path() == "layer1");
}

TEST_CASE("module: initial values depend on key and path, not on what else there is") {
  struct Larger : Module {
    Linear before = own("before", Linear(5, 5));
    Linear stem = own("stem", Linear(2, 3));
  };
  Larger larger;
  larger.initialise(Rng(1));
  const Net net = ready_net(1), again = ready_net(1), other = ready_net(2);
  CHECK(same_bits(net.stem.weight.value(), larger.stem.weight.value()));
  CHECK(changes(net.state(), again.state()).empty());
  CHECK_FALSE(same_bits(net.stem.weight.value(), other.stem.weight.value()));
  CHECK_FALSE(same_bits(net.block.norm.running_mean.value(), net.block.norm.weight.value()));
}

TEST_CASE("module: initialise again keeps dtype and addresses") {
  Net net = ready_net(1);
  net.to(DType::float64);
  const void* const address = net.stem.weight.value().raw();
  net.initialise(Rng(2));
  CHECK(net.stem.weight.value().dtype() == DType::float64);
  CHECK(net.stem.weight.value().raw() == address);
  CHECK(max_difference(net.stem.weight.value(), ready_net(2).stem.weight.value()) == 0);
  CHECK(net(images().to(DType::float64)).dtype() == DType::float64);
  net.to(Device::cpu());
  CHECK(net.stem.weight.value().raw() == address);
  CHECK(contains(error_of([&] { net.to(DType::int64); }), "parameters are floating"));
}

// ---- freezing ----

TEST_CASE("freeze: patterns over full paths, later calls win") {
  Net net = ready_net();
  net.freeze("*");
  CHECK(frozen_names(net) == kParameters);
  CHECK(net.trainable_count() == 0);
  net.unfreeze("*.offset.*");
  CHECK_FALSE(net.block.offset.weight.frozen());
  CHECK(net.trainable_count() == 12);
  CHECK(net.block.norm.frozen());
  net.freeze("*.bias");
  CHECK(net.trainable_count() == 9);
  net.unfreeze("*");
  CHECK(frozen_names(net).empty());
  CHECK_FALSE(net.block.norm.frozen());

  net.freeze("block");  // a module stands for all in it
  CHECK(frozen_names(net) == Names{"block.offset.weight", "block.offset.bias", "block.norm.weight",
                                   "block.norm.bias", "block.scale"});
  CHECK(net.block.norm.frozen());
  net.unfreeze("*");
  net.freeze("block.norm.*");  // its parameters alone
  CHECK(frozen_names(net) == Names{"block.norm.weight", "block.norm.bias"});
  CHECK_FALSE(net.block.norm.frozen());
  net.unfreeze("*");
  net.freeze("st*ht");
  CHECK(frozen_names(net) == Names{"stem.weight"});
  net.freeze("*a*.w*t");
  CHECK(frozen_names(net) == Names{"stem.weight", "head.weight"});
}

TEST_CASE("freeze: a pattern that matches nothing lists paths") {
  Net net;
  const std::string message = error_of([&] { net.freeze("*.offsets.*"); });
  CHECK(contains(message, "freeze: '*.offsets.*' matches no parameter and no module"));
  CHECK(contains(message, "stem.weight, stem.bias"));
  CHECK(contains(message, "and 4 more"));
  CHECK(contains(error_of([&] { net.unfreeze("stem.weigh"); }), "unfreeze: 'stem.weigh'"));
  CHECK_FALSE(error_of([&] { net.freeze("stem."); }).empty());
}

TEST_CASE("freeze: a module inside a larger one answers to its full path alone") {
  Net net = ready_net();
  CHECK_FALSE(error_of([&] { net.block.freeze("norm.weight"); }).empty());
  net.block.freeze("block.norm.weight");
  CHECK(net.block.norm.weight.frozen());
}

TEST_CASE("training the head moves the head and nothing else") {
  Net net = ready_net();
  net.freeze("*");
  net.unfreeze("head");
  const State before = net.state();
  train(net);
  CHECK(changes(before, net.state()) == Names{"head.weight"});

  net.unfreeze("block.norm");
  const State frozen = net.state();
  train(net);
  CHECK(changes(frozen, net.state()) == Names{"block.norm.weight", "block.norm.bias",
                                              "block.norm.running_mean", "block.norm.running_var",
                                              "head.weight"});
}

// ---- state ----

TEST_CASE("state: a snapshot that training does not change") {
  Net net = ready_net();
  const State before = net.state();
  Names paths;
  for (const auto& [path, tensor] : before) paths.push_back(path);
  CHECK(paths == Names{"stem.weight", "stem.bias", "block.offset.weight", "block.offset.bias",
                       "block.norm.weight", "block.norm.bias", "block.norm.running_mean",
                       "block.norm.running_var", "block.scale", "head.weight"});
  const Tensor weight = net.stem.weight.value();
  train(net);
  CHECK(weight.raw() == net.stem.weight.value().raw());  // in place
  CHECK(changes(before, net.state()).size() == before.size());
  Net best;
  best.load(before);  // into a net that was never initialised
  CHECK(changes(before, best.state()).empty());
  train(best);
  CHECK(changes(before, ready_net().state()).empty());  // nothing is shared
  net.load(before);
  CHECK(weight.raw() == net.stem.weight.value().raw());
  CHECK(changes(before, net.state()).empty());
}

TEST_CASE("state: through a file, bit for bit") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      ("pliant-module-" + std::to_string(::getpid()) + ".safetensors");
  Net net = ready_net();
  train(net);
  net.save(path, {{"epoch", "3"}});
  Net read;
  const auto metadata = read.load(path);
  CHECK(metadata.at("epoch") == "3");
  CHECK(changes(net.state(), read.state()).empty());
  CHECK(same_bits(net(images()).value(), read(images()).value()));

  Linear other(2, 3);
  const std::string message = error_of([&] { other.load(path); });
  CHECK(contains(message, path.string() + ": load: missing weight, bias; unexpected stem.weight"));
  std::filesystem::remove(path);
  CHECK(contains(error_of([&] { read.load(path); }), "no such file"));
}

TEST_CASE("state: what does not fit is one Error and changes nothing") {
  Net net = ready_net(1);
  const State before = net.state();
  State bad = ready_net(2).state();
  bad.erase(bad.begin() + 1);
  bad[1].second = random({3, 4}, 3, -1, 1, DType::float32);
  bad[2].second = Tensor::zeros({3}, DType::int64);
  bad.emplace_back("tail.weight", Tensor::zeros({1}));
  const std::string message = error_of([&] { net.load(bad); });
  CHECK(contains(message, "missing stem.bias; unexpected tail.weight; does not fit: "));
  CHECK(contains(message, "block.offset.weight is float32 [3 4], expected float32 [3 3]"));
  CHECK(contains(message, "block.offset.bias is int64 [3], expected float32 [3]"));
  CHECK(message.find('\n') == std::string::npos);
  CHECK(changes(before, net.state()).empty());
  bad.push_back(bad.back());
  CHECK(contains(error_of([&] { net.load(bad); }), "has tail.weight twice"));
}

TEST_CASE("state: only what is declared new may be missing") {
  Net net = ready_net(1);
  State part = ready_net(2).state();
  std::erase_if(part, [](const auto& entry) { return contains(entry.first, "offset"); });
  CHECK(contains(error_of([&] { net.load(part); }),
                 "missing block.offset.weight, block.offset.bias"));
  CHECK(contains(error_of([&] { net.load(part, {.may_lack = {"*.offset.weight"}}); }),
                 "load: missing block.offset.bias"));
  CHECK(net.load(part, {.may_lack = {"*.offset.*", "*.mask.*"}}) ==
        Names{"block.offset.weight", "block.offset.bias"});
  CHECK(changes(net.state(), ready_net(2).state()) ==
        Names{"block.offset.weight"});  // biases are zero in both
}

TEST_CASE("state: converted to the dtype that the net has") {
  Net net = ready_net(1);
  net.to(DType::float64);
  net.load(ready_net(2).state());
  CHECK(net.stem.weight.value().dtype() == DType::float64);
  CHECK(max_difference(net.stem.weight.value(), ready_net(2).stem.weight.value()) == 0);
}

TEST_CASE("own: what a tree has already is refused, and keeps its path") {
  struct Tied : Module {
    Linear in = own("in", Linear(3, 3));
    Parameter tied;
    Tied() { tied = own("tied", in.weight); }
  };
  CHECK(error_of([] { Tied(); }) ==
        "own: 'tied' is owned already, as 'in.weight'; a parameter has one owner, and others lift "
        "it: x.lift(parameter)");
  struct Holder : Module {
    Linear in = own("in", Linear(3, 3));
    void take(Linear&& part) { own("more", std::move(part)); }
    void take(const Parameter& part) { own("more", part); }
  };
  Holder holder;
  Holder other;
  CHECK(contains(error_of([&] { other.take(holder.in.bias); }), "owned already, as 'in.bias'"));
  CHECK(contains(error_of([&] { other.take(std::move(holder.in)); }),
                 "own: 'more' is a part of a net already, as 'in'"));
  CHECK(contains(error_of([&] { other.take(Parameter()); }), "own: 'more' is undefined"));
  CHECK(names_of(holder.parameters()) == Names{"in.weight", "in.bias"});
  CHECK(other.parameters().size() == 2);
  Parameter free(random({2}, 1), "free");
  { Holder().take(free); }
  other.take(free);  // its owner is gone
  CHECK(other.parameters().back().name() == "more");
}

TEST_CASE("patterns: empty and misspelled ones are Errors") {
  Net net = ready_net();
  CHECK(error_of([&] { net.freeze(""); }) == "freeze: the pattern is empty; '*' is the whole net");
  CHECK(
      contains(error_of([&] { net.set_lr_factor("", 2); }), "set_lr_factor: the pattern is empty"));
  const State state = net.state();
  CHECK(contains(error_of([&] { net.load(state, {.may_lack = {"*.ofset.*"}}); }),
                 "load: may_lack '*.ofset.*' matches no path; there are stem.weight"));
  CHECK(contains(error_of([&] { net.load(state, {.may_lack = {""}}); }), "is empty; '*' is all"));
  CHECK(net.load(state, {.may_lack = {"*.mask.*", "head.*", "*extra.*"}}).empty());
}

TEST_CASE("module: an Error of an op says the path of the layer") {
  const Net net = ready_net();
  const Tensor wrong = Tensor::zeros({4, 5});
  CHECK(contains(error_of([&] { net(wrong); }), "linear (stem): "));
  CHECK(contains(error_of([&] { net.block(wrong); }), "linear (block.offset): "));
  CHECK(contains(error_of([&] {
                   net.stem(Tensor::zeros({4, 2}, DType::float64));
                 }),
                 "linear (stem): x is float64 but weight is float32; convert one with to(DType)"));
  CHECK(error_of([&] { Var(wrong) + Tensor::zeros({3}); }) ==
        "add: shapes [4 5] and [3] do not broadcast");  // no layer is at work any more
}

TEST_CASE("module: to() moves all or nothing") {
  Net net = ready_net();
  net.head = Linear(3, 2, {.bias = Bias::no});  // empty
  CHECK(contains(error_of([&] { net.to(DType::float64); }), "head.weight: it is empty"));
  CHECK(net.stem.weight.value().dtype() == DType::float32);
}
