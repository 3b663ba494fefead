// DataParallel on ranks that are threads of this process: the same bits for any number of them.
#include <doctest/doctest.h>

#include <mutex>
#include <vector>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/data/batches.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/train/adam.h>
#include <pliant/layers/train/data_parallel.h>
#include <pliant/layers/train/internal/transport.h>
#include <pliant/layers/train/local_steps.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Net : Module {
  Conv2d stem = own("stem", Conv2d(3, 8, {.kernel = 3, .padding = 1}));
  BatchNorm2d norm = own("norm", BatchNorm2d(8));
  Conv2d body = own("body", Conv2d(8, 8, {.kernel = 3, .padding = 1}));
  BatchNorm2d norm2 = own("norm2", BatchNorm2d(8));
  Dropout drop = own("drop", Dropout(0.3));
  Linear head = own("head", Linear(8, 5));
  Linear unused = own("unused", Linear(2, 2));

  Var operator()(const Var& x) const {
    const Var h = relu(norm2(body(relu(norm(stem(x))))));
    return head(global_avg_pool2d(drop(h)));
  }
};

constexpr std::int64_t kImages = 38;

LabelledImages set_of(DType dtype) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < kImages; ++i) labels.push_back(i % 7 == 3 ? -100 : i % 5);
  return {random({kImages, 6, 5, 3}, 4, -1, 1, dtype), Tensor::from(labels, {kImages})};
}

struct Wanted {
  DataParallelOptions options = {};
  std::int64_t size = 2, parts = 6;  // of a step
  DType dtype = DType::float32;
  double dropout = 0.3;
};

// A loader of tensors as they are, in any dtype.
auto loader_of(const DataParallel& parallel, const Wanted& wanted) {
  struct Set {
    LabelledImages all;
    std::int64_t size() const { return all.size(); }
    std::int64_t at(std::int64_t i, const Rng&) const { return i; }
  };
  const LabelledImages all = set_of(wanted.dtype);
  const auto collate = [all](const std::vector<std::int64_t>& indices) {
    const Tensor rows = Tensor::from(indices, {static_cast<std::int64_t>(indices.size())});
    return LabelledImages{index_select(all.images, 0, rows).value(),
                          index_select(all.labels, 0, rows).value()};
  };
  return Loader(
      Set{all}, collate,
      parallel.share(LoaderOptions{.size = wanted.size, .shuffle = Rng(8), .parts = wanted.parts}));
}

struct Result {
  std::vector<double> state, losses;
};

// Two epochs of a training by one rank of `group`.
Result train(const Group& group, const Wanted& wanted) {
  Net net;
  net.initialise(Rng(static_cast<std::uint64_t>(group.rank())));
  if (wanted.dtype == DType::float64) net.to(DType::float64);
  group.broadcast(net);
  DataParallel parallel(group, net, wanted.options);
  const auto loader = loader_of(parallel, wanted);
  Adam adam(net.parameters(), {.lr = 0.01, .may_lack = {"unused.*"}});
  const Tensor weights = Tensor::from({1.0, 2.0, 0.5, 1.0, 1.5}, {5}).to(wanted.dtype);
  Result result;
  std::uint64_t step_number = 0;
  for (std::int64_t epoch = 0; epoch < 2; ++epoch)
    for (const auto& step : loader.steps(epoch)) {
      const TapeOptions tape{.rng = Rng(3).fork(step_number++)};
      adam.step(parallel.gradients(
          step.share, step.batches, tape, [&](const Tape& on, const LabelledImages& part) {
            return softmax_cross_entropy(net(on.input(part.images)), part.labels,
                                         {.class_weights = weights});
          }));
      result.losses.push_back(parallel.loss());
    }
  for (const auto& [path, tensor] : net.state())
    for (const double value : tensor.to_vector()) result.state.push_back(value);
  return result;
}

std::vector<Result> train_on(int ranks, const Wanted& wanted) {
  std::vector<Result> results(static_cast<std::size_t>(ranks));
  on_thread_ranks(ranks, [&](const std::shared_ptr<Transport>& transport) {
    results[static_cast<std::size_t>(transport->rank())] = train(Group(transport), wanted);
  });
  return results;
}

double largest_difference(const Result& a, const Result& b) {
  REQUIRE(a.state.size() == b.state.size());
  REQUIRE(a.losses.size() == b.losses.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.state.size(); ++i)
    largest = std::max(largest, std::fabs(a.state[i] - b.state[i]));
  for (std::size_t i = 0; i < a.losses.size(); ++i)
    largest = std::max(largest, std::fabs(a.losses[i] - b.losses[i]));
  return largest;
}

}  // namespace

TEST_CASE("data parallel: strict sums have the same bits for any number of ranks") {
  for (const bool coupled : {true, false}) {
    CAPTURE(coupled);
    const Wanted wanted{.options = {.coupled = coupled}};
    const Result one = train({}, wanted);
    for (const int ranks : {1, 2, 3, 4, 6, 7}) {
      CAPTURE(ranks);
      for (const Result& result : train_on(ranks, wanted)) {
        CHECK(largest_difference(result, one) == 0);
      }
    }
  }
}

TEST_CASE("data parallel: coupled parts compute what one piece computes") {
  const Wanted whole{.size = 12, .parts = 1, .dtype = DType::float64};
  const Result wanted = train({}, whole);
  for (const GradientSums sums : {GradientSums::strict, GradientSums::fast}) {
    const Wanted in_parts{
        .options = {.sums = sums}, .size = 2, .parts = 6, .dtype = DType::float64};
    CHECK(largest_difference(train({}, in_parts), wanted) < 1e-9);
    for (const Result& result : train_on(3, in_parts))
      CHECK(largest_difference(result, wanted) < 1e-9);
  }
}

TEST_CASE("data parallel: fast sums travel in buckets") {
  const Wanted exact{.size = 4, .parts = 3, .dtype = DType::float64};
  const Result wanted = train({}, exact);
  for (const std::int64_t bucket_bytes : {1, 500, 1 << 22}) {
    const Wanted fast{.options = {.sums = GradientSums::fast, .bucket_bytes = bucket_bytes},
                      .size = 4,
                      .parts = 3,
                      .dtype = DType::float64};
    for (const Result& result : train_on(3, fast)) CHECK(largest_difference(result, wanted) < 1e-9);
    for (const Result& result : train_on(4, fast))  // one has nothing to do
      CHECK(largest_difference(result, wanted) < 1e-9);
  }
}

TEST_CASE("local steps: the ranks meet in the mean, or beyond it") {
  struct One : Module {
    Parameter w = own("w", Parameter(Shape{2}), init::constant(1));
  };
  on_thread_ranks(3, [](const std::shared_ptr<Transport>& transport) {
    const Group group(transport);
    One net;
    net.initialise(Rng(1));
    LocalSteps local(group, net, {.every = 2, .lr = 0.5, .momentum = 0.25});
    const auto move = [&](double by) {
      Tensor w = net.w.value();
      w.copy_from((Var(w) + by * (group.rank() + 1)).value());
    };
    // By hand: p = 1, then q = 1 + 2 * 2 = 5: v = -4, p = 1 - .5 (-4 - 1) = 3.5.
    move(1);
    require(!local.step(), "met early");
    move(1);
    require(local.step(), "did not meet");
    require(net.w.value().to_vector() == std::vector<double>(2, 3.5), "p is ", net.w.value());
    const State kept = local.state();
    // q = 3.5 + 2 * 1: v = -1 - 2 = -3, p = 3.5 - .5 (-2 - .75) = 4.875.
    move(0.5);
    local.step();
    LocalSteps again(group, net, {.every = 2, .lr = 0.5, .momentum = 0.25});
    again.load(kept, 3);
    move(0.5);
    require(again.step() && again.steps() == 4, "did not meet");
    require(net.w.value().to_vector() == std::vector<double>(2, 4.875), "p is ", net.w.value());
  });
}

TEST_CASE("group: collectives on every rank") {
  on_thread_ranks(3, [](const std::shared_ptr<Transport>& transport) {
    const Group group(transport);
    const double rank = group.rank();
    Tensor values = Tensor::full({3, 2}, rank + 1, DType::float64);
    group.all_reduce(values);
    require(values.to_vector() == std::vector<double>(6, 6), "all_reduce: ", values);
    Tensor from_one = Tensor::full({2}, rank);
    group.broadcast(from_one, 1);
    require(from_one.to_vector() == std::vector<double>{1, 1}, "broadcast: ", from_one);
    const Tensor all = group.all_gather(Tensor::full({1, 2}, rank, DType::int64));
    require(all.shape() == Shape{3, 2} && all.to_vector() == std::vector<double>{0, 0, 1, 1, 2, 2},
            "all_gather: ", all);
    const Tensor part = group.reduce_scatter(Tensor::full({6}, rank));
    require(part.to_vector() == std::vector<double>{3, 3}, "reduce_scatter: ", part);
    require(group.sum(rank) == 3 && group.sum(std::int64_t{2}) == 6, "sum");
    group.barrier();
  });
  const Group alone;
  Tensor mine = Tensor::full({2}, 4);
  alone.all_reduce(mine);
  CHECK(mine.to_vector() == std::vector<double>{4, 4});
  CHECK(alone.all_gather("me") == std::vector<std::string>{"me"});
}

TEST_CASE("group: what differs between ranks is an Error of all") {
  const auto error_on = [](const std::function<void(const Group&)>& f) {
    std::mutex mutex;
    std::vector<std::string> errors;
    on_thread_ranks(2, [&](const std::shared_ptr<Transport>& transport) {
      try {
        f(Group(transport));
      } catch (const GroupError& error) {
        const std::lock_guard lock(mutex);
        errors.push_back(error.what());
      }
    });
    REQUIRE(errors.size() == 2);
    CHECK(errors[0] == errors[1]);
    return errors[0];
  };
  CHECK(error_on([](const Group& group) {
          Tensor values = Tensor::zeros({group.rank() + 1});
          group.all_reduce(values);
        }) == "all_reduce: the tensor differs: 'float32 [2]' of rank 1, 'float32 [1]' of rank 0");
  const auto step = [](const Group& group, const auto& f) {
    Net net;
    net.initialise(Rng(1));
    DataParallel parallel(group, net);
    const auto loader = loader_of(parallel, {});
    for (const auto& one : loader.steps(0))
      parallel.gradients(one.share, one.batches, {.rng = Rng(1)},
                         [&](const Tape& on, const LabelledImages& part) {
                           return f(group, net(on.input(part.images)), part);
                         });
  };
  CHECK(error_on([&](const Group& group) {
          step(group, [](const Group& of, const Var& logits, const LabelledImages& part) {
            if (of.rank() == 1) fail("the lights went out");
            return softmax_cross_entropy(logits, part.labels);
          });
        }) == "rank 1: the lights went out");
  CHECK(error_on([&](const Group& group) {
          step(group, [](const Group& of, const Var& logits, const LabelledImages& part) {
            if (of.rank() == 0) return mean(square(logits));  // no labels to count together
            return softmax_cross_entropy(logits, part.labels);
          });
        }) ==
        "DataParallel: the parts of a step exchange different statistics: the ranks run different "
        "nets");
}

TEST_CASE("data parallel: steps of a loader are shared whole, in order") {
  for (const std::int64_t ranks : {1, 2, 3, 5}) {
    std::vector<std::vector<std::int64_t>> steps(5);
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const BatchPlan plan("test", 38, {.size = 2, .parts = 4, .rank = rank, .ranks = ranks});
      CHECK(plan.steps() == 5);
      std::vector<std::int64_t> own;
      for (std::int64_t step = 0; step < plan.steps(); ++step) {
        const StepShare share = plan.share(step);
        CHECK(share.samples == (step < 4 ? 8 : 6));
        CHECK(share.parts == (step < 4 ? 4 : 3));
        for (std::size_t i = 0; i < share.mine.size(); ++i) {
          steps[static_cast<std::size_t>(step)].push_back(share.mine[i].first);
          CHECK(share.mine[i].count == 2);
          own.push_back(4 * step + share.first_part + static_cast<std::int64_t>(i));
        }
      }
      CHECK(plan.own(0) == own);
    }
    for (const auto& firsts : steps)
      for (std::size_t i = 0; i < firsts.size(); ++i)
        CHECK(firsts[i] == 2 * static_cast<std::int64_t>(i));
  }
}

TEST_CASE("optimizer: shared among ranks it takes the same steps in a share of the memory") {
  const auto gradients_of = [](Net& net, std::uint64_t step) {
    const Tape tape({.rng = Rng(3).fork(step)});
    return tape.gradients(
        mean(square(net(tape.input(random({4, 6, 5, 3}, step, -1, 1, DType::float32))))));
  };
  const auto values_of = [](const State& state) {
    std::vector<double> all;
    for (const auto& [path, tensor] : state)
      for (const double value : tensor.to_vector()) all.push_back(value);
    return all;
  };
  const AdamOptions options{.lr = 0.01, .may_lack = {"unused.*"}};
  Net alone;
  alone.initialise(Rng(1));
  Adam adam(alone.parameters(), options);
  for (std::uint64_t step = 0; step < 6; ++step) adam.step(gradients_of(alone, step));
  for (const int ranks : {2, 3, 5}) {
    CAPTURE(ranks);
    std::mutex mutex;
    on_thread_ranks(ranks, [&](const std::shared_ptr<Transport>& transport) {
      const Group group(transport);
      Net net;
      net.initialise(Rng(1));
      Adam first(net.parameters(), options), second(net.parameters(), options);
      first.share(group);
      for (std::uint64_t step = 0; step < 3; ++step) first.step(gradients_of(net, step));
      const State half = first.state();  // whole, and taken up by another
      second.share(group);
      second.load(half);
      for (std::uint64_t step = 3; step < 6; ++step) second.step(gradients_of(net, step));
      const State state = second.state();
      const std::lock_guard lock(mutex);
      CHECK(values_of(net.state()) == values_of(alone.state()));
      CHECK(values_of(state) == values_of(adam.state()));
    });
  }
}
