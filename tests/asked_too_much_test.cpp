// Sizes, counts and files that ask for more than they are worth: one clear line, and no memory taken.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <pliant/autograd/ops/attention.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/file_lock.h>
#include <pliant/core/memory.h>
#include <pliant/data/coco.h>
#include <pliant/data/loader.h>
#include <pliant/data/resident_batches.h>
#include <pliant/data/rle.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/nets/roi_heads.h>
#include <pliant/layers/train/adam.h>
#include <pliant/layers/train/detection_metrics.h>
#include <pliant/layers/train/running_mean.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/layers/train/sgd.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("group_norm: many small samples take a small multiple of their memory") {
  if (kSanitized) return;
  const Tensor x = random({200000, 1, 2}, 1, -1, 1, DType::float32);
  const Tensor w = Tensor::full({2}, 1), b = Tensor::zeros({2});
  reset_memory_peak(Device::cpu());
  const std::int64_t before = memory_use(Device::cpu()).current;
  {
    const Tape tape;
    const Var on_tape = tape.variable(x);
    const Gradients gradients = tape.gradients(sum(group_norm(on_tape, 1, tape.variable(w), b)));
    CHECK(gradients.find(on_tape) != nullptr);
  }
  CHECK(memory_use(Device::cpu()).peak - before < 20 * x.bytes());
  // In one go or in several, the same.
  const Tensor some = x.slice(90000, 100000);
  const Tensor all = group_norm(x, 1, w, b).value();
  CHECK(same_bits(all.slice(90000, 100000).clone(), group_norm(some, 1, w, b).value()));
}

TEST_CASE("RoIHeads: bins whose product is beyond all numbers") {
  for (const std::int64_t bins :
       {kLargest, std::int64_t{1} << 32, (std::int64_t{1} << 32) + 1, std::int64_t{3037000500}})
    CHECK(contains(error_of([&] { RoIHeads(4, {.bins = bins, .hidden = 8}); }), "RoIHeads"));
}

TEST_CASE("a lock is never somebody's file") {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "net.lock";
  std::ofstream(file) << "precious";
  CHECK(error_of([&] { FileLock(file, "taken"); }) ==
        file + ": is no lock but something of yours, and would be deleted; move it away");
  CHECK(text_of(file) == "precious");
}

TEST_CASE("files that are devices are not read") {
  for (const char* device : {"/dev/zero", "/dev/full"})
    CHECK(error_of([&] { CocoDetection(".", device); }) ==
          std::string(device) + ": is a device, expected a file");
}

TEST_CASE("counts that nobody can hold") {
  for (const std::int64_t classes : {kLargest, std::int64_t{1} << 32, std::int64_t{0}})
    CHECK(error_of([&] { coco_figures({}, {}, classes); }) ==
          text_from("coco_figures: ", classes, " classes, expected 1 to 32768"));
  RunningMean mean;
  CHECK(error_of([&] { mean.add(1.0, kLargest); }) ==
        "RunningMean: the count is 9223372036854775807, expected 0 to 9007199254740992");
  mean.add(1.0, std::int64_t{1} << 53);
  mean.add(1.0, std::int64_t{1} << 53);
  CHECK(error_of([&] { mean.count(); }) == "RunningMean: more than 9007199254740992 values");
  const ResidentBatches batches(
      LabelledImages{Tensor::zeros({6, 2, 2, 1}), Tensor::zeros({6}, DType::int64)}, {.size = 4},
      2);
  CHECK(batches.size_of(3) == 2);
  for (const std::int64_t step : {std::int64_t{-1}, std::int64_t{4}, kLargest})
    CHECK(contains(error_of([&] { batches.size_of(step); }), "step "));
  CHECK(error_of([] {
          rle_text(std::vector<std::int64_t>{1, 2, kLargest});
        }) == "rle_text: a run of 9223372036854775807, expected 0 to 4294967295");
  CHECK(error_of([] { rle_text(std::vector<std::int64_t>{-1}); }) ==
        "rle_text: a run of -1, expected 0 to 4294967295");
}

TEST_CASE("cosine_annealing_lr: the wave comes again exactly") {
  const CosineAnnealing options{.base_lr = 0.1, .t_max = 5, .rises_again = true};
  for (const std::int64_t step : {std::int64_t{1} << 40, std::int64_t{1} << 62, kLargest})
    CHECK(cosine_annealing_lr(step, options) == cosine_annealing_lr(step % 10, options));
}

TEST_CASE("optimizers: a remembered number that is not finite is refused") {
  Linear net(2, 2);
  net.initialise(Rng(1));
  const auto gradients = [&net] {
    const Tape tape;
    return tape.gradients(sum(net(tape.input(Tensor::full({1, 2}, 1)))));
  };
  const auto check = [&](auto& optimizer, const std::string& path) {
    optimizer.step(gradients());
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      State state = optimizer.state();
      for (auto& [name, tensor] : state)
        if (name == path) tensor.fill(bad);
      CHECK(contains(error_of([&] { optimizer.load(state); }), path + " has numbers that are not"));
    }
    optimizer.load(optimizer.state());
  };
  Adam adam(net.parameters());
  check(adam, "weight/first_moment");
  check(adam, "weight/second_moment");
  Sgd sgd(net.parameters(), {.lr = 0.1, .momentum = 0.9});
  check(sgd, "weight/momentum");
}

TEST_CASE("attention: over many keys no digits are lost") {
  constexpr std::int64_t kKeys = 1 << 20;
  const Tensor query = Tensor::zeros({1, 1, 1}), key = Tensor::zeros({1, kKeys, 1});
  const Tensor value = Tensor::full({1, kKeys, 1}, 0.1F);
  const double y = scaled_dot_product_attention(query, key, value).item();
  CHECK(std::fabs(y / static_cast<double>(0.1F) - 1) < 3e-6);
  // Growing scores shrink what is held.
  const Tensor rising = Tensor::linspace(-30, 30, kKeys).reshape({1, kKeys, 1});
  const Tensor one = Tensor::full({1, 1, 1}, 1);
  const double got = scaled_dot_product_attention(one, rising, rising).item();
  const double exact =
      scaled_dot_product_attention(one.to(DType::float64), rising.to(DType::float64),
                                   rising.to(DType::float64))
          .item();
  CHECK(std::fabs(got / exact - 1) < 1e-5);
}
