#include <cmath>

#include <pliant/layers/layers.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Block : Module {
  Conv2d conv = own("conv", Conv2d(4, 4, {.kernel = 3, .padding = 1}));
  Linear out = own("out", Linear(4, 4));
  Var operator()(const Var& x) const { return out(conv(x)); }
};

struct Net : Module {
  Sequential layers = own("layers", Sequential(Block(), Relu(), Linear(4, 3)));
  Block last = own("last", Block());
  Embedding table = own("table", Embedding(5, 2));
};

Tensor maps() { return random({2, 3, 3, 4}, 1, -1, 1, DType::float32); }

}  // namespace

TEST_CASE("Module: parts and parameters by path are the net's own") {
  Net net;
  net.initialise(Rng(1));
  CHECK(&net.part<Conv2d>("last.conv") == &net.last.conv);
  CHECK(&net.part("last") == static_cast<Module*>(&net.last));
  CHECK(net.part<Conv2d>("layers.0.conv").path() == "layers.0.conv");
  CHECK(net.part<Module>("layers.2").parameter_count() == 15);
  CHECK(net.part<Block>("layers.0").part<Linear>("out").weight.name() == "layers.0.out.weight");
  CHECK(net.layers.part<Linear>("2").weight == net.parameter("layers.2.weight"));
  CHECK(net.layers.parameter("2.bias").name() == "layers.2.bias");
  const Net& constant = net;
  CHECK(constant.part<Linear>("layers.2").bias.shape() == Shape{3});
  CHECK(constant.part("last.out").parameter_count() == 20);
  // A net that moves keeps its parts.
  Net moved = std::move(net);
  CHECK(&moved.part<Conv2d>("last.conv") == &moved.last.conv);
}

TEST_CASE("Module: wrong paths and types say which there are") {
  Net net;
  const auto message = [&](const char* path) { return error_of([&] { net.part(path); }); };
  CHECK(message("layers.0.conf") ==
        "part: the net has no part 'layers.0.conf'; did you mean 'layers.0.conv'?");
  CHECK(message("last.conv.weight") ==
        "part: the net has no part 'last.conv.weight'; did you mean 'last.conv'?");
  for (const char* const path : {"", ".", "layers.", "layers..0", "last.conv.weight.x"})
    CHECK(contains(message(path), "has no part"));
  CHECK(error_of([&] { net.last.part("cnov"); }) ==
        "part: last has no part 'cnov'; did you mean 'conv'?");
  CHECK(error_of([] {
          Linear alone(1, 1);
          alone.part("x");
        }) == "part: the net has no part 'x'; it has none");
  CHECK(error_of([&] { net.part<Linear>("last.conv"); }) ==
        "part: 'last.conv' is a Conv2d, not a Linear");
  CHECK(error_of([&] { net.parameter("last.conv.wieght"); }) ==
        "parameter: the net has no 'last.conv.wieght'; did you mean 'last.conv.weight'?");
}

TEST_CASE("Sequential: layers by place") {
  Sequential net(Conv2d(4, 3, {.kernel = 3}), Relu());
  net.add("extra", Linear(3, 2));
  net.add(tanh);
  net.initialise(Rng(1));
  const Tensor x = maps();
  const Var h = net[2](net[1](net[0](x)));
  CHECK(max_difference(net[3](h).value(), net(x).value()) == 0);
  CHECK(net.layer<Linear>(2).weight.name() == "extra.weight");
  CHECK(std::as_const(net).layer<Conv2d>(0).bias.shape() == Shape{3});
  CHECK(error_of([&] { net[4](x); }) == "Sequential: has no layer 4, there are 4");
  CHECK(error_of([&] { net.layer<Linear>(0); }) == "part: '0' is a Conv2d, not a Linear");
  CHECK(error_of([&] { net.layer<Linear>(3); }) ==
        "Sequential: what runs at 3 is a function and no layer");
}

TEST_CASE("Module: a part is replaced by place and by path") {
  Net net;
  net.initialise(Rng(1));
  const std::size_t count = net.state().size();
  net.layers.replace(2, Linear(4, 7));
  CHECK(net.layers.layer<Linear>(2).weight.name() == "layers.2.weight");
  CHECK(contains(error_of([&] { net.layers(maps()); }), "layers.2.weight"));  // it is empty
  net.part("layers.2").initialise(Rng(2));
  CHECK(net.layers(maps()).shape() == Shape{2, 3, 3, 7});
  CHECK(net.state().size() == count);
  // Another type, deeper down, by the path from the outside.
  net.replace("layers.1", Conv2d(4, 4, {.kernel = 3, .padding = 1}));
  net.initialise(Rng(3));
  CHECK(net.state().size() == count + 2);
  const Tape tape;
  const Gradients gradients = tape.gradients(sum(net.layers(tape.input(maps()))));
  CHECK(gradients.entries().size() == 8);
  // Members of a class, of the same type.
  net.replace("last.out", Linear(4, 6));
  net.last.initialise(Rng(4));
  CHECK(net.last(maps()).dim(-1) == 6);
  CHECK(net.last.out.weight.name() == "last.out.weight");
  net.replace("table", Embedding(3, 3));
  CHECK(net.table.weight.shape() == Shape{3, 3});
  // A moved net, and a net whose part was a container.
  Net moved = std::move(net);
  moved.replace("layers.0", Sequential(Relu(), Linear(4, 4)));
  moved.replace("layers.0.0", Tanh());
  moved.initialise(Rng(5));
  CHECK(moved.layers(maps()).dim(-1) == 7);
  CHECK(moved.layers.size() == 3);
}

TEST_CASE("Module: a function of a Sequential and the body of a Residual make way too") {
  Sequential net(Linear(4, 4), Residual(Linear(4, 4), Linear(4, 4)));
  net.add(relu);
  net.replace(2, Linear(4, 2));
  net.replace("1.shortcut", Sequential());
  net.initialise(Rng(1));
  CHECK(net(random({3, 4}, 1, -1, 1, DType::float32)).shape() == Shape{3, 2});
  std::vector<std::string> names;
  for (const Parameter& parameter : net.parameters()) names.push_back(parameter.name());
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "1.body.weight", "1.body.bias",
                                          "2.weight", "2.bias"});
}

TEST_CASE("Module: what cannot be replaced says why") {
  Net net;
  CHECK(error_of([&] { net.replace("last.out", Conv2d(4, 4)); }) ==
        "replace: 'last.out' is a member of its net's class, a Linear, and cannot become a Conv2d");
  CHECK(contains(error_of([&] { net.replace("layers.3", Linear(1, 1)); }),
                 "replace: the net has no part 'layers.3'; did you mean 'layers."));
  CHECK(error_of([&] { net.layers.replace(3, Linear(1, 1)); }) ==
        "Sequential: layers: has no layer 3, there are 3");
  CHECK(contains(error_of([&] { net.replace("layers.0", std::move(net.last)); }),
                 "is a part of a net already, as 'last'"));
}

TEST_CASE("equal: states by paths, dtypes, shapes and bits") {
  const auto state = [](const char* path, const Tensor& tensor) { return State{{path, tensor}}; };
  const Tensor x = Tensor::from({1.0F, std::nanf(""), 0.0F}, {3});
  const State one = state("a", x);
  CHECK(equal(one, state("a", x.clone())));
  CHECK(equal(State(), State()));
  CHECK_FALSE(equal(one, State()));
  CHECK_FALSE(equal(one, state("b", x)));
  CHECK_FALSE(equal(one, state("a", x.reshape({3, 1}))));
  CHECK_FALSE(equal(one, state("a", x.to(DType::float64))));
  CHECK_FALSE(equal(one, state("a", Tensor::from({1.0F, std::nanf(""), -0.0F}, {3}))));
  CHECK_FALSE(equal(one, state("a", Tensor())));
  CHECK(equal(state("a", Tensor::zeros({0})), state("a", Tensor::zeros({0}))));
}
