#include <pliant/layers/sequential.h>

#include <pliant/layers/layers.h>
#include <pliant/layers/train/summary.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

std::vector<std::string> names_of(const Module& net) {
  std::vector<std::string> names;
  for (const auto& [path, tensor] : net.state()) names.push_back(path);
  return names;
}

using Names = std::vector<std::string>;

struct Block : Module {
  Linear in, out;
  explicit Block(std::int64_t width)
      : in(own("in", Linear(width, width))), out(own("out", Linear(width, width))) {}
  Var operator()(const Var& x) const { return out(gelu(in(x))); }
};

struct Stack : Module {
  ModuleList<Block> blocks = own("blocks", make());
  Linear head = own("head", Linear(4, 2));

  static ModuleList<Block> make() {
    ModuleList<Block> list;
    for (int i = 0; i < 3; ++i) list.add(Block(4));
    return list;
  }
  Var operator()(const Var& x) const {
    Var h = x;
    for (const Block& block : blocks) h = block(h);
    return head(h);
  }
};

}  // namespace

TEST_CASE("Sequential: one after another, named by place") {
  Sequential net(Conv2d(2, 3, {.kernel = 3}), BatchNorm2d(3), Relu(), Flatten(), Linear(12, 5));
  net.initialise(Rng(1));
  CHECK(names_of(net) == Names{"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean",
                               "1.running_var", "4.weight", "4.bias"});
  CHECK(net.size() == 5);
  const Tensor x = random({2, 4, 4, 2}, 1, -1, 1, DType::float32);
  const State s = net.state();
  const auto part = [&](std::size_t i) { return Var(s[i].second); };
  const Var h = relu(batch_norm2d(conv2d(x, part(0), part(1), {}), part(2), part(3), s[4].second,
                                  s[5].second, 1e-5));
  CHECK(max_difference(net(x).value(), linear(reshape(h, {2, 12}), part(6), part(7)).value()) == 0);
}

TEST_CASE("Sequential: built up, nested, with names and plain functions") {
  Sequential inner(Linear(3, 3), Tanh());
  Sequential net;
  net.add(std::move(inner));
  net.add(relu);
  net.add("extra", Linear(3, 3));
  net.add(Linear(3, 1));
  net.initialise(Rng(2));
  CHECK(names_of(net) ==
        Names{"0.0.weight", "0.0.bias", "extra.weight", "extra.bias", "2.weight", "2.bias"});
  const Tensor x = random({4, 3}, 1, -1, 1, DType::float32);
  const Tape tape;
  const Gradients gradients = tape.gradients(sum(net(tape.input(x))));
  CHECK(gradients.entries().size() == 6);
  const Sequential none;
  CHECK(max_difference(none(x).value(), x) == 0);
  CHECK(contains(error_of([&] { net.add("extra", Linear(1, 1)); }), "named 'extra' already"));
  // One that was moved is whole.
  const Sequential moved = std::move(net);
  CHECK(moved(x).shape() == Shape{4, 1});
}

TEST_CASE("Sequential: its parts show in the summary") {
  Sequential net(Linear(4, 8), Gelu(), Linear(8, 2));
  net.initialise(Rng(1));
  const Summary table = summary(net, {3, 4});
  REQUIRE(table.rows.size() == 3);
  CHECK(table.rows[1].kind == "Gelu");
  CHECK(table.rows[1].path == "1");
  CHECK(table.parameters == 40 + 18);
}

TEST_CASE("ModuleList: blocks of one type, named by place, every one trained") {
  Stack net;
  net.initialise(Rng(1));
  CHECK(net.blocks.size() == 3);
  CHECK(net.blocks[2].in.weight.name() == "blocks.2.in.weight");
  CHECK(net.parameters().size() == 14);
  const Tape tape;
  const Gradients gradients =
      tape.gradients(sum(net(tape.input(random({5, 4}, 1, -1, 1, DType::float32)))));
  CHECK(gradients.entries().size() == 14);
}

TEST_CASE("containers: what is added once a net has them has its full path") {
  struct Net : Module {
    Net() {
      body.add(Linear(4, 4));
      blocks.add(Block(4));
    }
    Sequential body = own("body", Sequential());
    ModuleList<Block> blocks = own("blocks", ModuleList<Block>());
  };
  struct Outer : Module {
    Net net = own("net", Net());
  };
  Outer outer;
  outer.net.blocks.add(Block(4));
  const std::vector<Parameter> all = outer.parameters();
  REQUIRE(all.size() == 10);
  CHECK(all[0].name() == "net.body.0.weight");
  CHECK(all[2].name() == "net.blocks.0.in.weight");
  CHECK(all[9].name() == "net.blocks.1.out.bias");
  CHECK(outer.net.blocks[1].in.path() == "net.blocks.1.in");
}

TEST_CASE("Residual: the body beside the identity or a shortcut") {
  Residual plain(Sequential(Linear(3, 3), Relu()));
  plain.initialise(Rng(1));
  CHECK(names_of(plain) == Names{"body.0.weight", "body.0.bias"});
  const Tensor x = random({2, 3}, 1, -1, 1, DType::float32);
  const State s = plain.state();
  CHECK(max_difference(plain(x).value(),
                       (relu(linear(x, s[0].second, s[1].second)) + Var(x)).value()) == 0);
  Residual widening(Linear(3, 5), Linear(3, 5, {.bias = Bias::no}));
  widening.initialise(Rng(1));
  CHECK(names_of(widening) == Names{"body.weight", "body.bias", "shortcut.weight"});
  CHECK(widening(x).shape() == Shape{2, 5});
  Residual wrong(Linear(3, 1));
  wrong.initialise(Rng(1));
  CHECK(contains(error_of([&] { wrong(x); }), "the body gives [2 1] but the way round it [2 3]"));
}

TEST_CASE("activations as layers: the functions themselves") {
  const Tensor x = random({3, 7}, 1, -3, 3);
  const auto same = [&](const Var& layer, const Var& function) {
    return max_difference(layer.value(), function.value()) == 0;
  };
  CHECK(same(Relu()(x), relu(x)));
  CHECK(same(LeakyRelu()(x), leaky_relu(x, 0.01)));
  CHECK(same(LeakyRelu(0.3)(x), leaky_relu(x, 0.3)));
  CHECK(same(Gelu()(x), gelu(x)));
  CHECK(same(Silu()(x), silu(x)));
  CHECK(same(Tanh()(x), tanh(x)));
  CHECK(same(Sigmoid()(x), sigmoid(x)));
}

TEST_CASE("Flatten: all axes but the first become one") {
  const Tensor x = random({2, 3, 4, 5}, 1);
  CHECK(Flatten()(x).shape() == Shape{2, 60});
  CHECK(Flatten()(x).value().to_vector() == x.to_vector());
  CHECK(Flatten()(random({3}, 1)).shape() == Shape{3, 1});
  CHECK(Flatten()(Tensor::zeros({0, 3, 2})).shape() == Shape{0, 6});
  CHECK(contains(error_of([] { Flatten()(Tensor::scalar(1)); }), "a scalar has no batch axis"));
}

TEST_CASE("Embedding: rows by index, trained through the tape") {
  Embedding table(6, 3);
  table.initialise(Rng(1));
  CHECK(table.weight.name() == "weight");
  const Tensor indices = Tensor::from<std::int64_t>({4, 0, 4, 2}, {2, 2});
  const std::vector<double> w = table.weight.value().to_vector();
  const Tensor y = table(indices).value();
  CHECK(y.shape() == Shape{2, 2, 3});
  CHECK(y.to_vector()[3] == w[0]);
  CHECK(y.to_vector()[8] == w[14]);
  const Tape tape;
  const Tensor gradient = tape.gradients(sum(table(tape.input(indices))))[table.weight];
  CHECK(gradient.to_vector() ==
        std::vector<double>{1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0});
  const Embedding zeros(2, 2, {.initialiser = init::zeros()});
  CHECK(contains(error_of([] { Embedding(0, 3); }), "a table of 0 rows of 3 numbers"));
  CHECK(contains(error_of([&] { table(Var()); }), "the indices are undefined"));
  CHECK(contains(error_of([&] { table(Tensor::from<std::int64_t>({6}, {1})); }),
                 "index 6 at place 0 is not in [0, 6)"));
}
