// Functions that are empty, nets and optimizers without parameters: an Error that says so at once.
#include <pliant/autograd/checkpoint.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/core/capture.h>
#include <pliant/core/program.h>
#include <pliant/core/step_state.h>
#include <pliant/core/timing.h>
#include <pliant/data/prefetch.h>
#include <pliant/layers/activation.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/observer.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/sequential.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/layers/train/summary.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("given no function: the Error names who was given none") {
  const Tensor x = Tensor::zeros({2}, DType::float64);
  Var (*const null)(const Var&) = nullptr;
  const Linear net(2, 2);
  const std::vector<std::pair<std::string, std::function<void()>>> uses = {
      {"checkpoint: the function is empty",
       [&] { checkpoint(std::function<Var(const Vars&)>(), {x}); }},
      {"checkpoint: the function is empty", [&] { checkpoint(Forward(), Var(x)); }},
      {"checkpoint: the function is empty", [&] { checkpoint(null, Var(x)); }},
      {"gradcheck: the function is empty", [&] { gradcheck(nullptr, {x}); }},
      {"gradgradcheck: the function is empty", [&] { gradgradcheck(nullptr, {x}); }},
      {"Sequential: function 0 is null", [&] { Sequential().add(null); }},
      {"Sequential: function 1 is null", [&] { Sequential(Linear(2, 2), nullptr); }},
      {"Observer: the function is empty", [&] { Observer observer(nullptr); }},
      {"summarise: the function is empty", [&] { summarise(net, nullptr); }},
      {"prefetch: the function is empty", [&] { Prefetcher<int>(0, 1, nullptr); }},
      {"capture: there is no function", [&] { capture(Device(), nullptr); }},
      {"at_every_replay: the function is empty", [&] { at_every_replay(nullptr); }},
      {"seconds_of: the function is empty", [&] { seconds_of(Device(), nullptr); }},
      {"StepState: there is no learning rate",
       [&] { StepState(Device(), {.lr = nullptr, .steps = 1}); }},
      {"sequential_lr: the schedule of stage 1 is empty",
       [&] {
         sequential_lr({{constant_lr(1), 2}, {Schedule(), 1}});
       }},
      {"product_lr: schedule 1 is empty", [&] {
         product_lr({constant_lr(1), Schedule()});
       }}};
  for (const auto& [expected, use] : uses) CHECK(error_of(use) == expected);
}

TEST_CASE("given no function: nothing is left behind") {
  CHECK_FALSE(error_of([] { Observer observer(nullptr); }).empty());
  CHECK(Observer::current() == nullptr);
  Sequential net;
  CHECK_FALSE(error_of([&] { net.add(nullptr); }).empty());
  CHECK(net.size() == 0);
}

TEST_CASE("given no parameters: a net that owns nothing is not saved, loaded or trained") {
  struct Forgot : Module {
    Linear stem = Linear(2, 2);
  };
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  Forgot net;
  const std::string hint =
      ": the net has no parameters and no buffers; give it its layers by own(\"name\", layer)";
  CHECK(error_of([&] { net.save(file); }) == "save" + hint);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(error_of([&] { net.load(State()); }) == "load" + hint);
  write_safetensors(file, {});
  CHECK(error_of([&] { net.load(file); }) == "load" + hint);
  CHECK(error_of([&] { Adam(net.parameters()); }) ==
        "Adam: it was given no parameters; a net has those of the layers that it takes in by "
        "own(\"name\", layer)");
  CHECK(contains(error_of([&] { MovingAverage{net}; }), "MovingAverage: the net has no"));

  // What has no parameters of its own is fine in a net that has others, and so is asking.
  Sequential good{Linear(2, 2), Relu(), Flatten()};
  good.initialise(Rng(1));
  good.save(file);
  good.load(file);
  CHECK(Relu().parameters().empty());
  CHECK(Relu().state().empty());
}

TEST_CASE(
    "given no owner: a parameter with a gradient is told of once, that of another net never") {
  struct Forgot : Module {
    Linear head = own("head", Linear(2, 2));
    Parameter scale = Parameter(Tensor::full({2}, 1.0, DType::float32));
  };
  Forgot net;
  Linear other(2, 2);
  net.initialise(Rng(1));
  other.initialise(Rng(2));
  Sgd sgd(net.parameters());
  const auto tells = [&](Optimizer& optimizer) {
    return told([&] {
      const Tape tape;
      optimizer.step(
          tape.gradients(sum(net.head(other(tape.input(Tensor::zeros({1, 2})))) * net.scale)));
    });
  };
  CHECK(tells(sgd) ==
        "pliant: Sgd: there are gradients by parameters that no module owns and this optimizer was "
        "not given: one without a name [2]; they are neither trained nor saved: own(\"name\", "
        "parameter) takes one in\n");
  CHECK(tells(sgd).empty());
  Sgd holds({net.head.weight, net.head.bias, net.scale});
  CHECK(tells(holds).empty());
}
