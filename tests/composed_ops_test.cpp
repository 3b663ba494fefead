// Ops that are made of others: an Error says which one the user called.
#include <pliant/autograd/anomaly.h>
#include <pliant/autograd/checkpoint.h>
#include <pliant/autograd/custom_op.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/linear.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Use {
  std::string who;
  std::function<Var(const Vars&)> run;
  std::vector<Shape> shapes;  // of its arguments
};

// Each with two arguments at least, and made of others.
std::vector<Use> composed() {
  const Shape map{1, 4, 4, 2}, image{2, 3};
  return {
      {"mse_loss", [](const Vars& v) { return mse_loss(v[0], v[1]); }, {image, image}},
      {"l1_loss", [](const Vars& v) { return l1_loss(v[0], v[1]); }, {image, image}},
      {"smooth_l1_loss", [](const Vars& v) { return smooth_l1_loss(v[0], v[1]); }, {image, image}},
      {"binary_cross_entropy_with_logits",
       [](const Vars& v) { return binary_cross_entropy_with_logits(v[0], v[1]); },
       {image, image}},
      {"where",
       [](const Vars& v) {
         return where(Tensor::full({2, 3}, 1), v[0], v[1]);
       },
       {image, image}},
      {"concat", [](const Vars& v) { return concat(v, 0); }, {image, image}},
      {"stack", [](const Vars& v) { return stack(v); }, {image, image}},
      {"matmul", [](const Vars& v) { return matmul(v[0], v[1]); }, {{2, 1, 3, 4}, {1, 2, 4, 3}}},
      {"conv_transpose2d",
       [](const Vars& v) { return conv_transpose2d(v[0], v[1], v[2]); },
       {map, {2, 3, 3, 2}, {2}}},
      {"cond_conv2d",
       [](const Vars& v) { return cond_conv2d(v[0], v[1], v[2]); },
       {map, {2, 2, 3, 3, 2}, {1, 2}}},
      {"global_deform_kernel",
       [](const Vars& v) { return global_deform_kernel(v[0], v[1], v[2], 3); },
       {map, {1, 18}, {2, 3, 3, 2}}}};
}

Vars arguments(const Use& use, const Tape& tape, DType dtype = DType::float32) {
  Vars vars;
  for (const Shape& shape : use.shapes)
    vars.push_back(tape.variable(random(shape, vars.size(), 0.25, 0.75, dtype)));
  return vars;
}

}  // namespace

TEST_CASE("composed ops: off the tape, on two tapes, out of a checkpoint") {
  const Parameter p(Tensor::full({1}, 1.0F), "p");
  for (const Use& use : composed())
    for (std::size_t i = 0; i < use.shapes.size(); ++i) {
      CAPTURE(use.who);
      CAPTURE(i);
      const Tape tape, other;
      Vars vars = arguments(use, tape);
      const Tensor value = vars[i].value();
      vars[i] = Var(value) + p;
      CHECK(error_of([&] { use.run(vars); }).starts_with(use.who + ": one side was computed off"));
      vars[i] = other.variable(value);
      CHECK(error_of([&] { use.run(vars); }).starts_with(use.who + ": its inputs lie on two"));
      Var inside;
      const Var y = checkpoint(
          [&](const Var& v) {
            inside = v * 1.0;
            return inside * v;
          },
          tape.variable(value));
      vars[i] = inside;
      CHECK(error_of([&] {
              use.run(vars);
            }).starts_with(use.who + ": an input was computed inside a checkpoint"));
    }
}

TEST_CASE("composed ops: what is changed in place before the gradients") {
  for (const Use& use : composed()) {
    CAPTURE(use.who);
    const Tape tape;
    const Vars vars = arguments(use, tape);
    const Var y = use.run(vars);
    for (const Var& var : vars) Tensor(var.value()).fill(0.5);
    const std::string message =
        error_of([&] { tape.gradients(y, {}, {.cotangent = Tensor::full(y.shape(), 1)}); });
    CAPTURE(message);
    CHECK((message.empty() || message.starts_with(use.who + ": a tensor that its gradient needs")));
  }
}

TEST_CASE("composed ops: bfloat16, and the first NaN") {
  const AnomalyMode anomaly({.infinities = false});
  const Tape tape;
  const auto made = [&](const std::function<void(const Var&)>& f) {
    return error_of([&] { f(exp(tape.variable(Tensor::full({2, 3}, 2000.0F)))); });
  };
  // inf - inf
  CHECK(contains(made([](const Var& v) { mse_loss(v, v); }), "anomaly: mse_loss made the first"));
  CHECK(contains(made([](const Var& v) {
                   mse_loss(convert(v, DType::bfloat16), convert(v, DType::bfloat16));
                 }),
                 "anomaly: mse_loss made the first"));
  CHECK(contains(made([](const Var& v) { softmax(v); }), "softmax"));
}

TEST_CASE("composed ops: a path beside the op") {
  struct Net : Module {
    Linear head = own("head", Linear(3, 3));
    Var operator()(const Var& x) const {
      const ErrorPlace here("head");
      return stack({head(x), x});
    }
  };
  Net net;
  net.initialise(Rng(1));
  const Tape tape;
  const Var x = tape.input(Tensor::zeros({2, 3}));
  const Var off = net.head(x.value());
  CHECK(error_of([&] {
          const ErrorPlace here(net.head.path());
          mse_loss(x, off);
        }).starts_with("mse_loss (head): one side"));
}

TEST_CASE("custom op: what its functions do wrong is told in its name") {
  const auto run = [](const CustomOp& op) {
    return error_of([&] {
      const Tape tape;
      const Var x = tape.variable(Tensor::full({2, 3}, 1));
      tape.gradients(sum(apply(op, {x})));
    });
  };
  const auto square_of = [](const Vars& in) { return in[0] * in[0]; };
  const auto fixed = [](const Var& gradient) {
    return [gradient](const Vars&, const Var&, const Var&) { return Vars{gradient}; };
  };
  const Tensor two = Tensor::zeros({2});
  CHECK(run({.name = "cube",
             .forward = [&](const Vars& in) { return in[0] + two; },
             .backward = fixed(two)}) == "cube: add: shapes [2 3] and [2] do not broadcast");
  CHECK(run({.name = "cube",
             .forward = square_of,
             .backward = [&](const Vars& in, const Var&, const Var&) {
               return Vars{in[0] + two};
             }}) == "cube: add: shapes [2 3] and [2] do not broadcast");
  CHECK(run({.name = "cube",
             .forward = square_of,
             .backward = fixed(Tensor::zeros({2, 3}, DType::float64))}) ==
        "cube: the gradient by input 0 is float64 [2 3] on cpu, expected float32 [2 3] on cpu");
  CHECK(run({.name = "cube", .forward = square_of, .backward = fixed(two)}) ==
        "cube: the gradient by input 0 is float32 [2] on cpu, expected float32 [2 3] on cpu");
  CHECK(contains(run({.name = "cube", .forward = square_of}), "cube: it has no backward function"));
  CHECK(contains(run({.name = nullptr, .forward = square_of}), "the custom op has no name"));
}

TEST_CASE("record: a step without a gradient function") {
  const Tape tape;
  const Var x = tape.variable(Tensor::zeros({2}));
  CHECK(error_of([&] { record("mine", x.value(), {x}, {}, nullptr); }) ==
        "mine: it was recorded without a gradient function");
}

TEST_CASE("ops: a result too large for memory names the op") {
  // Of one float, which nobody reads.
  static float one = 0;
  const auto huge = [](const Shape& shape) { return Var(Tensor::wrap(&one, shape)); };
  constexpr std::int64_t kHuge = std::int64_t{1} << 50, kHalf = std::int64_t{1} << 25;
  const Var x = huge({kHuge}), column = huge({kHalf, 1}), row = huge({1, kHalf}),
            map = huge({kHuge, 1, 1, 1}), c = Tensor::zeros({1}), w = Tensor::zeros({1, 1, 1, 1});
  const Tensor index = Tensor::zeros({1, 1}, DType::int64), rois = Tensor::zeros({1, 5});
  struct Call {
    std::string op;
    std::function<void()> run;
  };
  for (const Call& call :
       std::vector<Call>{{"relu", [&] { relu(x); }},
                         {"exp", [&] { exp(x); }},
                         {"pow", [&] { pow(x, 3); }},
                         {"clamp", [&] { clamp(x, 0, 1); }},
                         {"neg", [&] { neg(x); }},
                         {"convert", [&] { convert(x, DType::float64); }},
                         {"add", [&] { add(column, row); }},
                         {"mul", [&] { mul(column, row); }},
                         {"div", [&] { div(column, row); }},
                         {"gt", [&] { gt(column, row); }},
                         {"maximum", [&] { maximum(column, row); }},
                         {"broadcast_to", [&] { broadcast_to(c, {std::int64_t{1} << 40}); }},
                         {"cumsum", [&] { cumsum(x, 0); }},
                         {"flip", [&] { flip(x, {0}); }},
                         {"slice", [&] { slice(x, {0}, {kHuge - 1}); }},
                         {"pad", [&] { pad(x, {1}, {0}); }},
                         {"concat",
                          [&] {
                            concat({x, x}, 0);
                          }},
                         {"stack",
                          [&] {
                            stack({x, x});
                          }},
                         {"scatter_add",
                          [&] {
                            scatter_add(w.value().reshape({1, 1}), 1, index, kHalf << 13);
                          }},
                         {"matmul", [&] { matmul(column, row); }},
                         {"linear",
                          [&] {
                            linear(column, Tensor::wrap(&one, {kHalf, 1}));
                          }},
                         {"sum",
                          [&] {
                            sum(huge({kHuge, 1}), {1});
                          }},
                         {"layer_norm", [&] { layer_norm(map, c, c); }},
                         {"group_norm", [&] { group_norm(map, 1, c, c); }},
                         {"batch_norm2d", [&] { batch_norm2d(map, c, c, c.value(), c.value()); }},
                         {"conv2d", [&] { conv2d(map, w); }},
                         {"max_pool2d", [&] { max_pool2d(map, {.kernel = 1}); }},
                         {"avg_pool2d", [&] { avg_pool2d(map, {.kernel = 1}); }},
                         {"upsample2d", [&] { upsample2d(map, {.scale = 2}); }},
                         {"mse_loss", [&] { mse_loss(x, x); }}}) {
    const std::string message = error_of(call.run);
    CAPTURE(call.op);
    CAPTURE(message);
    CHECK(message.starts_with(call.op + ": "));
    CHECK((contains(message, "memory: ") || contains(message, "operations, more than 2^40")));
  }
  CHECK(contains(error_of([&] {
                   kernels_of_scope(Tensor::zeros({1, 3, 3, 1}), Tensor::zeros({1, 3}), 1);
                 }),
                 "kernels_of_scope: the offset has shape [1 3]"));
}
