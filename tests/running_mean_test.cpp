#include <pliant/layers/train/running_mean.h>

#include <cmath>

#include <pliant/core/capture.h>
#include <pliant/tests/gpu_under_test.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

void check_mean(Device device) {
  RunningMean mean;
  CHECK(std::isnan(mean.value()));
  CHECK(mean.count() == 0);
  mean.add(Tensor::full({}, 2, DType::float32, device), 3);
  mean.add(Tensor::full({1}, 6, DType::float64, device));
  mean.add(Tensor::full({}, std::nan(""), DType::float32, device), 0);  // the mean of no batch
  mean.add(0, 4);
  CHECK(mean.value() == doctest::Approx(12.0 / 8));
  CHECK(mean.count() == 8);
  mean.reset();
  CHECK(std::isnan(mean.value()));
  mean.add(5);
  CHECK(mean.value() == 5);
}

void check_captured(Device device) {
  RunningMean mean;
  Tensor loss = Tensor::zeros({}, DType::float32, device);
  CapturedStep step = capture(device, [&] { mean.add(loss, 2); });
  for (int i = 0; i < 4; ++i) {
    loss.fill(i);
    step.replay();
  }
  CHECK(mean.value() == 1.5);
  CHECK(mean.count() == 8);
  mean.reset();
  step.replay();
  CHECK(mean.value() == 3);
}

}  // namespace

TEST_CASE("RunningMean: batches of any size, by their counts") {
  check_mean(Device::cpu());
  check_captured(Device::cpu());
}

TEST_CASE("cuda: RunningMean adds where the values are" * doctest::skip(no_device())) {
  check_mean(gpu());
  check_captured(gpu());
}

TEST_CASE("RunningMean: a million small values beside a large one") {
  RunningMean mean;
  mean.add(1e6);
  for (int i = 0; i < 1000; ++i) mean.add(Tensor::full({}, 0.1), 1000);
  CHECK(mean.value() == doctest::Approx((1e6 + 1e6 * 0.1F) / 1000001).epsilon(1e-12));
}

TEST_CASE("RunningMean: misuse is an Error") {
  RunningMean mean;
  CHECK(contains(error_of([&] { mean.add(Tensor::zeros({2})); }),
                 "RunningMean: expected a scalar, got float32 [2]"));
  CHECK(contains(error_of([&] { mean.add(Var()); }), "RunningMean: expected a scalar"));
  CHECK(error_of([&] { mean.add(1, -1); }) ==
        "RunningMean: the count is -1, expected 0 to 9007199254740992");
}
