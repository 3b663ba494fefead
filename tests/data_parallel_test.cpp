// DataParallel on ranks that are threads of this process: the same bits for any number of them.
#include <doctest/doctest.h>

#include <mutex>
#include <vector>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/data/batches.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/dropout.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/train/adam.h>
#include <pliant/layers/train/data_parallel.h>
#include <pliant/layers/train/internal/transport.h>
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
  for (const Sums sums : {Sums::strict, Sums::fast}) {
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
    const Wanted fast{.options = {.sums = Sums::fast, .bucket_bytes = bucket_bytes},
                      .size = 4,
                      .parts = 3,
                      .dtype = DType::float64};
    for (const Result& result : train_on(3, fast)) CHECK(largest_difference(result, wanted) < 1e-9);
    for (const Result& result : train_on(4, fast))  // one has nothing to do
      CHECK(largest_difference(result, wanted) < 1e-9);
  }
}
