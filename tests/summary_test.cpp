#include <pliant/layers/train/summary.h>

#include <pliant/layers/layers.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The published listing.
struct Published : Module {
  Conv2d conv1 = own("conv1", Conv2d(1, 32, {.padding = 1}));
  BatchNorm2d norm1 = own("norm1", BatchNorm2d(32));
  Conv2d conv2 = own("conv2", Conv2d(32, 64, {.stride = 2, .padding = 1}));
  BatchNorm2d norm2 = own("norm2", BatchNorm2d(64));
  Conv2d conv3 = own("conv3", Conv2d(64, 128, {.stride = 2, .padding = 1}));
  BatchNorm2d norm3 = own("norm3", BatchNorm2d(128));
  DeformConv2d conv4 = own("conv4", DeformConv2d(128, 128, {.padding = 1, .bias = Bias::no}));
  BatchNorm2d norm4 = own("norm4", BatchNorm2d(128));
  Linear head = own("head", Linear(128, 10));

  Var operator()(const Var& x) const {
    Var h = norm1(relu(conv1(x)));
    h = norm2(relu(conv2(h)));
    h = norm3(relu(conv3(h)));
    h = norm4(relu(conv4(h)));
    return head(global_avg_pool2d(h));
  }
};

}  // namespace

TEST_CASE("summary: the published listing of 262,876 parameters") {
  Published net;
  net.initialise(Rng(1));
  net.freeze("conv4.offset");
  const State before = net.state();
  const Summary result = summary(net, {1, 28, 28, 1});
  std::vector<std::int64_t> parameters;
  std::vector<std::string> kinds;
  for (const Summary::Row& row : result.rows) {
    parameters.push_back(row.parameters);
    kinds.push_back(row.kind);
  }
  CHECK(parameters ==
        std::vector<std::int64_t>{320, 64, 18496, 128, 73856, 256, 20754, 147456, 256, 1290});
  CHECK(kinds == std::vector<std::string>{"Conv2d", "BatchNorm2d", "Conv2d", "BatchNorm2d",
                                          "Conv2d", "BatchNorm2d", "Conv2d", "DeformConv2d",
                                          "BatchNorm2d", "Linear"});
  CHECK(result.parameters == 262876);
  CHECK(result.trainable == 262876 - 20754);
  CHECK(result.rows[6].path == "conv4.offset");
  CHECK(result.rows[6].output == Shape{1, 7, 7, 18});
  CHECK(result.rows[7].path == "conv4");
  CHECK(result.rows[0].multiply_adds == 28 * 28 * 32 * 9);
  CHECK(result.rows[2].multiply_adds == 14 * 14 * 64 * 9 * 32);
  CHECK(result.rows[7].multiply_adds == 7 * 7 * 9 * 128 * (128 + 4));
  CHECK(result.rows[9].multiply_adds == 1280);
  CHECK(before.size() == net.state().size());
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(max_difference(before[i].second, net.state()[i].second) == 0);

  const std::string table = to_string(result);
  CHECK(contains(table, "conv4.offset  Conv2d        [1 7 7 18]"));
  CHECK(contains(table, "262,876"));
  CHECK(contains(table, "trainable parameters: 242,122"));
}

TEST_CASE("summary: a layer that runs twice and one that never does") {
  struct Odd : Module {
    Linear twice = own("twice", Linear(3, 3)), never = own("never", Linear(3, 3));
    Parameter loose = own("loose", Parameter(Shape{5}), init::ones());
    Var operator()(const Var& x) const { return twice(twice(x)); }
  };
  Odd net;
  CHECK(contains(error_of([&] { summary(net, {2, 3}); }), "initialise"));
  net.initialise(Rng(1));
  const Summary result = summary(net, {2, 3});
  REQUIRE(result.rows.size() == 4);
  CHECK(result.rows[0].parameters == 12);
  CHECK(result.rows[1].parameters == 0);
  CHECK(result.rows[2].kind == "(parameters)");
  CHECK(result.rows[2].parameters == 5);  // the net's own
  CHECK(result.rows[3].path == "never");
  CHECK(result.parameters == 29);
  CHECK(result.multiply_adds == 2 * 18);
}
